"""The row by which everyone else knows what the watch process knows."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from apps.live.models import WatchState


def begin(account: str, now: datetime) -> None:
    """A new process has compared nothing yet: entries wait for it."""
    save_columns(account, **fresh(now))


def fresh(now: datetime) -> dict[str, Any]:
    """The columns of a new process."""
    return {"started_at": now, "read_at": None, "reconciled_at": None, "heard_at": None, "unhealthy": ""}


def save_columns(account: str, **columns: Any) -> None:
    """Write these columns of the row; the first ones, `fresh`, make it."""
    if not WatchState.objects.filter(account=account).update(**columns):
        WatchState.objects.create(account=account, **columns)
