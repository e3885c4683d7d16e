"""The watch process's row: what it last found out about the account, and what entries conclude from it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from apps.live.models import WatchState

READ_AGE = timedelta(seconds=20)
"""Nobody who looked at the exchange longer ago protects a position opened now."""
SILENT = timedelta(seconds=20)
"""Private pushes that were away longer may have hidden what the books do not know."""

RECONCILED_AGE = timedelta(minutes=3)
"""Books that are compared each minute and were not three times are not known to be right."""


@dataclass(frozen=True, slots=True)
class AccountHealth:
    """Whether the books were compared with the exchange's; why the venue may not be traded, "" if it may; the
    symbols of which it is not known what they have there."""

    reconciled: bool
    unhealthy: str = ""
    unknown: frozenset[str] = frozenset()


def account_health(account: str, now: datetime) -> AccountHealth:
    """Return whether the account may open anything.

    Not reconciled: before the first comparison, after a gap, when it keeps failing, and when nobody watches.
    """
    state = WatchState.objects.filter(account=account).first()
    if state is None:
        return AccountHealth(reconciled=False)
    if state.reconciled_at is None or state.read_at is None or state.heard_at is None:
        return AccountHealth(reconciled=False, unhealthy=state.unhealthy)
    recent = now - state.read_at <= READ_AGE and now - state.heard_at <= SILENT
    compared = now - state.reconciled_at <= RECONCILED_AGE
    return AccountHealth(recent and compared, state.unhealthy, frozenset(state.unknown))


def is_watched(account: str, now: datetime) -> bool:
    """Whether somebody looked at the exchange just now: what people want closed is closed by them."""
    return WatchState.objects.filter(account=account, read_at__gte=now - READ_AGE).exists()


def fresh_columns(now: datetime) -> dict[str, Any]:
    """Return the columns of a new process: it has compared nothing yet, and entries wait for it."""
    return {"started_at": now, "read_at": None, "reconciled_at": None, "heard_at": None, "unhealthy": ""}


def save_columns(account: str, **columns: Any) -> None:
    """Write these columns of the row; the first ones, `fresh_columns`, make it."""
    if not WatchState.objects.filter(account=account).update(**columns):
        WatchState.objects.create(account=account, **columns)
