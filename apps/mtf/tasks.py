"""Celery's entrances to the desk: each translates, makes one call, is done. Settings name the queues."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from celery import shared_task

from apps.exchange import venue
from apps.feed.sync import sync_contracts
from apps.mtf.asked import decide_asked
from apps.mtf.minute import closed_minute, run_minute
from apps.mtf.worker import desk


@shared_task
def minute(*, at: str | None = None, **_: Any) -> None:
    """Judge the minute just over, or the one that ends at `at` (ISO, aware)."""
    own, now = desk(), datetime.now(UTC)
    if not own.warm.symbols:
        own.renew(now)
    run_minute(
        closed_minute(now if at is None else datetime.fromisoformat(at)),
        profiles=own.profiles,
        warm=own.warm,
        ledger=own.ledger,
        client=own.redis,
        now=now,
    )
    own.renew(now)


@shared_task
def asked(*, run_id: str, **_: Any) -> None:
    """Decide a run that the API or a command opened."""
    own, now = desk(), datetime.now(UTC)
    own.renew(now)
    decide_asked(run_id, warm=own.warm, client=own.redis, now=now)


@shared_task
def contracts(**_: Any) -> int:
    """Refresh the contracts; how many the venue lists."""
    return sync_contracts(venue.history(), datetime.now(UTC))
