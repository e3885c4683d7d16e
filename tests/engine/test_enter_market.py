"""Entries that take from the book: their worst price, what forbids them, and what is lost at most."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from apps.engine.enter.entry_price import worst_price
from apps.engine.values.entry import OrderType
from apps.engine.values.order import TimeInForce
from apps.engine.values.plan import OrderPlan
from apps.engine.values.position import Quote, Side
from apps.engine.values.reason import Reason, Refusal
from tests.engine.trade_builder import (
    NOW,
    SYMBOL,
    D,
    account,
    at,
    entry_of,
    observation,
    plan_or_refusal,
    profile,
    quote,
    state,
    verdict,
)
from tests.examples import examples

MARKET = {"order_type": "market", "fallback_end_of_zone": None}


def market_plan(side: Side = Side.LONG, book: Quote | None = None, **entry: Any) -> OrderPlan | Refusal:
    by = profile(**(MARKET | entry))
    return plan_or_refusal(verdict(side), by, observation(quote=book or quote()), state(), NOW)


@pytest.mark.parametrize(
    ("side", "worst"),
    [(Side.LONG, "50040.1"), (Side.SHORT, "49960.0")],  # 8 bps beyond 50000.1 and 50000.0
)
def test_a_market_entry_is_sent_as_a_limit_at_its_worst_price_that_ends_at_once(
    side: Side, worst: str
) -> None:
    plan = market_plan(side)
    assert isinstance(plan, OrderPlan)
    assert plan.entry == D(worst)
    request = plan.request(plan.client_order_id)
    assert (request.price, request.time_in_force) == (D(worst), TimeInForce.IOC)
    assert plan.entry_rules.order_type == OrderType.MARKET
    assert plan.expires_at == plan.send_before == at(10)


def test_a_limit_entry_rests_until_its_time_is_over() -> None:
    plan = plan_or_refusal(verdict(), profile(), observation(), state(), NOW)
    assert isinstance(plan, OrderPlan)
    assert plan.request(plan.client_order_id).time_in_force == TimeInForce.GTC
    assert (plan.entry_rules.order_type, plan.expires_at) == (OrderType.LIMIT, at(60))


def test_a_market_entry_is_refused_where_the_spread_is_wider_than_it_may_be() -> None:
    assert isinstance(market_plan(book=quote(bid="49985", ask="50015")), OrderPlan)  # 6 bps, 0.06 %
    wide = market_plan(book=quote(bid="49985", ask="50015.1"))
    assert isinstance(wide, Refusal)
    assert wide.reason == Reason.MARKET_ORDER_SPREAD_TOO_WIDE
    assert wide.numbers["limit_bps"] == 6


def test_a_market_entry_is_refused_where_the_far_side_is_not_in_the_zone() -> None:
    outside = market_plan(book=quote(bid="50060", ask="50061", mark="50060"))  # the zone ends at 50042
    assert isinstance(outside, Refusal)
    assert (outside.reason, outside.numbers["candidate"]) == (Reason.ENTRY_NOT_WITHIN_ZONE, D("50061"))


@pytest.mark.parametrize("missing", ["market_max_spread_pct", "slippage_guard_bps"])
def test_a_market_entry_needs_a_widest_spread_and_a_worst_price(missing: str) -> None:
    with pytest.raises(ValidationError, match=f"order_type market needs {missing}"):
        entry_of(**(MARKET | {missing: None}))


def test_a_fallback_needs_a_worst_price_a_limit_order_and_a_time_that_is_longer() -> None:
    fallback = {"fallback_end_of_zone": {"ttl_threshold_s": 25, "max_spread_bps": 8}}
    assert entry_of(**fallback).fallback_end_of_zone is not None
    with pytest.raises(ValidationError, match="fallback_end_of_zone needs slippage_guard_bps"):
        entry_of(**fallback, slippage_guard_bps=None)
    with pytest.raises(ValidationError, match="is of limit orders"):
        entry_of(**fallback, order_type="market")
    with pytest.raises(ValidationError, match="ttl_threshold_s 25 is not below order_ttl_s 25"):
        entry_of(**fallback, order_ttl_s=25)


def test_a_worst_price_as_far_out_as_a_stop_is_no_setting() -> None:
    with pytest.raises(ValidationError, match="slippage_guard_bps"):
        entry_of(slippage_guard_bps=26)


prices = st.integers(200, 10_000_000)
bps = st.decimals(0, 25, places=1, allow_nan=False)


@given(prices, st.integers(1, 50), st.sampled_from([D("0.1"), D("1e-6"), D(5)]), bps, st.sampled_from(Side))
def test_a_worst_price_is_a_tick_between_the_far_side_and_its_guard(
    bid: int, spread: int, tick: Decimal, guard_bps: Decimal, side: Side
) -> None:
    book = Quote(SYMBOL, bid * tick, (bid + spread) * tick, bid * tick, bid * tick, NOW)
    price = worst_price(book, side, guard_bps, tick)
    far = book.ask if side == Side.LONG else book.bid
    sign = 1 if side == Side.LONG else -1
    assert price % tick == 0
    assert 0 <= sign * (price - far) <= far * guard_bps / 10_000


@settings(max_examples=examples(150), deadline=None)
@given(
    st.integers(1, 300),
    st.integers(-400, 400),
    st.decimals("0", "25", places=1, allow_nan=False),
    st.decimals("50", "100000", places=2, allow_nan=False),
    st.sampled_from(Side),
    st.decimals("0", "1", places=3, allow_nan=False),
)
def test_whatever_it_pays_up_to_the_worst_price_a_market_entry_loses_no_more_than_its_budget_at_the_stop(
    spread: int, shift: int, guard_bps: Decimal, equity: Decimal, side: Side, share: Decimal
) -> None:
    bid = D("50000") + D(shift) / 10
    book = quote(bid=str(bid), ask=str(bid + D(spread) / 10), mark=str(bid))
    by = profile(**(MARKET | {"slippage_guard_bps": float(guard_bps)}))
    seen = observation(quote=book, account=account(str(equity)))
    plan = plan_or_refusal(verdict(side), by, seen, state(), NOW)
    assume(isinstance(plan, OrderPlan))
    assert isinstance(plan, OrderPlan)
    assert by.entry is not None
    far = Fraction(book.ask if side == Side.LONG else book.bid)
    paid = far + (Fraction(plan.entry) - far) * Fraction(share)  # anywhere it may fill
    costs = paid * (Fraction(2 * 6, 10_000) + Fraction(by.entry.stop_slippage_bps) / 10_000)
    sign = 1 if side == Side.LONG else -1
    loss = (sign * (paid - Fraction(plan.stop)) + costs) * Fraction("0.001") * Fraction(plan.size)
    budget = Fraction(equity) * Fraction(by.entry.risk_pct) / 100
    # a short that sells higher than its worst price pays its fees of more: never of more than it gains there
    assert loss <= budget
