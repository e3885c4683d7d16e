"""From a verdict to a plan, a claim and an order: recorded at every step, sent at most once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from apps.engine import events
from apps.engine.enter import guards
from apps.engine.enter.entry_price import ZoneRefusal
from apps.engine.enter.observation import Observation
from apps.engine.enter.plan import EntryDecision, make_plan
from apps.engine.evaluate.verdict import Verdict
from apps.engine.follow.symbol import COOLDOWN, cooldown_event
from apps.engine.ports.account import (
    Broker,
    BrokerRateLimited,
    BrokerRejected,
    BrokerUnavailable,
    BrokerUnknown,
    Ledger,
)
from apps.engine.ports.clock import Clock
from apps.engine.values.book import TrackedOrder
from apps.engine.values.errors import TradingError
from apps.engine.values.order import OrderStatus, decision_key
from apps.engine.values.plan import OrderPlan
from apps.engine.values.reason import Reason, Refusal

MAX_ATTEMPTS = 3
"""Only what the exchange asks to be tried again is: each time as a new order under a new id."""

LastCheck = Callable[[OrderPlan], Refusal | None]
"""Called right before the bytes leave: `guards.send_refusal` with that moment's clock and switches."""


@dataclass(frozen=True, slots=True)
class SendResult:
    """How the last attempt ended: SUBMITTED, UNKNOWN, REJECTED, or DENIED with a reason.

    Of the nearest tranche; `further`: of the others, in order.
    """

    order: TrackedOrder
    reason: Reason | None = None
    detail: str = ""
    further: tuple[SendResult, ...] = ()


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
    decision: EntryDecision,
    observation: Observation,
    *,
    broker: Broker,
    ledger: Ledger,
    last_check: LastCheck,
    clock: Clock,
    approved: OrderPlan | None = None,
) -> EntryResult | Refusal:
    """Plan, claim, set the leverage, send with stop and target attached; every step recorded.

    `approved` is the plan a person approved: it is made again from now's observation and must not be worse.
    What the ledger raises goes through: before the claim nothing happened, after it the order is in doubt and
    is followed as such. What happened is recorded as of the moment it did, by `clock`: what was read of the
    exchange before that does not know of it.
    """
    now = clock()
    plan = make_plan(decision, observation, now)
    if approved is not None and isinstance(plan, OrderPlan):
        plan = guards.review_refusal(approved, plan) or plan
    claimed = plan if isinstance(plan, Refusal) else ledger.claim(plan, now)
    if isinstance(claimed, Refusal):
        ledger.record(_refusal_events(claimed, decision, observation, now, approved is not None))
        return claimed
    assert isinstance(plan, OrderPlan)

    happened: list[events.Event] = [
        events.PlanMade(symbol=plan.symbol, at=now, plan=plan),
        events.PlanClaimed(symbol=plan.symbol, at=now, plan=plan, status=claimed.status),
    ]
    if claimed.status == OrderStatus.PENDING_REVIEW:
        ledger.record(happened)
        return EntryResult(plan, None)
    happened += [
        events.OrderSubmitted(symbol=plan.symbol, at=now, order=order) for order in TrackedOrder.all_of(plan)
    ]
    ledger.record(happened)
    leverage_set = claimed.leverage == plan.leverage
    sent = send(
        plan, broker=broker, ledger=ledger, last_check=last_check, leverage_set=leverage_set, clock=clock
    )
    return EntryResult(plan, sent)


