"""Our book of one symbol, as the engine compares it with the exchange's."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal

from django.db.models import F, Q, Sum
from django.db.models.functions import Coalesce

from apps.engine.values.book import SymbolBook
from apps.orders.models import ExchangeOrder, Fill, Position, Protection, SymbolLock
from apps.orders.models.order import OPEN_ORDER
from apps.orders.values import order_value, position_value

ZERO = Decimal(0)

KEPT = timedelta(days=1)
"""How long an order that ended unfilled stays in the book: a late fill may still bring it back."""


def active_symbols(account: str) -> list[str]:
    """Return the symbols with a lock, an open order, a resting protection or a position of anybody."""
    rows = (
        SymbolLock.objects.for_account(account).alive(),
        ExchangeOrder.objects.for_account(account).open(),
        Position.objects.for_account(account).open(),
        Protection.objects.for_account(account).resting(),
    )
    return sorted({symbol for each in rows for symbol in each.values_list("symbol", flat=True)})


def book(account: str, symbol: str, now: datetime) -> SymbolBook:
    """Return what is stored of `symbol`; fills since its lock and oldest position, and of the last day."""
    locks = SymbolLock.objects.for_account(account).alive().filter(symbol=symbol)
    lock = locks.select_related("plan").first()
    wanted = Q(status__in=OPEN_ORDER) | Q(filled=0, updated_at__gte=now - KEPT)
    if lock is not None:
        wanted |= Q(decision_key=lock.plan.decision_key)
    orders = ExchangeOrder.objects.for_account(account).filter(wanted, symbol=symbol).order_by("id")
    positions = Position.objects.for_account(account).open().filter(symbol=symbol).order_by("id")
    since = min([now - KEPT, *(row.opened_at for row in positions), *([lock.locked_at] if lock else [])])
    changes = [row.updated_at for row in orders] + [row.updated_at for row in positions]
    fills = Fill.objects.filter(account=account, symbol=symbol, at__gte=since - KEPT)
    return SymbolBook(
        symbol=symbol,
        locked_by=lock.plan.decision_key if lock else None,
        changed_at=max(changes + ([lock.locked_at] if lock else []), default=None),
        orders=tuple(map(order_value, orders)),
        positions=tuple(map(position_value, positions)),
        trade_ids=frozenset(fills.values_list("trade_id", flat=True)),
    )


def symbols_missing_fills(account: str, *, closed_since: datetime) -> list[str]:
    """Return symbols of positions closed since then whose stored trades open and close different sizes."""
    closed = Position.objects.for_account(account).closed_since(closed_since)
    sums = closed.annotate(
        opened=Coalesce(Sum("fills__size", filter=Q(fills__opens=True)), ZERO),
        closing=Coalesce(Sum("fills__size", filter=Q(fills__opens=False)), ZERO),
    )
    return sorted(set(sums.filter(~Q(opened=F("closing")) | Q(opened=0)).values_list("symbol", flat=True)))
