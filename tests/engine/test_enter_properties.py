"""Whatever the contract, the book, the account and the profile: money is never risked beyond the budget."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from apps.engine.enter.exit_price import stop_price, target_price
from apps.engine.enter.observation import Market
from apps.engine.enter.sizing import sizing
from apps.engine.profile import EntrySettings
from apps.engine.values.contract import Contract
from apps.engine.values.plan import OrderPlan, Sizing
from apps.engine.values.position import Bracket, FeeRates, Quote, Side
from apps.engine.values.reason import Refusal
from apps.engine.values.tick import round_down, round_up
from apps.engine.values.timeframe import Timeframe
from tests.engine.trade_builder import (
    NOW,
    SYMBOL,
    D,
    account,
    contract,
    entry_of,
    observation,
    plan_or_refusal,
    profile,
    state,
    verdict,
)
from tests.examples import examples

TICKS = st.sampled_from([D("0.05"), D("0.5"), D(5), D("1e-8"), D("0.1"), D("0.0001"), D("0.25"), D("3e-7")])
SIDES = st.sampled_from(Side)
PROFILE = profile(spread_guard_bps=1000.0, atr_k=1.0)


def decimals(low: str, high: str, places: int = 4) -> st.SearchStrategy[Decimal]:
    return st.decimals(D(low), D(high), places=places, allow_nan=False)


@dataclass(frozen=True)
class Case:
    contract: Contract
    quote: Quote
    entry: EntrySettings
    equity: Decimal
    brackets: tuple[Bracket, ...]


@st.composite
def entries(draw: st.DrawFn) -> EntrySettings:
    return entry_of(
        risk_pct=float(draw(decimals("0.01", "5", 2))),
        margin_pct=float(draw(decimals("0.5", "100", 1))),
        atr_k=float(draw(decimals("0.1", "10", 1))),
        r_multiple=float(draw(decimals("0.5", "20", 1))),
        max_stop_pct=float(draw(decimals("1", "20", 1))),
        stop_slippage_bps=float(draw(decimals("0", "100", 1))),
        spread_guard_bps=1000.0,
        liquidation_min_ratio=float(draw(decimals("1", "20", 1))),
        exchange_cap=draw(st.integers(1, 200)),
        stop_from=draw(st.sampled_from(["atr", "pivot"])),
        pivot_sl_policy=draw(st.sampled_from(["nearest", "strongest", "s3", "pivot", "r2"])),
    )


@st.composite
def cases(draw: st.DrawFn) -> Case:
    tick = draw(TICKS)
    step = draw(st.sampled_from([D(1), D("0.1"), D(10), D("0.001")]))
    bid = tick * draw(st.integers(200, 10_000_000))
    ask = bid + tick * draw(st.integers(1, 20))
    most = step * draw(st.integers(1, 10_000_000))
    traded = contract(
        tick_size=tick,
        volume_step=step,
        min_volume=step,
        max_volume=most,
        market_max_volume=step * draw(st.integers(1, 10_000_000)),
        contract_size=draw(st.sampled_from([D("0.00001"), D("0.001"), D(1), D(10), D(100_000)])),
        max_leverage=D(draw(st.integers(1, 150))),
    )
    ratio = draw(decimals("0.001", "0.1", 3))
    brackets = (
        Bracket(D(50_000), draw(st.integers(1, 150)), ratio, D(0)),
        Bracket(D(10) ** 12, draw(st.integers(1, 50)), ratio * 2, D(100)),
    )
    book = Quote(SYMBOL, bid, ask, (bid + ask) / 2, bid, NOW)
    return Case(traded, book, draw(entries()), draw(decimals("1", "1000000", 2)), brackets)


def market_of(case: Case) -> Market:
    return Market(case.contract, case.brackets, case.quote, account(str(case.equity)), D("0.0006"))


def sized(case: Case, side: Side, stop_ratio: Decimal) -> tuple[Decimal, Decimal, Sizing]:
    price = case.quote.bid if side == Side.LONG else case.quote.ask
    sign = 1 if side == Side.LONG else -1
    stop = price * (1 - sign * stop_ratio)
    result = sizing(market_of(case), case.entry, price, stop, case.entry.exchange_cap)
    assume(isinstance(result, Sizing))
    assert isinstance(result, Sizing)
    return price, stop, result


@settings(max_examples=examples(150), deadline=None)
@given(cases(), SIDES, decimals("0.005", "0.2"))
def test_the_loss_at_the_stop_with_fees_and_slippage_never_exceeds_the_budget(
    case: Case, side: Side, stop_ratio: Decimal
) -> None:
    price, stop, result = sized(case, side, stop_ratio)
    costs = Fraction(price) * (Fraction(2 * 6, 10_000) + Fraction(case.entry.stop_slippage_bps) / 10_000)
    loss = (abs(Fraction(price) - Fraction(stop)) + costs) * Fraction(case.contract.contract_size)
    budget = Fraction(case.equity) * Fraction(case.entry.risk_pct) / 100
    assert loss * Fraction(result.size) <= budget
    assert result.risk <= result.risk_budget


@settings(max_examples=examples(150), deadline=None)
@given(cases(), SIDES, decimals("0.005", "0.2"))
def test_a_size_is_whole_steps_within_every_limit_and_its_margin_is_there(
    case: Case, side: Side, stop_ratio: Decimal
) -> None:
    price, _, result = sized(case, side, stop_ratio)
    traded = case.contract
    assert result.size % traded.volume_step == 0
    assert traded.min_volume <= result.size <= min(traded.max_volume, traded.market_max_volume)
    assert result.notional == result.size * price * traded.contract_size
    assert result.notional <= result.leverage * min(
        case.equity * case.entry.margin_pct / 100, D("0.95") * case.equity
    ) * (1 + D("1e-24"))
    assert 1 <= result.leverage <= min(traded.max_leverage, case.entry.exchange_cap)


@settings(max_examples=examples(150), deadline=None)
@given(cases(), SIDES, decimals("0.005", "0.2"))
def test_liquidation_is_farther_than_the_stop_by_the_profile_s_ratio(
    case: Case, side: Side, stop_ratio: Decimal
) -> None:
    price, stop, result = sized(case, side, stop_ratio)
    bracket = next(each for each in case.brackets if result.notional <= each.notional_cap)
    distance = Fraction(price) * (
        Fraction(1, result.leverage) - Fraction(bracket.maintenance_ratio) - Fraction(6, 10_000)
    )
    assert distance >= Fraction(case.entry.liquidation_min_ratio) * abs(Fraction(price) - Fraction(stop)) * (
        1 - Fraction(1, 10**24)
    )


@settings(max_examples=examples(150), deadline=None)
@given(cases(), SIDES, decimals("0.0001", "0.05"), st.lists(decimals("0.9", "1.1"), max_size=6))
def test_stops_are_rounded_away_targets_toward_and_both_lie_on_ticks(
    case: Case, side: Side, atr_ratio: Decimal, pivots: list[Decimal]
) -> None:
    tick, sign = case.contract.tick_size, (1 if side == Side.LONG else -1)
    price = case.quote.bid if side == Side.LONG else case.quote.ask
    levels = {f"{'s' if ratio < 1 else 'r'}{n + 1}": price * ratio for n, ratio in enumerate(pivots)}
    stop = stop_price(price, side, case.entry, price * atr_ratio, levels, case.quote, tick)
    assume(not isinstance(stop, Refusal))
    assert not isinstance(stop, Refusal)
    assert stop.price % tick == 0
    distance = sign * (price - stop.price)
    assert distance >= max(price * D("0.005"), 3 * tick, 3 * (case.quote.ask - case.quote.bid))
    assert distance <= price * case.entry.max_stop_pct / 100 + tick
    if stop.source == "atr":
        assert distance >= case.entry.atr_k * price * atr_ratio
    target = target_price(price, stop.price, side, case.entry, levels, tick)
    assume(not isinstance(target, Refusal))
    assert not isinstance(target, Refusal)
    assert target.price % tick == 0
    assert sign * (target.price - price) > 0
    if target.source == "r_multiple":
        assert sign * (target.price - price) <= case.entry.r_multiple * distance


@settings(max_examples=examples(100), deadline=None)
@given(cases(), SIDES, decimals("0.99", "1.01"), decimals("0.0001", "0.05"))
def test_a_plan_s_prices_are_on_ticks_inside_the_zone_and_never_cross_the_book(
    case: Case, side: Side, anchor: Decimal, atr: Decimal
) -> None:
    mid, tick = case.quote.mid, case.contract.tick_size
    numbers = {"sma21": float(mid * anchor), "atr": float(mid * atr)}
    planned = plan_or_refusal(
        verdict(side),
        PROFILE,
        observation(
            contract=case.contract,
            quote=case.quote,
            account=account("1000000"),
            brackets=(Bracket(D(10) ** 15, 100, D("0.005"), D(0)),),
            features={Timeframe.M1: numbers, Timeframe.M5: numbers},
            fees=FeeRates(D("0.0002"), D("0.0006")),
        ),
        state(),
        NOW,
    )
    assume(isinstance(planned, OrderPlan))
    assert isinstance(planned, OrderPlan)
    assert all(
        price % tick == 0
        for price in (planned.entry, planned.stop, planned.target, planned.zone.low, planned.zone.high)
    )
    assert planned.zone.low <= planned.entry <= planned.zone.high
    assert planned.entry < case.quote.ask if side == Side.LONG else planned.entry > case.quote.bid
    ordered = (planned.stop, planned.entry, planned.target)
    assert ordered == tuple(sorted(ordered, reverse=side == Side.SHORT))


@pytest.mark.parametrize("step", ["0.05", "0.5", "5", "1e-8", "3e-7"])
@given(value=decimals("0", "1000000", 8))
def test_rounding_to_a_grid_is_exact(step: str, value: Decimal) -> None:
    lower, upper = round_down(value, D(step)), round_up(value, D(step))
    assert lower % D(step) == 0 == upper % D(step)
    assert lower <= value <= upper
    assert upper - lower in (0, D(step))