def send(
    plan: OrderPlan,
    *,
    broker: Broker,
    ledger: Ledger,
    last_check: LastCheck,
    leverage_set: bool,
    clock: Clock,
    first_attempt: int = 0,
) -> SendResult:
    """Send the orders of a claimed plan, nearest tranche first, or of its rest as a later attempt; each is
    recorded before the next one leaves.

    An order is only ever sent again, under a new id, when the exchange confirmed that the last one was
    refused and may be tried again. After a tranche that was not taken for certain none is sent: what the
    exchange refused once it would refuse again, and nothing follows what may or may not be there. The symbol
    stays locked whatever happens: following it lets go.
    """
    orders = TrackedOrder.all_of(plan, first_attempt)
    if not leverage_set:
        try:
            broker.set_leverage(plan.symbol, plan.leverage)
        except (BrokerRejected, BrokerUnknown, BrokerUnavailable) as error:
            denied = [_denied(order, Reason.LEVERAGE_NOT_SET, str(error)) for order in orders]
            now = clock()
            ledger.record([event for result in denied for event in _send_events(result, now)])
            return replace(denied[0], further=tuple(denied[1:]))

    results: list[SendResult] = []
    for order in orders:
        failed = next((each.order for each in results if each.order.status != OrderStatus.SUBMITTED), None)
        if failed is None:
            results.append(_send_order(plan, order, broker, ledger, last_check, clock))
        else:
            why = f"tranche {failed.part} is {failed.status}, so {order.part} is not sent"
            results.append(_denied(order, Reason.EARLIER_TRANCHE_FAILED, why))
            ledger.record(_send_events(results[-1], clock()))
    return replace(results[0], further=tuple(results[1:]))


def _send_order(
    plan: OrderPlan,
    order: TrackedOrder,
    broker: Broker,
    ledger: Ledger,
    last_check: LastCheck,
    clock: Clock,
) -> SendResult:
    """Send one tranche, in as many attempts as the exchange asks for."""
    for attempt in range(1, MAX_ATTEMPTS + 1):
        result, try_again = _attempt(plan, order, broker, last_check)
        if not try_again:
            ledger.record(_send_events(result, clock()))
            return result
        if attempt < MAX_ATTEMPTS:
            order = TrackedOrder.of(plan, order.attempt + 1, tranche=order.tranche)
            now = clock()
            again = events.OrderSubmitted(symbol=plan.symbol, at=now, order=order)
            # In one transaction: a symbol without a living order would be released in between.
            ledger.record([*_send_events(result, now), again])
    result = replace(result, reason=Reason.ALL_ATTEMPTS_FAILED)
    ledger.record(_send_events(result, clock()))
    return result


def refused_event(
    refusal: Refusal, verdict: Verdict, profile: str, now: datetime, *, approved: bool = False
) -> events.PlanRefused:
    """Return what is recorded of a verdict that is not entered; `approved`: a person approved its plan."""
    side, timeframe, opened_at = verdict.side, verdict.execution_timeframe, verdict.candle_open_at
    key = ""
    if side is not None and timeframe is not None and opened_at is not None:
        key = decision_key(profile, verdict.symbol, timeframe, opened_at, side)
    return events.PlanRefused(
        symbol=verdict.symbol,
        at=now,
        profile=profile,
        side=side,
        timeframe=timeframe,
        decision_key=key,
        reason=refusal.reason,
        numbers=refusal.numbers,
        approved=approved,
    )


def _refusal_events(
    refusal: Refusal, decision: EntryDecision, observation: Observation, now: datetime, approved: bool
) -> list[events.Event]:
    refused = events.PlanRefused(
        symbol=decision.symbol,
        at=now,
        profile=decision.profile,
        side=decision.side,
        timeframe=decision.timeframe,
        decision_key=decision.key,
        reason=refusal.reason,
        numbers=refusal.numbers,
        approved=approved,
    )
    if not isinstance(refusal, ZoneRefusal):
        return [refused]
    assert observation.quote is not None
    skipped = events.ZoneSkipped(
        symbol=decision.symbol,
        at=now,
        profile=decision.profile,
        side=decision.side,
        timeframe=decision.timeframe,
        decision_key=decision.key,
        reason=refusal.reason,
        zone=refusal.zone,
        candidate=refusal.candidate,
        deviation_pct=refusal.deviation_pct,
        limit_pct=refusal.limit_pct,
        spread_bps=observation.quote.spread_bps,
        volume_ratio=observation.number(decision.timeframe, "volume_ratio"),
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
        request = plan.request(order.client_order_id, order.tranche)
        exchange_order_id = broker.submit(request, before_sending)
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
    if order.tranche:  # none follows a nearest one that did not leave: it set the cooldown
        return [kind(symbol=symbol, at=now, order=order, detail=detail)]
    pause = cooldown_event(symbol, order.decision_key, now, COOLDOWN, "submitted")
    return [kind(symbol=symbol, at=now, order=order, detail=detail), pause]
