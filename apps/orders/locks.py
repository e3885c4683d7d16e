"""Symbol locks: one alive per account and symbol, from the claim until flat and clean."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction

from apps.db.bookkeeping import bookkeeping
from apps.engine.values.errors import TradingError
from apps.orders import protections
from apps.orders.models import ExchangeOrder, OrderPlan, Position, SymbolLock
from apps.orders.statuses import OPEN_ORDER, WAITING_PLAN


class NotClean(TradingError):
    """A lock was to go while something of the symbol may still live; not retryable until that is over."""

    def __init__(self, symbol: str, remains: Sequence[str]) -> None:
        super().__init__(f"lock of {symbol} stays: {', '.join(remains)}")


def lock_for_update(account: str, symbol: str) -> None:
    """Within the open transaction nobody else handles `symbol`, as far as it is locked."""
    list(SymbolLock.objects.select_for_update().filter(account=account, symbol=symbol, released_at=None))


@transaction.atomic
def release_lock(account: str, symbol: str, decision_key: str, now: datetime) -> bool:
    """Free `symbol` of this decision's lock; False when it does not hold it.

    NotClean naming what remains in our books: a plan that waits, an open order, a position. Clean means that
    the exchange shows no protection any more: ours are noted as over.
    """
    held = SymbolLock.objects.select_for_update().filter(
        account=account, symbol=symbol, released_at=None, plan__decision_key=decision_key
    )
    if not held.exists():
        return False
    if remains := _remains(account, symbol):
        raise NotClean(symbol, remains)
    with bookkeeping("protections_over", symbol=symbol) as attempt:
        protections.end_protections(account, symbol, now)
    if attempt.fault is not None:  # noted with the lock's end or never
        raise NotClean(symbol, [f"protections, which cannot be noted as over: {attempt.fault}"])
    SymbolLock.objects.filter(account=account, symbol=symbol, released_at=None).update(released_at=now)
    return True


def _remains(account: str, symbol: str) -> list[str]:
    here = {"account": account, "symbol": symbol}
    rows: list[OrderPlan | ExchangeOrder | Position] = [
        *OrderPlan.objects.filter(**here, status__in=WAITING_PLAN),
        *ExchangeOrder.objects.filter(**here, status__in=OPEN_ORDER),
        *Position.objects.filter(**here, closed_at=None),
    ]
    return [f"{row._meta.verbose_name} {row.pk} is {row.status}" for row in rows]
