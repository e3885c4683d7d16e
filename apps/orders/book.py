"""Our book of one symbol, as the engine compares it with the exchange's."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from decimal import Decimal

from django.db.models import F, Q, Sum
from django.db.models.functions import Coalesce

from apps.engine.values.book import SymbolBook
from apps.orders.models import ExchangeOrder, Fill, Position, Protection, SymbolLock
from apps.orders.statuses import OPEN_ORDER, RESTING_PROTECTION
from apps.orders.values import order_value, position_value

ZERO = Decimal(0)

KEPT = timedelta(days=1)
"""How long an order that ended unfilled stays in the book: a late fill may still bring it back."""


def active_symbols(account: str) -> list[str]:
    """The symbols with a lock, an open order, a resting protection or a position, of ours or of others."""
    rows = (
        SymbolLock.objects.filter(account=account, released_at=None),
        ExchangeOrder.objects.filter(account=account, status__in=OPEN_ORDER),
        Position.objects.filter(account=account, closed_at=None),
        Protection.objects.filter(account=account, status__in=RESTING_PROTECTION),
    )
    return sorted({symbol for each in rows for symbol in each.values_list("symbol", flat=True)})


def book(account: str, symbol: str, now: datetime) -> SymbolBook:
    """What is stored of `symbol`; fills since its lock, its oldest open position, and of the last day."""
    here = {"account": account, "symbol": symbol}
    lock = SymbolLock.objects.filter(**here, released_at=None).select_related("plan").first()
    locked_by = lock.plan.decision_key if lock else None
    orders = _orders(here, locked_by, now)
    positions = list(Position.objects.filter(**here, closed_at=None).order_by("id"))
    since = min([now - KEPT, *(one.opened_at for one in positions), *([lock.locked_at] if lock else [])])
    changed = [one.updated_at for one in orders] + [one.updated_at for one in positions]
    return SymbolBook(
        symbol=symbol,
        locked_by=locked_by,
        changed_at=max(changed + ([lock.locked_at] if lock else []), default=None),
        orders=tuple(map(order_value, orders)),
        positions=tuple(map(position_value, positions)),
        trade_ids=_trade_ids(here, since - KEPT),
    )


def _orders(here: dict[str, str], locked_by: str | None, now: datetime) -> list[ExchangeOrder]:
    wanted = Q(status__in=OPEN_ORDER) | Q(filled=0, updated_at__gte=now - KEPT)
    if locked_by is not None:
        wanted |= Q(decision_key=locked_by)
    return list(ExchangeOrder.objects.filter(wanted, **here).order_by("id"))


def _trade_ids(here: dict[str, str], since: datetime) -> frozenset[str]:
    stored: Iterable[str] = Fill.objects.filter(**here, at__gte=since).values_list("trade_id", flat=True)
    return frozenset(stored)


def symbols_missing_fills(account: str, *, closed_since: datetime) -> list[str]:
    """Symbols of positions closed since then whose stored trades do not open and close the same size."""
    closed = Position.objects.filter(account=account, closed_at__gte=closed_since).annotate(
        opened=Coalesce(Sum("fills__size", filter=Q(fills__opens=True)), ZERO),
        closing=Coalesce(Sum("fills__size", filter=Q(fills__opens=False)), ZERO),
    )
    return sorted(set(closed.filter(~Q(opened=F("closing")) | Q(opened=0)).values_list("symbol", flat=True)))
