"""The row by which everyone else knows what the watch process knows."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from apps.live.models import WatchState


def begin(account: str, now: datetime) -> None:
    """A new process has compared nothing yet: entries wait for it."""
    fresh = {"started_at": now, "read_at": None, "reconciled_at": None, "heard_at": None, "unhealthy": ""}
    WatchState.objects.update_or_create(account=account, defaults=fresh)


def note(account: str, **columns: Any) -> None:
    """Write these columns of the row."""
    WatchState.objects.filter(account=account).update(**columns)
