"""Scaling in: tranches over the zone under one stop; whichever of them fill, budget and guards hold."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import combinations, pairwise
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from apps.engine.enter.scaling import PricedShare, folded, priced_shares, split_size
from apps.engine.profile import Profile
from apps.engine.values.book import TrackedOrder
from apps.engine.values.order import Role, client_order_id
from apps.engine.values.plan import OrderPlan, Tranche, Zone
from apps.engine.values.position import Bracket, FeeRates, Side
from apps.engine.values.reason import Reason, Refusal
from apps.engine.values.timeframe import Timeframe
from tests.engine.test_enter_properties import Case, cases
from tests.engine.trade_builder import (
    NOW,
    SYMBOL,
    D,
    account,
    contract,
    entry_of,
    observation,
    plan_or_refusal,
    planned,
    profile,
    state,
    verdict,
)
from tests.examples import examples

LONG, SHORT = Side.LONG, Side.SHORT
TICK = D("0.1")
SHARES = (D("0.5"), D("0.3"), D("0.2"))
SPREADS = [(0.5, 0.3, 0.2), (0.2, 0.8), (0.34, 0.33, 0.33), (0.1, 0.1, 0.1, 0.1, 0.6), (0.9, 0.05, 0.05)]
EIGHT = Decimal("1e-24")
"""What 28 digits may round off."""


def zone(low: str, high: str) -> Zone:
    return Zone(D(low), D(high), D(100), "vwap", D(1), NOW + timedelta(seconds=180))


def prices(of: tuple[PricedShare, ...]) -> list[str]:
    return [str(each.price) for each in of]


@pytest.mark.parametrize(
    ("side", "price", "shares", "expected"),
    [
        (LONG, "100.0", SHARES, ["100.0", "99.5", "99.0"]),
        (SHORT, "100.0", SHARES, ["100.0", "100.5", "101.0"]),
        # 100.0, 99.667 and 99.333 between: a buyer's are rounded down, a seller's up
        (LONG, "100.0", (D("0.25"),) * 4, ["100.0", "99.6", "99.3", "99.0"]),
        (SHORT, "100.0", (D("0.25"),) * 4, ["100.0", "100.4", "100.7", "101.0"]),
        (LONG, "100.0", (D(1),), ["100.0"]),
        (LONG, "99.0", SHARES, ["99.0"]),
        (LONG, "99.1", SHARES, ["99.1", "99.0"]),
    ],
)
def test_tranches_rest_evenly_from_the_entry_to_the_far_edge_rounded_away_from_the_market(
    side: Side, price: str, shares: tuple[Decimal, ...], expected: list[str]
) -> None:
    spread = priced_shares(zone("99.0", "101.0"), D(price), side, shares, TICK)
    assert prices(spread) == expected
    assert sum(each.share for each in spread) == 1


def test_shares_that_come_to_lie_on_one_tick_are_one_order() -> None:
    spread = priced_shares(zone("99.0", "101.0"), D("99.1"), LONG, SHARES, TICK)
    assert [(str(each.price), str(each.share)) for each in spread] == [("99.1", "0.5"), ("99.0", "0.5")]


def test_what_the_nearest_have_together_is_rounded_down_so_that_rounding_never_adds_risk() -> None:
    spread = [PricedShare(D(100 - n), share) for n, share in enumerate(SHARES)]
    # of 7: 3.5 → 3, 5.6 → 5, 7
    assert split_size(D(7), spread, D(1)) == (3, 2, 2)
    assert split_size(D(1), spread, D(1)) == (0, 0, 1)


@pytest.mark.parametrize(
    ("number", "expected"),
    [(2, ["100:0.5", "99:0.5"]), (1, ["100:0.8", "98:0.2"]), (0, ["100:0.8", "98:0.2"])],
)
def test_a_share_too_small_for_an_order_goes_to_the_nearer_one(number: int, expected: list[str]) -> None:
    spread = [PricedShare(D(100 - n), share) for n, share in enumerate(SHARES)]
    assert [f"{each.price}:{each.share}" for each in folded(spread, number)] == expected


@pytest.mark.parametrize(
    ("scaling", "fault"),
    [
        ([0.5, 0.3], "sums to 0.8, not 1"),
        ([0.5, 0.3, 0.3], "sums to 1.1, not 1"),
        ([1.2, -0.2], "less than or equal to 1"),
        ([0.5, 0.5, 0], "greater than 0"),
        ([], "at least 1 item"),
        ([0.2, 0.2, 0.2, 0.2, 0.1, 0.1], "at most 5 items"),
        (["0.5", "0.5"], "is not a number"),
    ],
)
def test_shares_are_positive_at_most_five_and_exactly_the_whole(scaling: list[Any], fault: str) -> None:
    with pytest.raises(ValidationError, match=fault):
        entry_of(scaling=scaling)


def test_scaling_is_part_of_what_a_profile_is_and_leaving_it_out_is_not() -> None:
    scaled = profile(scaling=[0.5, 0.3, 0.2])
    content = dict(scaled.content)
    conditions = content.pop("conditions")
    again = Profile.load(content, conditions, scaled.name)
    assert again.entry == scaled.entry
    assert scaled.content["entry"]["scaling"] == [0.5, 0.3, 0.2]
    assert again.digest == scaled.digest != profile().digest
    assert "scaling" not in profile().content["entry"]


@pytest.mark.parametrize("side", Side)
def test_one_share_is_the_single_order_as_it_was(side: Side) -> None:
    single = planned(side)
    by = profile(scaling=[1])
    assert planned(side, by=by) == replace(single, digest=by.digest)
    assert single.scaled == ()
    assert single.tranches == (Tranche(single.entry, single.size, single.sizing.risk),)
    assert single.average_entry is single.entry
    [order] = TrackedOrder.all_of(single)
    assert (order.client_order_id, order.part) == (single.client_order_id, "")


def test_a_long_in_three_by_hand() -> None:
    plan = planned(scaling=(0.5, 0.3, 0.2))
    # zone 49,958 … 50,042; stop: 0.5 % below the farthest, more than four ATR of 40, rounded down
    assert [str(tranche.price) for tranche in plan.tranches] == ["50000.0", "49979.0", "49958.0"]
    assert plan.stop == D("49708.2")
    # one contract of 0.001 loses 0.3768, 0.35576 and 0.33473; by shares 0.36207: 13 in 5 USDT
    assert [tranche.size for tranche in plan.tranches] == [6, 4, 3]
    assert plan.sizing.risk == sum(tranche.risk for tranche in plan.tranches) == D("4.688043")
    assert plan.sizing.notional == D("0.001") * (6 * 50_000 + 4 * 49_979 + 3 * 49_958)
    # 1.8 × (49,983.85 − 49,708.2) above the average, rounded down
    assert plan.target == D("50480.0")
    assert [order.part for order in TrackedOrder.all_of(plan)] == ["1/3", "2/3", "3/3"]
    ids = [order.client_order_id for order in TrackedOrder.all_of(plan)]
    assert ids == [client_order_id(Role.ENTRY, plan.decision_key, tranche=n) for n in range(3)]
    assert ids[0] == plan.client_order_id
    requests = [plan.request(order.client_order_id, order.tranche) for order in TrackedOrder.all_of(plan)]
    assert [(request.price, request.size) for request in requests] == [
        (tranche.price, tranche.size) for tranche in plan.tranches
    ]
    assert {(request.stop_price, request.target_price) for request in requests} == {(plan.stop, plan.target)}


def test_the_risk_of_what_is_filled_is_that_of_the_nearest_first() -> None:
    plan = planned(scaling=(0.5, 0.3, 0.2))
    first, second, _ = plan.tranches
    assert plan.risk_of(D(6)) == first.risk
    assert plan.risk_of(D(8)) == first.risk + second.risk / 2
    assert plan.risk_of(D(13)) == plan.risk_of(D(99)) == plan.sizing.risk


@pytest.mark.parametrize(("equity", "sizes"), [("80", [1]), ("170", [1, 1]), ("240", [1, 1, 1])])
def test_there_are_as_many_tranches_as_the_size_carries(equity: str, sizes: list[int]) -> None:
    plan = planned(scaling=(0.34, 0.33, 0.33), account=account(equity))
    assert [tranche.size for tranche in plan.tranches] == sizes


def test_where_one_contract_fits_it_is_entered_as_without_scaling() -> None:
    by = profile(scaling=[0.34, 0.33, 0.33])
    plan = planned(by=by, account=account("80"))
    single = planned(by=profile(fallback_end_of_zone=None), account=account("80"))
    assert plan == replace(single, digest=by.digest)


def test_a_stop_too_far_from_the_nearest_tranche_is_no_trade() -> None:
    # 0.5 % below the farthest is 0.584 % below the nearest
    by = profile(scaling=[0.5, 0.5], max_stop_pct=0.55)
    refusal = plan_or_refusal(verdict(), by, observation(), state(), NOW)
    assert isinstance(refusal, Refusal)
    assert refusal.reason == Reason.STOP_TOO_FAR
    assert isinstance(
        plan_or_refusal(verdict(), profile(max_stop_pct=0.55), observation(), state(), NOW), OrderPlan
    )


def test_a_target_that_the_nearest_tranche_lies_beyond_is_no_trade() -> None:
    # average 49,962.2 of 50,000 and 49,958: half of its distance to the stop does not reach 50,000
    wide = {"r_multiple": 0.5, "atr_k": 0.1, "scaling": [0.1, 0.9], "zone": WIDE}
    refusal = plan_or_refusal(verdict(), profile(**wide), observation(), state(), NOW)
    assert isinstance(refusal, Refusal)
    assert refusal.reason == Reason.TARGET_INVALID


WIDE = {
    "anchor": "sma21",
    "timeframe": "1m",
    "atr_timeframe": "5m",
    "k_atr": 3,
    "w_min": 0.0005,
    "w_max": 0.02,
    "ttl_s": 180,
}
PROFILES = [
    profile(
        scaling=list(shares),
        zone=WIDE,
        tp1_r=tp1_r,
        spread_guard_bps=1000.0,
        zone_max_deviation_pct=20,
        max_stop_pct=8,
        **exits,
    )
    for shares in SPREADS
    for tp1_r, exits in (
        (0.5, {"atr_k": 1.0}),
        (1.0, {"stop_from": "pivot", "atr_k": 0.2, "liquidation_min_ratio": 1, "exchange_cap": 100}),
        (1.0, {"atr_k": 0.2, "liquidation_min_ratio": 3, "exchange_cap": 100, "margin_pct": 0.5}),
    )
]


@settings(max_examples=examples(300), deadline=None)
@given(
    cases(),
    st.sampled_from(Side),
    st.sampled_from(PROFILES),
    st.decimals(D("0.99"), D("1.01"), places=4),
    st.decimals(D("0.0002"), D("0.02"), places=4),
    st.lists(st.decimals(D("0.97"), D("1.03"), places=3), max_size=4),
)
def test_whichever_tranches_fill_the_budget_and_every_guard_hold(
    case: Case, side: Side, by: Profile, anchor: Decimal, atr: Decimal, pivots: list[Decimal]
) -> None:
    # leverage falls with the notional: that reckoned at the highest price is then the stricter
    assume(case.brackets[0].max_leverage >= case.brackets[1].max_leverage)
    mid = case.quote.mid
    numbers = {"sma21": float(mid * anchor), "atr": float(mid * atr)}
    levels = {f"{'s' if ratio < 1 else 'r'}{n + 1}": float(mid * ratio) for n, ratio in enumerate(pivots)}
    seen = observation(
        contract=case.contract,
        quote=case.quote,
        account=account(str(case.equity)),
        brackets=case.brackets,
        features={Timeframe.M1: numbers, Timeframe.M5: numbers, Timeframe.D1: levels},
        fees=FeeRates(D("0.0002"), D("0.0006")),
    )
    plan = plan_or_refusal(verdict(side), by, seen, state(), NOW)
    assume(isinstance(plan, OrderPlan) and len(plan.tranches) > 1)
    assert isinstance(plan, OrderPlan)
    entry = by.entry
    assert entry is not None
    traded, sign, tranches = case.contract, 1 if side == LONG else -1, plan.tranches

    # each rests inside the zone, farther from the market than the one before, on a tick; all make the size
    assert all(sign * (one.price - other.price) > 0 for one, other in pairwise(tranches))
    assert all(plan.zone.low <= each.price <= plan.zone.high for each in tranches)
    assert all(each.price % traded.tick_size == 0 for each in tranches)
    assert all(each.size % traded.volume_step == 0 for each in tranches)
    assert all(each.size >= traded.min_volume for each in tranches)
    assert sum(each.size for each in tranches) == plan.size
    assert plan.size <= min(traded.max_volume, traded.market_maximum)
    assert tranches[0].price == plan.entry
    crosses = plan.entry >= case.quote.ask if side == LONG else plan.entry <= case.quote.bid
    assert not crosses

    # money: exactly, all filled together at the stop; and every part of it less
    coins, costs = Fraction(traded.contract_size), Fraction(12 + Fraction(entry.stop_slippage_bps)) / 10_000

    def loss(some: tuple[Tranche, ...]) -> Fraction:
        return sum(
            (abs(Fraction(each.price) - Fraction(plan.stop)) + Fraction(each.price) * costs)
            * Fraction(each.size)
            * coins
            for each in some
        )

    budget = Fraction(case.equity) * Fraction(entry.risk_pct) / 100
    assert loss(tranches) <= budget
    assert abs(loss(tranches) - Fraction(plan.sizing.risk)) <= budget * Fraction(EIGHT)
    assert plan.sizing.risk == sum(each.risk for each in tranches)
    notional = sum(Fraction(each.price) * Fraction(each.size) * coins for each in tranches)
    assert abs(notional - Fraction(plan.sizing.notional)) <= notional * Fraction(EIGHT)
    margin = min(case.equity * entry.margin_pct / 100, D("0.95") * case.equity)
    assert notional <= plan.leverage * Fraction(margin) * (1 + Fraction(EIGHT))
    bracket = next(each for each in case.brackets if plan.sizing.notional <= each.notional_cap)
    assert plan.leverage <= min(bracket.max_leverage, traded.max_leverage, entry.exchange_cap)

    # distances: of every part of the tranches, by its average price
    least = max(3 * traded.tick_size, 3 * (case.quote.ask - case.quote.bid))
    for count in range(1, len(tranches) + 1):
        for some in combinations(tranches, count):
            size = sum((each.size for each in some), D(0))
            price = sum(Fraction(each.price) * Fraction(each.size) for each in some) / Fraction(size)
            distance = sign * (price - Fraction(plan.stop))
            assert distance >= max(price * Fraction(1, 200), Fraction(least)) * (1 - Fraction(EIGHT))
            assert distance <= price * Fraction(entry.max_stop_pct) / 100 + Fraction(traded.tick_size)
            room = Fraction(1, plan.leverage) - Fraction(bracket.maintenance_ratio) - Fraction(6, 10_000)
            assert price * room >= Fraction(entry.liquidation_min_ratio) * distance * (1 - Fraction(EIGHT))
            assert loss(some) <= budget
            assert sign * (Fraction(plan.target) - price) > 0
            if plan.exits.first_target is not None:
                assert sign * (Fraction(plan.exits.first_target) - price) > 0
                assert sign * (plan.target - plan.exits.first_target) > 0


@settings(max_examples=200, deadline=None)
@given(
    st.sampled_from(SPREADS),
    st.decimals(D(0), D(100_000), places=3),
    st.sampled_from([D(1), D("0.1"), D(10), D("0.001")]),
)
def test_a_split_is_all_of_the_size_and_never_nearer_to_the_market_than_the_shares(
    shares: tuple[float, ...], size: Decimal, step: Decimal
) -> None:
    spread = [PricedShare(D(1000 - n), D(str(share))) for n, share in enumerate(shares)]
    sizes = split_size(size, spread, step)
    assert sum(sizes) == size // step * step
    assert all(each % step == 0 for each in sizes)
    together, share = D(0), D(0)
    for of_it, each in zip(sizes, spread, strict=True):
        together, share = together + of_it, share + each.share
        assert size * share - step < together <= size * share


@pytest.mark.parametrize("side", Side)
def test_margin_and_liquidation_are_reckoned_by_the_tranche_that_needs_most(side: Side) -> None:
    by = profile(scaling=[0.1, 0.9], exchange_cap=100, margin_pct=0.5)
    plan = planned(side, by=by, contract=contract(volume_step=D("0.001"), min_volume=D("0.001")))
    # 3 × the nearest one's stop of 0.5836 % (a short's 0.5845) + 0.5 + 0.06: 43 times; by the farthest 48
    assert plan.leverage == 43
    # of 5 USDT of margin; a short's farther tranches are worth more
    assert D("214.8") < plan.sizing.notional <= 43 * 5


def test_a_bracket_is_chosen_by_what_all_tranches_are_worth() -> None:
    brackets = (Bracket(D(649), 50, D("0.005"), D(0)), Bracket(D(10**9), 5, D("0.01"), D(0)))
    # 13 contracts of 0.001 at up to 50,000 are 650
    plan = planned(scaling=(0.5, 0.3, 0.2), brackets=brackets, contract=contract())
    assert plan.leverage <= 5
    assert plan.symbol == SYMBOL
