"""A claimed plan leaves: leverage first, then the order, and whatever the answer was becomes an event."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from apps.engine import events
from apps.engine.follow.endings import COOLDOWN, cooldown
from apps.engine.ports import (
    Broker,
    BrokerRateLimited,
    BrokerRejected,
    BrokerUnavailable,
    BrokerUnknown,
    Ledger,
)
from apps.engine.values.book import TrackedOrder
from apps.engine.values.errors import TradingError
from apps.engine.values.order import OrderStatus
from apps.engine.values.plan import OrderPlan
from apps.engine.values.reason import Reason, Refusal

MAX_ATTEMPTS = 3
"""Only what the exchange asks to be tried again is: each time as a new order under a new id."""


class Withheld(TradingError):
    """The last look said no: nothing was sent. It passes through the broker and ends here."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(f"{refusal.reason} {dict(refusal.numbers)}")
        self.refusal = refusal


@dataclass(frozen=True, slots=True)
class Sent:
    """How the last attempt ended: SUBMITTED, UNKNOWN, REJECTED, or DENIED with a reason."""

    order: TrackedOrder
    reason: Reason | None = None
    detail: str = ""


def send(
    plan: OrderPlan,
    *,
    broker: Broker,
    ledger: Ledger,
    last_look: Callable[[], Refusal | None],
    leverage_set: bool,
    now: datetime,
) -> Sent:
    """Send the order of a claimed plan; recorded before this returns.

    An order is only ever sent again, under a new id, when the exchange confirmed that the last one was
    refused and may be tried again. The symbol stays locked whatever happens: following it lets go.
    """
    order = TrackedOrder.of(plan)
    if not leverage_set:
        fault = _leverage_fault(broker, plan)
        if fault:
            return _recorded(_denied(order, Reason.LEVERAGE_NOT_SET, fault), ledger, now)
    for attempt in range(1, MAX_ATTEMPTS + 1):
        try:
            return _recorded(_submitted(plan, order, broker, last_look), ledger, now)
        except BrokerRejected as error:
            rejected = Sent(replace(order, status=OrderStatus.REJECTED), None, str(error))
            if not error.try_again:
                return _recorded(rejected, ledger, now)
        if attempt < MAX_ATTEMPTS:
            order = TrackedOrder.of(plan, attempt)
            again = events.OrderSubmitted(symbol=plan.symbol, at=now, order=order)
            # In one transaction: a symbol without a living order would be released in between.
            ledger.record([*_events(rejected, now), again])
    return _recorded(replace(rejected, reason=Reason.ALL_ATTEMPTS_FAILED), ledger, now)


def _leverage_fault(broker: Broker, plan: OrderPlan) -> str:
    try:
        broker.set_leverage(plan.symbol, plan.leverage)
    except (BrokerRejected, BrokerUnknown, BrokerUnavailable) as error:
        return str(error)
    return ""


def _submitted(
    plan: OrderPlan, order: TrackedOrder, broker: Broker, last_look: Callable[[], Refusal | None]
) -> Sent:
    """One attempt. BrokerRejected goes through."""

    def before_sending() -> None:
        refusal = last_look()
        if refusal is not None:
            raise Withheld(refusal)

    try:
        exchange_order_id = broker.submit(plan.request(order.client_order_id), before_sending)
    except Withheld as error:
        return _denied(order, error.refusal.reason, str(error))
    except BrokerRateLimited as error:
        return _denied(order, Reason.RATE_LIMITED, str(error))
    except BrokerUnavailable as error:
        return _denied(order, Reason.VENUE_UNREACHABLE, str(error))
    except BrokerUnknown as error:
        return Sent(replace(order, status=OrderStatus.UNKNOWN), None, str(error))
    return Sent(replace(order, status=OrderStatus.SUBMITTED, exchange_order_id=exchange_order_id))


def _denied(order: TrackedOrder, reason: Reason, detail: str) -> Sent:
    return Sent(replace(order, status=OrderStatus.DENIED), reason, detail)


def _recorded(sent: Sent, ledger: Ledger, now: datetime) -> Sent:
    ledger.record(_events(sent, now))
    return sent


def _events(sent: Sent, now: datetime) -> list[events.Event]:
    order, symbol, detail = sent.order, sent.order.symbol, sent.detail
    if order.status == OrderStatus.DENIED and sent.reason is not None:
        return [events.OrderDenied(symbol=symbol, at=now, order=order, detail=detail, reason=sent.reason)]
    if order.status == OrderStatus.REJECTED:
        return [events.OrderRejected(symbol=symbol, at=now, order=order, detail=detail)]
    kind = events.OrderUnknown if order.status == OrderStatus.UNKNOWN else events.OrderAcknowledged
    pause = cooldown(symbol, order.decision_key, now, COOLDOWN, "submitted")
    return [kind(symbol=symbol, at=now, order=order, detail=detail), pause]
