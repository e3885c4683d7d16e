"""The cycle, `evaluate → enter → follow`: the only code that decides and trades through ports.

The same for live, paper and backtest. `evaluate` judges every symbol by every profile at one minute;
`replay` judges one symbol at every minute of its past. `enter` takes one verdict to a plan, a claim and an
order. `follow` decides what was read back of one symbol means; `perform` does what must be done about it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from apps.engine import events
from apps.engine.enter.entry_price import ZoneRefusal
from apps.engine.enter.observation import Observation
from apps.engine.enter.plan import make_plan, remake_plan
from apps.engine.evaluate.judgement import evaluate, replay
from apps.engine.evaluate.verdict import Verdict
from apps.engine.follow.action import Action, CancelOrder, Close, Protect, Unprotect
from apps.engine.follow.symbol import COOLDOWN, cooldown_event, follow
from apps.engine.ports import (
    Broker,
    BrokerRateLimited,
    BrokerRejected,
    BrokerUnavailable,
    BrokerUnknown,
    Ledger,
)
from apps.engine.profile import Profile
from apps.engine.values.account import AccountState
from apps.engine.values.book import TrackedOrder
from apps.engine.values.errors import TradingError
from apps.engine.values.order import OrderStatus, decision_key
from apps.engine.values.plan import OrderPlan
from apps.engine.values.reason import Reason, Refusal

__all__ = [
    "EntryResult",
    "LastCheck",
    "SendResult",
    "enter",
    "evaluate",
    "follow",
    "perform",
    "replay",
    "send",
]

MAX_ATTEMPTS = 3
"""Only what the exchange asks to be tried again is: each time as a new order under a new id."""

LastCheck = Callable[[OrderPlan], Refusal | None]
"""Called right before the bytes leave: `guards.send_refusal` with that moment's clock and switches."""


@dataclass(frozen=True, slots=True)
class SendResult:
    """How the last attempt ended: SUBMITTED, UNKNOWN, REJECTED, or DENIED with a reason."""

    order: TrackedOrder
    reason: Reason | None = None
    detail: str = ""


@dataclass(frozen=True, slots=True)
class EntryResult:
    """A claimed plan, and how far it came; `sent` None: it waits for a person."""

    plan: OrderPlan
    sent: SendResult | None


