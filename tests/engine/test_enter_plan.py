"""From a READY verdict to a plan, or to the exact reason why there is none."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from apps.engine.enter.guards import send_refusal
from apps.engine.values.account import AccountLimits, Exposure, SymbolState
from apps.engine.values.order import Role, TimeInForce, client_order_id
from apps.engine.values.plan import Bound, OrderPlan
from apps.engine.values.position import Bracket, Side
from apps.engine.values.reason import Reason, Refusal
from apps.engine.values.timeframe import Timeframe
from tests.engine.trade_builder import (
    NOW,
    OPENED,
    SYMBOL,
    D,
    account,
    at,
    contract,
    features,
    observation,
    plan_or_refusal,
    planned,
    profile,
    quote,
    state,
    verdict,
)


def refused(
    *, entry: Any = None, of: Any = None, books: Any = None, now: Any = NOW, **changes: Any
) -> Refusal:
    outcome = plan_or_refusal(
        of or verdict(), entry or profile(), observation(**changes), books or state(), now
    )
    assert isinstance(outcome, Refusal), outcome
    return outcome


def test_a_plan_holds_every_number_that_led_to_it() -> None:
    plan = planned()
    assert plan.decision_key == "scalper_micro|BTCUSDT|1m|2026-03-02T09:59:00Z|long"
    assert plan.client_order_id.startswith("tv3e")
    assert len(plan.client_order_id) == 32
    assert (plan.zone.low, plan.zone.high) == (D("49958.0"), D("50042.0"))  # 50,000 ∓ 0.35 × 120
    assert (plan.zone.anchor_name, plan.zone.expires_at) == ("sma21", at(180))
    assert plan.entry == D("50000.0")
    assert (plan.stop, plan.stop_source) == (D("49750.0"), "minimum_distance")  # 4 × 40 = 160 is below 0.5 %
    assert (plan.target, plan.target_source) == (D("50450.0"), "r_multiple")
    # 5 USDT / ((250 + 50,000 × 0.0017) × 0.001) = 14.93 contracts
    assert (plan.size, plan.sizing.bound) == (D(14), Bound.RISK)
    assert (plan.sizing.risk, plan.sizing.risk_budget) == (D("4.690"), D(5))
    assert (plan.sizing.notional, plan.leverage, plan.sizing.margin) == (D(700), 7, D(100))
    assert plan.expected_r_net == (D(450) - D(60)) / (D(250) + D(60))
    assert (plan.created_at, plan.send_before, plan.expires_at) == (NOW, at(10), at(60))
    assert (plan.limits.daily_loss, plan.limits.max_concurrent_positions) == (D(25), 3)


@pytest.mark.parametrize(
    ("changes", "size", "bound"),
    [
        ({"brackets": (Bracket(D(320), 50, D("0.005"), D(0)),)}, D(6), Bound.BRACKET),
        ({"contract": contract(market_max_volume=D(0))}, D(14), Bound.RISK),
        ({"contract": contract(market_max_volume=D(5))}, D(5), Bound.MARKET_MAX_VOLUME),
    ],
)
def test_what_is_too_large_for_the_exchange_shrinks_and_no_maximum_is_none(
    changes: dict[str, Any], size: Decimal, bound: Bound
) -> None:
    plan = planned(**changes)
    assert (plan.size, plan.sizing.bound) == (size, bound)


def test_its_request_carries_stop_and_target_with_the_order() -> None:
    plan = planned(Side.SHORT)
    request = plan.request(plan.client_order_id)
    assert (request.opens, request.time_in_force) == (True, TimeInForce.GTC)
    assert (request.price, request.stop_price, request.target_price) == (plan.entry, plan.stop, plan.target)
    assert (request.size, request.leverage, request.side) == (plan.size, plan.leverage, Side.SHORT)
    assert plan.target < plan.entry < plan.stop


def test_the_same_decision_is_called_the_same_whenever_it_is_planned() -> None:
    later = plan_or_refusal(verdict(), profile(), observation(quote=quote(at=at(30))), state(), at(30))
    assert isinstance(later, OrderPlan)
    assert (later.decision_key, later.client_order_id) == (planned().decision_key, planned().client_order_id)
    other = planned(Side.SHORT)
    assert other.client_order_id != later.client_order_id
    assert client_order_id(Role.ENTRY, later.decision_key, attempt=1) != later.client_order_id


HELD = Exposure("k", "scalper_micro", "ETHUSDT", Side.LONG, D(100), D(1))

REFUSALS: list[tuple[Reason, dict[str, Any]]] = [
    (Reason.MTF_NOT_READY, {"of": verdict(is_ready=False)}),
    (Reason.MISSING_EXECUTION_TF, {"of": verdict(execution_timeframe=None)}),
    (Reason.MISSING_EXECUTION_TF, {"of": verdict(candle_open_at=None)}),
    (Reason.UNSUPPORTED_EXECUTION_TF, {"of": verdict(execution_timeframe=Timeframe.D1)}),
    (Reason.EXECUTION_TF_NOT_ALLOWED, {"of": verdict(execution_timeframe=Timeframe.H1)}),
    (Reason.EXECUTION_TF_NOT_ALLOWED, {"entry": profile().model_copy(update={"entry": None})}),
    (Reason.MISSING_SIGNAL_SIDE, {"of": verdict(side=None)}),
    (Reason.SIGNAL_TOO_OLD, {"now": OPENED + timedelta(seconds=121)}),
    (Reason.KILL_SWITCH_UNREADABLE, {"books": state(off=None)}),
    (Reason.KILL_SWITCH_GLOBAL, {"books": state(off={"GLOBAL": "stop"})}),
    (Reason.KILL_SWITCH_PROFILE, {"books": state(off={"PROFILE:scalper_micro": "stop"})}),
    (Reason.KILL_SWITCH_SYMBOL, {"books": state(off={"SYMBOL:BTCUSDT": "stop"})}),
    (Reason.KILL_SWITCH_SYMBOL_TF, {"books": state(off={"SYMBOL_TF:BTCUSDT:5m": "context"})}),
    (Reason.NOT_RECONCILED, {"books": state(reconciled=False)}),
    (Reason.VENUE_UNHEALTHY, {"books": state(unhealthy="clock 4 s off")}),
    (
        Reason.DUPLICATE_DECISION,
        {
            "books": state(
                symbols={
                    SYMBOL: SymbolState(
                        consumed=frozenset({"scalper_micro|BTCUSDT|1m|2026-03-02T09:59:00Z|long"})
                    )
                }
            )
        },
    ),
    (Reason.SYMBOL_STATE_UNKNOWN, {"books": state(symbols={SYMBOL: SymbolState(unknown=True)})}),
    (Reason.SYMBOL_LOCKED, {"books": state(symbols={SYMBOL: SymbolState(locked_by="another")})}),
    (Reason.HAS_OPEN_ORDERS_OR_POSITIONS, {"books": state(symbols={SYMBOL: SymbolState(occupied=True)})}),
    (Reason.COOLDOWN_ACTIVE, {"books": state(symbols={SYMBOL: SymbolState(cooldown_until=at(1))})}),
    (Reason.CONTRACT_SPECS_UNAVAILABLE, {"contract": None}),
    (Reason.CONTRACT_SPECS_UNAVAILABLE, {"brackets": ()}),
    (Reason.CONTRACT_NOT_TRADABLE, {"contract": contract(status="Delisted")}),
    (Reason.ORDER_BOOK_INCOMPLETE, {"quote": None}),
    (Reason.MISSING_PRICE_AND_ATR, {"quote": None, "features": features(atr=None)}),
    (Reason.BUDGET_UNAVAILABLE, {"account": None}),
    (Reason.BUDGET_UNAVAILABLE, {"account": account("0", position_margin=D(900))}),
    (Reason.QUOTE_STALE, {"quote": quote(at=at(-3.1))}),
    (Reason.ENTRY_PRICE_IMPLAUSIBLE, {"quote": quote(mark="51100")}),
    (Reason.SPREAD_TOO_WIDE, {"quote": quote("49980", "50020")}),
    (Reason.ENTRY_ZONE_UNAVAILABLE, {"features": features(sma21=None, vwap=None)}),
    (Reason.ENTRY_ZONE_UNAVAILABLE, {"features": features() | {Timeframe.M5: {"atr": float("nan")}}}),
    (Reason.ENTRY_ZONE_UNAVAILABLE, {"features": features() | {Timeframe.M5: {"atr": 0.0}}}),
    (Reason.ZONE_FAR_FROM_MARKET, {"features": features(sma21=51_000.0)}),
    (Reason.ENTRY_NOT_WITHIN_ZONE, {"features": features(sma21=50_300.0)}),
    (Reason.ATR_REQUIRED_BUT_INVALID, {"features": features(atr=None)}),
    (Reason.ATR_REQUIRED_BUT_INVALID, {"features": features(atr=0.0)}),
    (Reason.STOP_TOO_FAR, {"features": features(atr=700.0)}),
    (Reason.RISK_USDT_ZERO, {"account": account("0")}),
    (Reason.SIZE_BELOW_MIN_VOLUME, {"contract": contract(min_volume=D(15))}),
    (Reason.SIZE_BELOW_MIN_VOLUME, {"account": account("50")}),
    (Reason.LEVERAGE_OUT_OF_RANGE, {"contract": contract(min_leverage=D(30))}),
    (Reason.LEVERAGE_BELOW_THRESHOLD, {"entry": profile(skip_at_or_below=7)}),
    (Reason.LIQUIDATION_TOO_CLOSE, {"brackets": (Bracket(D(10_000), 50, D("0.999"), D(0)),)}),
    (Reason.MAX_CONCURRENT_POSITIONS_REACHED, {"books": state(exposures=(HELD,) * 3)}),
    (
        Reason.MAX_CONCURRENT_POSITIONS_REACHED,
        {"books": state(exposures=(replace(HELD, profile="x"),), limits=AccountLimits(max_positions=1))},
    ),
    (Reason.DAILY_LOSS_LIMIT_REACHED, {"books": state(lost_today={"scalper_micro": D("20.4")})}),
    (Reason.DAILY_LOSS_LIMIT_REACHED, {"books": state(lost_today={"other": D("55.4")})}),
    (
        Reason.DAILY_LOSS_LIMIT_REACHED,
        {"books": state(exposures=(replace(HELD, risk=D("20.4")),), lost_today={"scalper_micro": D(-9)})},
    ),
    (Reason.MAX_DRAWDOWN_REACHED, {"books": state(peak_equity=D("1176.48"))}),
    (
        Reason.STOPLOSS_STREAK,
        {"books": state(symbols={SYMBOL: SymbolState(stop_streak=(at(-9), at(-6), at(-3)))})},
    ),
    (Reason.STOPLOSS_STREAK, {"books": state(stop_streak=tuple(map(at, range(-6, 0))))}),
    (
        Reason.MAX_TOTAL_NOTIONAL_REACHED,
        {"books": state(exposures=(replace(HELD, notional=D(5301), side=Side.SHORT),))},
    ),
    (Reason.MAX_EXPOSURE_REACHED, {"books": state(exposures=(replace(HELD, notional=D(3301)),))}),
]


@pytest.mark.parametrize(("reason", "case"), REFUSALS, ids=lambda value: str(value)[:60])
def test_each_refusal_names_its_reason(reason: Reason, case: dict[str, Any]) -> None:
    assert refused(**case).reason == reason


PASSES: dict[str, dict[str, Any]] = {
    "the loss limit reached exactly": {"books": state(lost_today={"scalper_micro": D("20.31")})},
    "the age reached exactly": {"now": OPENED + timedelta(seconds=120), "quote": quote(at=at(56))},
    "a cooldown that is over": {"books": state(symbols={SYMBOL: SymbolState(cooldown_until=NOW)})},
    "an other profile's positions": {"books": state(exposures=(replace(HELD, profile="regular"),) * 3)},
    "a spread of one coarse tick": {
        "contract": contract(tick_size=D(50)),
        "quote": quote("49950", "50000", mark="49980"),
    },
    "the drawdown reached exactly": {
        "books": state(peak_equity=D(1250), limits=AccountLimits(drawdown_pct=D(20)))
    },
    "equity at a new peak": {"books": state(peak_equity=D(999), limits=AccountLimits(drawdown_pct=D(0)))},
    "an other symbol's stop losses": {
        "books": state(symbols={"ETHUSDT": SymbolState(stop_streak=(at(-9), at(-6), at(-3)))})
    },
    "stop losses one short of a streak": {
        "books": state(
            symbols={SYMBOL: SymbolState(stop_streak=(at(-9), at(-6)))},
            stop_streak=tuple(map(at, range(-5, 0))),
        )
    },
    "notional reached exactly": {
        "books": state(exposures=(replace(HELD, notional=D(5300), side=Side.SHORT),))
    },
}


@pytest.mark.parametrize("case", PASSES.values(), ids=PASSES)
def test_what_is_just_allowed_is_allowed(case: dict[str, Any]) -> None:
    now, books = case.pop("now", NOW), case.pop("books", state())
    assert isinstance(plan_or_refusal(verdict(), profile(), observation(**case), books, now), OrderPlan)


def test_the_profile_s_fees_stand_in_when_the_exchange_s_are_unknown() -> None:
    dear = profile(fees={"maker": 0.0002, "taker": 0.005})
    known = plan_or_refusal(verdict(), dear, observation(), state(), NOW)
    unknown = plan_or_refusal(verdict(), dear, observation(fees=None), state(), NOW)
    assert isinstance(known, OrderPlan)
    assert isinstance(unknown, OrderPlan)
    assert (known.size, unknown.size) == (D(14), D(6))


def test_right_before_it_leaves_only_the_switches_and_the_clock_count() -> None:
    plan = planned()
    assert send_refusal(plan, {}, at(10)) is None
    refusals = [
        send_refusal(plan, {}, at(10.1)),
        send_refusal(plan, {"GLOBAL": "x"}, NOW),
        send_refusal(plan, None, NOW),
    ]
    assert [refusal and refusal.reason for refusal in refusals] == [
        Reason.SENT_TOO_LATE,
        Reason.KILL_SWITCH_GLOBAL,
        Reason.KILL_SWITCH_UNREADABLE,
    ]


def approved_again(**changes: Any) -> OrderPlan | Refusal:
    plan = planned()
    before = SymbolState(locked_by=plan.decision_key, consumed=frozenset({plan.decision_key}))
    reserved = Exposure(
        plan.decision_key, plan.profile, SYMBOL, Side.LONG, plan.sizing.notional, plan.sizing.risk
    )
    books = state(symbols={SYMBOL: before}, exposures=(reserved,) + (HELD,) * 2)
    now = at(600)
    fresh = observation(**({"quote": quote(at=now)} | changes))
    return plan_or_refusal(verdict(), profile(), fresh, books, now, approved=plan)


def test_an_approved_plan_is_made_again_without_its_own_claim_in_the_way_and_at_any_age() -> None:
    again = approved_again()
    assert isinstance(again, OrderPlan)
    assert (again.decision_key, again.created_at) == (planned().decision_key, at(600))


@pytest.mark.parametrize(
    "worse",
    [
        {"features": features(atr=80.0)},
        {"quote": quote("49970.0", "49970.1", "49970", at=at(600))},
        {"account": account("1200")},
    ],
    ids=["a stop farther out", "a stop lower with the price", "more at risk"],
)
def test_an_approved_plan_that_got_worse_is_refused(worse: dict[str, Any]) -> None:
    again = approved_again(**worse)
    assert isinstance(again, Refusal)
    assert again.reason == Reason.PRICE_MOVED
