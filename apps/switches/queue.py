"""Marks to judge a symbol once by a profile, whatever the profile's universe says of it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from apps.engine.values.errors import TradingError
from apps.switches.models import SymbolQueue

MARK_LASTS = timedelta(hours=1)
"""A mark waits so long for candles that allow a verdict; then it ends unjudged."""


class BadMark(TradingError):
    """A mark that says not who asks and why, or that waits already; not retryable."""


def add_mark(account: str, symbol: str, profile: str, *, asked_by: str, reason: str, now: datetime) -> None:
    """Ask for one judgement of `symbol` by `profile`, from the next minute on. Raises BadMark."""
    if not asked_by.strip() or not reason.strip():
        raise BadMark(f"{symbol} {profile}: a mark needs a reason and an author")
    expire_marks(account, now)
    _, is_new = SymbolQueue.objects.get_or_create(
        account=account,
        symbol=symbol,
        profile=profile,
        taken_at=None,
        defaults={"asked_by": asked_by, "asked_at": now, "reason": reason.strip()},
    )
    if not is_new:
        raise BadMark(f"{symbol} waits already to be judged by {profile}")


def waiting_marks(account: str, now: datetime) -> list[SymbolQueue]:
    """Return the marks that no run took and whose time is not over, oldest first."""
    marks = SymbolQueue.objects.filter(account=account, taken_at=None, asked_at__gt=now - MARK_LASTS)
    return list(marks.order_by("asked_at", "id"))


def take_marks(marks: Sequence[SymbolQueue], judged: Collection[str], run_id: UUID, now: datetime) -> int:
    """End the marks of the symbols that this run `judged`; return how many."""
    ids = [mark.pk for mark in marks if mark.symbol in judged]
    if not ids:
        return 0
    return SymbolQueue.objects.filter(pk__in=ids, taken_at=None).update(taken_at=now, run_id=run_id)


def expire_marks(account: str, now: datetime) -> int:
    """End the marks whose time is over: they have a `taken_at` and no run. Return how many."""
    late = SymbolQueue.objects.filter(account=account, taken_at=None, asked_at__lte=now - MARK_LASTS)
    return late.update(taken_at=now)
