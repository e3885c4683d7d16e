"""Cooldowns and marks to process once: what comes and goes by itself, per account."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from apps.switches.models import Cooldown, SymbolQueue


def cooldown_ends(account: str, symbols: Sequence[str], now: datetime) -> dict[str, datetime]:
    """Symbol → the end of its cooldown, for those of `symbols` that cool down at `now`."""
    rows = Cooldown.objects.filter(account=account, symbol__in=list(symbols), ends_at__gt=now)
    return dict(rows.values_list("symbol", "ends_at"))


def start_cooldown(
    account: str, symbol: str, *, decision_key: str, reason: str, now: datetime, until: datetime
) -> None:
    """Pause `symbol` until then, in place of its pause before. ValueError when `until` lies before `now`."""
    if until < now:
        raise ValueError(f"cooldown {symbol}: ends at {until}, before it starts at {now}")
    Cooldown.objects.update_or_create(
        account=account,
        symbol=symbol,
        defaults={"decision_key": decision_key, "reason": reason, "starts_at": now, "ends_at": until},
    )


def queue(account: str, symbol: str, profile: str, *, asked_by: str, now: datetime) -> bool:
    """Mark `symbol` to be processed once; False when a mark is waiting already."""
    _, made = SymbolQueue.objects.get_or_create(
        account=account,
        symbol=symbol,
        profile=profile,
        taken_at=None,
        defaults={"asked_by": asked_by, "asked_at": now},
    )
    return made


def take_queued(account: str, profile: str, now: datetime) -> list[str]:
    """The marked symbols, in the order they were asked for; each mark is taken by one caller only."""
    marks = SymbolQueue.objects.filter(account=account, profile=profile, taken_at=None)
    return [mark.symbol for mark in marks.order_by("asked_at", "id") if _take(mark, now)]


def _take(mark: SymbolQueue, now: datetime) -> bool:
    return bool(SymbolQueue.objects.filter(pk=mark.pk, taken_at=None).update(taken_at=now))
