"""What was intended, sent, filled and held, and every step of it, by all accounts of this database."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db.models import Q

from apps.audit.models import TradeLifecycleEvent, TradeZoneEvent
from apps.insight.export.rows import rows
from apps.orders.models import (
    AccountTransaction,
    ExchangeOrder,
    Fill,
    OrderPlan,
    Position,
    Protection,
    SymbolLock,
)


def trading(symbol: str, start: datetime, end: datetime) -> dict[str, Any]:
    """Rows of `symbol` that lived at some time in [start, end), each list rising by its time.

    Orders, fills and protections of a plan or position in the window are there also when they came later.
    """
    plans = OrderPlan.objects.filter(symbol=symbol, plan_time__gte=start, plan_time__lt=end)
    held = Position.objects.filter(
        Q(closed_at=None) | Q(closed_at__gte=start), symbol=symbol, opened_at__lt=end
    )
    orders = ExchangeOrder.objects.filter(
        Q(sent_at__gte=start, sent_at__lt=end) | Q(plan__in=plans), symbol=symbol
    )
    fills = Fill.objects.filter(Q(at__gte=start, at__lt=end) | Q(position__in=held), symbol=symbol)
    guards = Protection.objects.filter(
        Q(placed_at__gte=start, placed_at__lt=end) | Q(position__in=held), symbol=symbol
    )
    locks = SymbolLock.objects.filter(
        Q(released_at=None) | Q(released_at__gte=start), symbol=symbol, locked_at__lt=end
    )
    ledger = AccountTransaction.objects.filter(symbol=symbol, at__gte=start, at__lt=end)
    return {
        "plans": rows(plans.order_by("plan_time", "id")),
        "orders": rows(orders.order_by("sent_at", "id")),
        "fills": rows(fills.order_by("at", "id")),
        "positions": rows(held.order_by("opened_at", "id")),
        "protections": rows(guards.order_by("placed_at", "id")),
        "locks": rows(locks.order_by("locked_at", "id")),
        "transactions": rows(ledger.order_by("at", "id")),
        "lifecycle_events": rows(_happened(TradeLifecycleEvent.objects.all(), symbol, start, end)),
        "zone_events": rows(_happened(TradeZoneEvent.objects.all(), symbol, start, end)),
    }


def _happened(events: Any, symbol: str, start: datetime, end: datetime) -> Any:
    of_symbol = events.filter(symbol=symbol, happened_at__gte=start, happened_at__lt=end)
    return of_symbol.order_by("happened_at", "id")