class SendRefused(TradingError):
    """The last check said no: nothing was sent. It passes through the broker and ends here."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(f"{refusal.reason} {dict(refusal.numbers)}")
        self.refusal = refusal


def enter(
    verdict: Verdict,
    profile: Profile,
    observation: Observation,
    *,
    broker: Broker,
    ledger: Ledger,
    last_check: LastCheck,
    now: datetime,
    approved: OrderPlan | None = None,
    state: AccountState | None = None,
) -> EntryResult | Refusal:
    """Plan, claim, set the leverage, send with stop and target attached; every step recorded.

    `approved` is the plan a person approved: it is made again from now's observation and must not be worse.
    `state`: what the ledger said a moment ago, where it was read already; the claim asks again in any case.
    What the ledger raises goes through: before the claim nothing happened, after it the order is in doubt and
    is followed as such.
    """
    state = state or ledger.state([verdict.symbol], now)
    if approved is None:
        plan = make_plan(verdict, profile, observation, state, now)
    else:
        plan = remake_plan(approved, verdict, profile, observation, state, now)
    if isinstance(plan, Refusal):
        ledger.record(_refusal_events(plan, verdict, profile, observation, now))
        return plan
    claimed = ledger.claim(plan, now)
    if isinstance(claimed, Refusal):
        ledger.record(_refusal_events(claimed, verdict, profile, observation, now))
        return claimed

    happened: list[events.Event] = [
        events.PlanMade(symbol=plan.symbol, at=now, plan=plan),
        events.PlanClaimed(symbol=plan.symbol, at=now, plan=plan, status=claimed.status),
    ]
    if claimed.status == OrderStatus.PENDING_REVIEW:
        ledger.record(happened)
        return EntryResult(plan, None)
    order = TrackedOrder.of(plan)
    ledger.record([*happened, events.OrderSubmitted(symbol=plan.symbol, at=now, order=order)])
    leverage_set = claimed.leverage == plan.leverage
    sent = send(plan, broker=broker, ledger=ledger, last_check=last_check, leverage_set=leverage_set, now=now)
    return EntryResult(plan, sent)


def send(
    plan: OrderPlan,
    *,
    broker: Broker,
    ledger: Ledger,
    last_check: LastCheck,
    leverage_set: bool,
    now: datetime,
) -> SendResult:
    """Send the order of a claimed plan; recorded before this returns.

    An order is only ever sent again, under a new id, when the exchange confirmed that the last one was
    refused and may be tried again. The symbol stays locked whatever happens: following it lets go.
    """
    order = TrackedOrder.of(plan)
    if not leverage_set:
        try:
            broker.set_leverage(plan.symbol, plan.leverage)
        except (BrokerRejected, BrokerUnknown, BrokerUnavailable) as error:
            result = _denied(order, Reason.LEVERAGE_NOT_SET, str(error))
            ledger.record(_send_events(result, now))
            return result

    for attempt in range(1, MAX_ATTEMPTS + 1):
        result, try_again = _attempt(plan, order, broker, last_check)
        if not try_again:
            ledger.record(_send_events(result, now))
            return result
        if attempt < MAX_ATTEMPTS:
            order = TrackedOrder.of(plan, attempt)
            again = events.OrderSubmitted(symbol=plan.symbol, at=now, order=order)
            # In one transaction: a symbol without a living order would be released in between.
            ledger.record([*_send_events(result, now), again])
    result = replace(result, reason=Reason.ALL_ATTEMPTS_FAILED)
    ledger.record(_send_events(result, now))
    return result


def perform(action: Action, *, broker: Broker, now: datetime) -> tuple[events.CallFailed, ...]:
    """Do it at the exchange. That it worked is read back later; a fault is only told: it comes up again."""
    try:
        match action:
            case CancelOrder(symbol, client_order_id):
                broker.cancel(symbol, client_order_id)
            case Protect(symbol, side, kind, trigger_price, client_order_id):
                broker.protect(symbol, side, kind, trigger_price, client_order_id)
            case Unprotect(symbol, exchange_order_id):
                broker.unprotect(symbol, exchange_order_id)
            case Close(request):
                symbol = request.symbol
                broker.submit(request)
    except (BrokerRejected, BrokerUnknown, BrokerUnavailable) as error:
        call = type(action).__name__
        return (events.CallFailed(symbol=symbol, at=now, call=call, detail=str(error)),)
    return ()


def _refusal_events(
    refusal: Refusal, verdict: Verdict, profile: Profile, observation: Observation, now: datetime
) -> list[events.Event]:
    side, timeframe, opened_at = verdict.side, verdict.execution_timeframe, verdict.candle_open_at
    key = ""
    if side is not None and timeframe is not None and opened_at is not None:
        key = decision_key(profile.name, verdict.symbol, timeframe, opened_at, side)
    refused = events.PlanRefused(
        symbol=verdict.symbol,
        at=now,
        profile=profile.name,
        side=side,
        timeframe=timeframe,
        decision_key=key,
        reason=refusal.reason,
        numbers=refusal.numbers,
    )
    if not isinstance(refusal, ZoneRefusal):
        return [refused]
    assert side is not None
    assert timeframe is not None
    assert observation.quote is not None
    skipped = events.ZoneSkipped(
        symbol=verdict.symbol,
        at=now,
        profile=profile.name,
        side=side,
        timeframe=timeframe,
        decision_key=key,
        reason=refusal.reason,
        zone=refusal.zone,
        candidate=refusal.candidate,
        deviation_pct=refusal.deviation_pct,
        limit_pct=refusal.limit_pct,
        spread_bps=observation.quote.spread_bps,
        volume_ratio=observation.number(timeframe, "volume_ratio"),
        category=refusal.category,
    )
    return [refused, skipped]


def _attempt(
    plan: OrderPlan, order: TrackedOrder, broker: Broker, last_check: LastCheck
) -> tuple[SendResult, bool]:
    """Send once: how it ended, and whether the exchange asks for another attempt."""

    def before_sending() -> None:
        refusal = last_check(plan)
        if refusal is not None:
            raise SendRefused(refusal)

    try:
        exchange_order_id = broker.submit(plan.request(order.client_order_id), before_sending)
    except SendRefused as error:
        return _denied(order, error.refusal.reason, str(error)), False
    except BrokerRateLimited as error:
        return _denied(order, Reason.RATE_LIMITED, str(error)), False
    except BrokerUnavailable as error:
        return _denied(order, Reason.VENUE_UNREACHABLE, str(error)), False
    except BrokerUnknown as error:
        return SendResult(replace(order, status=OrderStatus.UNKNOWN), None, str(error)), False
    except BrokerRejected as error:
        rejected = SendResult(replace(order, status=OrderStatus.REJECTED), None, str(error))
        return rejected, error.try_again
    accepted = replace(order, status=OrderStatus.SUBMITTED, exchange_order_id=exchange_order_id)
    return SendResult(accepted), False


def _denied(order: TrackedOrder, reason: Reason, detail: str) -> SendResult:
    return SendResult(replace(order, status=OrderStatus.DENIED), reason, detail)


def _send_events(result: SendResult, now: datetime) -> list[events.Event]:
    order, symbol, detail = result.order, result.order.symbol, result.detail
    if order.status == OrderStatus.DENIED and result.reason is not None:
        return [events.OrderDenied(symbol=symbol, at=now, order=order, detail=detail, reason=result.reason)]
    if order.status == OrderStatus.REJECTED:
        return [events.OrderRejected(symbol=symbol, at=now, order=order, detail=detail)]
    kind = events.OrderUnknown if order.status == OrderStatus.UNKNOWN else events.OrderAcknowledged
    pause = cooldown_event(symbol, order.decision_key, now, COOLDOWN, "submitted")
    return [kind(symbol=symbol, at=now, order=order, detail=detail), pause]
