"""Orders by what became of them, read from what the ledger was told."""

from __future__ import annotations

from datetime import datetime

from apps.backtest.ledger import MemoryLedger
from apps.backtest.outcome import Unfilled
from apps.engine import events
from apps.engine.follow.orders import LIVE
from apps.engine.values.order import OrderStatus
from apps.engine.values.plan import OrderPlan


def plans_by_order(ledger: MemoryLedger) -> dict[str, OrderPlan]:
    """Client id → plan, of every attempt that was made."""
    return {
        event.order.client_order_id: ledger.plans[event.order.decision_key][0]
        for event in ledger.happened
        if isinstance(event, events.OrderSubmitted)
    }


def unfilled(ledger: MemoryLedger, now: datetime) -> tuple[Unfilled, ...]:
    """Orders that ended without a fill, by their end; one that still rests, as it is now.

    What was denied before it left is no order: its reason is among the refusals.
    """
    newest: dict[str, events.OrderEvent] = {}
    filled: set[str] = set()
    for event in ledger.happened:
        if isinstance(event, events.OrderEvent) and event.order.decision_key in ledger.plans:
            newest[event.order.decision_key] = event
            if event.order.filled:
                filled.add(event.order.decision_key)
    found = [
        Unfilled(
            ledger.plans[key][0],
            now if event.order.status in LIVE else event.at,
            str(event.order.status),
        )
        for key, event in newest.items()
        if key not in filled and event.order.status is not OrderStatus.DENIED
    ]
    return tuple(sorted(found, key=lambda one: one.ended_at))
