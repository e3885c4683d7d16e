"""Resting entries and the mark: taken back where it went too far, and their rest at the end of their time."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from apps.engine import events
from apps.engine.cycle import follow
from apps.engine.enter.fallback import rest_plan
from apps.engine.follow.book import book_after
from apps.engine.follow.fallback import waiting_rest
from apps.engine.follow.orders import merged_order
from apps.engine.values.book import (
    CloseRequest,
    ExchangeBook,
    RestPlan,
    SymbolBook,
    TrackedOrder,
    TrackedPosition,
)
from apps.engine.values.order import (
    Fill,
    OrderReport,
    OrderStatus,
    ProtectionKind,
    ProtectionReport,
    TimeInForce,
)
from apps.engine.values.position import PositionReport, PositionStatus, Quote, Side
from apps.engine.values.reason import Reason, Refusal
from tests.engine.trade_builder import (
    CONSTRAINTS,
    NOW,
    SYMBOL,
    D,
    account,
    at,
    contract,
    observation,
    planned,
    profile,
    quote,
)
from tests.examples import examples

PLAN = planned()  # long at 50000.0 in the zone 49958 to 50042, the mark at 50000, 60 s
ENTRY = profile().entry
assert ENTRY is not None


def resting(**changes: Any) -> TrackedOrder:
    order = replace(TrackedOrder.of(PLAN), status=OrderStatus.SUBMITTED, exchange_order_id="x1")
    return replace(order, **changes)


def report(order: TrackedOrder, **changes: Any) -> OrderReport:
    built = OrderReport(
        order.exchange_order_id,
        order.client_order_id,
        SYMBOL,
        order.side,
        True,
        order.price,
        order.size,
        order.filled,
        order.average_price,
        True,
        NOW,
    )
    return replace(built, **changes)


def book(*orders: TrackedOrder, **changes: Any) -> SymbolBook:
    return SymbolBook(SYMBOL, locked_by=PLAN.decision_key, orders=orders, **changes)


def seen(now: datetime, *reports: OrderReport, mark: str | None, **changes: Any) -> ExchangeBook:
    """The whole exchange as of now: open orders, what was looked up, and a quote of this moment."""
    quoted = None
    if mark is not None:
        quoted = quote(bid=mark, ask=str(D(mark) + D("0.1")), mark=mark, at=now)
    values = {
        "orders_at": now,
        "orders": tuple(each for each in reports if each.open),
        "looked_up": {each.client_order_id: each for each in reports if not each.open},
        "positions_at": now,
        "protections_at": now,
        "fills_at": now,
        "fills_since": NOW,
        "quote": quoted,
    }
    return ExchangeBook(SYMBOL, **(values | changes))


def followed(books: SymbolBook, shown: ExchangeBook, now: datetime, **off: str) -> Any:
    return follow(books, shown, contract(), constraints=CONSTRAINTS, off=off, now=now)


def asked(result: Any) -> list[str]:
    return [event.detail for event in result.events if isinstance(event, events.OrderCancelAsked)]


def taken_back(**changes: Any) -> TrackedOrder:
    """Cancelled for its fallback, which may leave until its time is over."""
    return resting(**({"status": OrderStatus.CANCELLED, "fallback_before": PLAN.expires_at} | changes))


# out of zone


@pytest.mark.parametrize(
    ("mark", "is_taken_back"),
    # 50000 × 10 bps = 50: from the edges 49958 and 50042 it may go to 49908 and 50092
    [("50000", False), ("50092", False), ("50092.1", True), ("49908", False), ("49907.9", True)],
)
def test_an_entry_is_taken_back_once_the_mark_is_farther_from_the_zone_than_it_may_be(
    mark: str, is_taken_back: bool
) -> None:
    order = resting()
    result = followed(book(order), seen(at(5), report(order), mark=mark), at(5))
    assert bool(result.actions) == is_taken_back
    assert [why.split(":")[0] for why in asked(result)] == ["out of zone"] * is_taken_back


def test_how_far_it_was_when_it_was_planned_counts_for_it() -> None:
    assert PLAN.entry_rules.zone is not None
    zone = replace(PLAN.entry_rules.zone, mark=D("50100"))  # 58 beyond the zone, and 50.1 more are allowed
    order = resting(entry_rules=replace(PLAN.entry_rules, zone=zone))
    for mark, is_taken_back in (("50150.1", False), ("50150.2", True)):
        result = followed(book(order), seen(at(5), report(order), mark=mark), at(5))
        assert bool(result.actions) == is_taken_back, mark
    assert "50150.2" in asked(result)[0]
    assert "50100" in asked(result)[0]


@pytest.mark.parametrize("age_s", [None, 3.5, -3.5])
def test_without_a_young_quote_nothing_is_taken_back(age_s: float | None) -> None:
    order = resting()
    shown = seen(at(5), report(order), mark="60000")
    assert shown.quote is not None
    old = None if age_s is None else replace(shown.quote, at=at(5 - age_s))
    result = followed(book(order), replace(shown, quote=old), at(5))
    assert (result.events[1:], result.actions) == ((), ())


def test_an_entry_out_of_zone_ends_unfilled_and_leaves_a_quarter_of_an_hour_of_rest() -> None:
    order = resting()
    result = followed(book(order), seen(at(5), report(order), mark="50200"), at(5))
    over = seen(at(6), report(order, open=False), mark="50200")
    ended = followed(result.book, over, at(6))
    assert [event.name for event in ended.events] == ["order_cancelled", "cooldown_set", "symbol_released"]
    assert ended.events[1].until == at(6 + 15 * 60)


# fallback


@pytest.mark.parametrize(
    ("seconds", "mark", "spread", "is_taken_back"),
    [
        (34, "50000", "0.1", False),  # 26 s left
        (35, "50000", "0.1", True),
        (59, "50000", "0.1", True),
        (40, "50042.1", "0.1", False),  # not in the zone
        (40, "50042", "0.1", True),
        (40, "50000", "41", False),  # 8.2 bps
        (40, "50000", "39", True),
    ],
)
def test_at_the_end_of_its_time_an_entry_is_taken_back_for_its_rest_to_be_sent_anew(
    seconds: int, mark: str, spread: str, is_taken_back: bool
) -> None:
    order, now = resting(), at(seconds)
    shown = seen(now, report(order), mark=mark)
    assert shown.quote is not None
    shown = replace(shown, quote=replace(shown.quote, ask=D(mark) + D(spread)))
    result = followed(book(order), shown, now)
    [tracked] = result.book.orders
    assert bool(result.actions) == is_taken_back
    assert tracked.fallback_before == (PLAN.expires_at if is_taken_back else None)
    assert [why.split(":")[0] for why in asked(result)] == ["fallback at the end of the zone"] * is_taken_back


def test_an_order_in_doubt_is_not_taken_back_for_a_fallback() -> None:
    order = resting(status=OrderStatus.UNKNOWN, looked_up=2)
    assert not asked(followed(book(order), seen(at(40), mark="50000"), at(40)))


def test_a_cancel_for_the_fallback_is_asked_for_until_it_is_confirmed() -> None:
    order = resting(fallback_before=PLAN.expires_at, cancel_asked_at=at(40))
    result = followed(book(order), seen(at(43), report(order), mark="50200"), at(43))
    assert result.actions
    assert result.book.orders[0].fallback_before == PLAN.expires_at


def test_the_symbol_stays_locked_while_the_rest_may_be_sent_and_no_longer() -> None:
    order = taken_back()
    waits = followed(book(order), seen(at(45), report(order, open=False), mark=None), at(45))
    assert waits.book.locked_by == PLAN.decision_key
    assert waiting_rest(waits.book, at(45)) == order
    over = followed(book(order), seen(at(60), report(order, open=False), mark=None), at(60))
    assert [event.name for event in over.events] == ["fallback_refused", "cooldown_set", "symbol_released"]
    assert over.events[0].reason == Reason.SENT_TOO_LATE
    assert over.events[1].because == "unfilled"
    assert waiting_rest(over.book, at(60)) is None


def test_a_rest_that_was_refused_frees_the_symbol_at_once() -> None:
    order = taken_back(fallback_before=resting().sent_at)
    result = followed(book(order), seen(at(45), report(order, open=False), mark=None), at(45))
    assert [event.name for event in result.events] == ["cooldown_set", "symbol_released"]


def test_a_person_who_closes_the_side_ends_the_fallback_before_it_is_sent() -> None:
    order = taken_back()
    requested = CloseRequest(Side.LONG, "ada", "enough")
    shown = seen(at(45), report(order, open=False), mark=None)
    result = followed(book(order, close_requests=(requested,)), shown, at(45))
    assert [event.name for event in result.events] == [
        "fallback_refused",
        "close_request_done",
        "cooldown_set",
        "symbol_released",
    ]
    assert waiting_rest(result.book, at(45)) is None


def test_a_rest_whose_filled_part_is_being_left_is_given_up_at_once_and_says_why() -> None:
    order = taken_back(filled=D(4), average_price=D(50000), size=D(14))
    held = TrackedPosition(
        SYMBOL, Side.LONG, PLAN.decision_key, PositionStatus.PROTECTED, D(4), D(50000), PLAN.stop, None, at(5)
    )
    books = book(order, positions=(held,))
    stop = ProtectionReport("p", "", SYMBOL, Side.LONG, ProtectionKind.STOP, PLAN.stop, None)
    opening = Fill("1", "x1", SYMBOL, Side.LONG, True, D(50000), D(4), D(0), D(0), True, at(5))
    closing = replace(opening, trade_id="2", exchange_order_id="t", opens=False, size=D(2), at=at(44))
    parts = {
        "positions": (PositionReport(SYMBOL, Side.LONG, D(2), D(50000), at(5), D(50100)),),
        "protections": (stop,),
    }
    late = seen(at(45), report(order, open=False), mark=None, fills=(opening,), **parts)
    assert "fallback_refused" not in [event.name for event in followed(books, late, at(45)).events]
    shown = replace(late, fills=(opening, closing))
    [given_up] = [
        event for event in followed(books, shown, at(45)).events if isinstance(event, events.FallbackRefused)
    ]
    assert given_up.reason == Reason.FALLBACK_NOT_CONFIRMED
    assert given_up.detail == "a part of its position is closed"


def test_no_rest_waits_beside_a_later_attempt_or_anything_that_may_still_fill() -> None:
    order = taken_back()
    later = replace(TrackedOrder.of(PLAN, 1), status=OrderStatus.UNKNOWN)
    assert waiting_rest(book(order), at(45)) == order
    assert waiting_rest(book(order, later), at(45)) is None
    assert waiting_rest(book(order, replace(later, status=OrderStatus.DENIED)), at(45)) is None
    assert waiting_rest(book(replace(order, status=OrderStatus.PARTIALLY_FILLED)), at(45)) is None
    assert waiting_rest(replace(book(order), locked_by=None), at(45)) is None
    assert waiting_rest(book(replace(order, filled=D(2), average_price=D(50000))), at(45)) is None  # is gone


def test_a_first_attempt_that_rests_after_all_is_taken_back_beside_the_later_one() -> None:
    order, later = taken_back(), replace(TrackedOrder.of(PLAN, 1), status=OrderStatus.SUBMITTED)
    shown = seen(at(50), report(order), report(later), mark=None)
    result = followed(book(order, later), shown, at(50))
    assert asked(result) == ["a later attempt of its decision was sent"]


def test_an_order_that_is_lost_has_no_rest_that_is_known() -> None:
    order = resting(fallback_before=PLAN.expires_at, absent_reads=1, looked_up=5, cancel_asked_at=at(100))
    late = at(200)
    shown = seen(late, mark=None, looked_up={order.client_order_id: None})
    lost = book_after(book(order), followed(book(order), shown, late).events)
    assert lost.orders[0].fallback_before == order.sent_at


def test_older_news_does_not_bring_a_refused_fallback_back() -> None:
    refused, older = taken_back(fallback_before=NOW), taken_back()
    assert merged_order(refused, older).fallback_before == NOW
    assert merged_order(older, refused).fallback_before == NOW


# the rest


def rest(order: TrackedOrder, seconds: float = 45, **changes: Any) -> RestPlan | Refusal:
    now = at(seconds)
    values: dict[str, Any] = {"quote": quote(at=now)} | changes
    assert ENTRY is not None
    return rest_plan(PLAN, order, observation(**values), ENTRY, now)


def test_the_rest_is_sent_at_its_worst_price_with_the_same_stop_and_target_as_the_next_attempt() -> None:
    anew = rest(taken_back())
    assert isinstance(anew, RestPlan)
    request = anew.plan.request(anew.plan.client_order_id)
    assert (request.price, request.time_in_force) == (D("50040.1"), TimeInForce.IOC)
    assert (request.stop_price, request.target_price) == (PLAN.stop, PLAN.target)
    assert request.client_order_id == TrackedOrder.of(PLAN, 1).client_order_id != PLAN.client_order_id
    assert 0 < request.size < PLAN.size  # the stop is farther from the worst price
    assert anew.plan.send_before == at(55)
    late = rest(taken_back(), 58)
    assert isinstance(late, RestPlan)
    assert late.plan.send_before == PLAN.expires_at


@pytest.mark.parametrize(
    ("book_now", "reason"),
    [
        (quote(bid="49980", ask="50021", at=at(45)), Reason.MARKET_ORDER_SPREAD_TOO_WIDE),
        (quote(bid="50050", ask="50050.1", mark="50050", at=at(45)), Reason.ENTRY_NOT_WITHIN_ZONE),
        (quote(at=at(41)), Reason.QUOTE_STALE),
        (quote(last=PLAN.stop, at=at(45)), Reason.STOP_INVALID),
        (quote(last=PLAN.target, at=at(45)), Reason.TARGET_INVALID),
    ],
)
def test_the_rest_is_refused_where_the_market_no_longer_allows_it(book_now: Quote, reason: Reason) -> None:
    refused = rest(taken_back(), quote=book_now)
    assert isinstance(refused, Refusal)
    assert refused.reason == reason


def test_what_is_filled_already_takes_its_part_of_the_budget() -> None:
    filled = PLAN.size - 1
    refused = rest(taken_back(filled=filled, average_price=D("50300")))
    assert isinstance(refused, Refusal)
    assert refused.reason == Reason.SIZE_BELOW_MIN_VOLUME


@pytest.mark.parametrize("filled", [0, 1, 4])
def test_the_rest_is_what_its_order_left_however_much_more_the_budget_allows(filled: int) -> None:
    anew = rest(taken_back(size=D(6), filled=D(filled), average_price=D(50000 if filled else 0)))
    assert isinstance(anew, RestPlan)
    assert anew.plan.size == 6 - filled


@settings(max_examples=examples(200), deadline=None)
@given(
    st.integers(0, 100),
    st.decimals("0.9", "1.1", places=3),
    st.integers(-30, 41),
    st.integers(1, 300),
    st.sampled_from(Side),
)
def test_what_is_filled_and_all_of_the_rest_at_its_worst_price_lose_no_more_than_the_budget_at_the_stop(
    filled_pct: int, equity_ratio: Decimal, shift: int, spread: int, side: Side
) -> None:
    plan, now = planned(side), at(45)
    filled = plan.size * filled_pct // 100
    order = replace(
        TrackedOrder.of(plan),
        status=OrderStatus.CANCELLED,
        filled=filled,
        average_price=plan.entry if filled else D(0),
        fallback_before=plan.expires_at,
    )
    mark = D(50000 + shift)
    book_now = quote(bid=str(mark), ask=str(mark + D(spread) / 10), mark=str(mark), at=now)
    equity = 1000 * equity_ratio
    assert ENTRY is not None
    made = rest_plan(plan, order, observation(quote=book_now, account=account(str(equity))), ENTRY, now)
    assume(isinstance(made, RestPlan))
    assert isinstance(made, RestPlan)
    lost = Fraction(0)
    for paid, size in ((order.average_price, filled), (made.plan.entry, made.plan.size)):
        costs = Fraction(paid) * (Fraction(12, 10_000) + Fraction(ENTRY.stop_slippage_bps) / 10_000)
        lost += (abs(Fraction(paid) - Fraction(plan.stop)) + costs) * Fraction("0.001") * Fraction(size)
    assert lost <= Fraction(plan.sizing.risk_budget)
    assert lost <= Fraction(equity) * Fraction(ENTRY.risk_pct) / 100
    assert made.plan.size + filled <= plan.size
    assert (made.total.size, made.plan.stop) == (made.plan.size + filled, plan.stop)


def test_a_part_that_filled_stays_protected_while_its_rest_waits() -> None:
    order = resting(fallback_before=PLAN.expires_at)
    held = PositionReport(SYMBOL, Side.LONG, D(2), D("50000"), at(20), D("50000"))
    half = report(order, open=False, filled=D(2), average_price=D("50000"))
    shown = seen(at(45), half, mark=None, positions=(held,))
    result = followed(book(order), shown, at(45))
    assert [position.size for position in result.book.positions] == [2]
    waiting = waiting_rest(result.book, at(45))
    assert waiting is not None
    assert (waiting.filled, waiting.status) == (2, OrderStatus.CANCELLED)
