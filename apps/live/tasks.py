"""Celery's entrances to the desk: each translates, makes one call, is done. Settings name the queues."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import structlog
from celery import chain, shared_task
from kombu.exceptions import OperationalError

from apps.exchange import venue
from apps.feed.sync import sync_contracts
from apps.live.enter import entering, reviewing
from apps.live.enter.entries import entries
from apps.live.minute import closed_minute, run_minute
from apps.live.run_requests import decide_asked
from apps.live.worker import desk

log = structlog.get_logger("mtf")

ENTER_WITHIN_S = 20
"""An entry that waited longer in the queue is dropped: the next minute decides anew."""


@shared_task
def minute(*, at: str | None = None, **_: Any) -> None:
    """Judge the minute just over, or the one that ends at `at` (ISO, aware), and send what is READY on."""
    own, now = desk(), datetime.now(UTC)
    if not own.warm.symbols:
        own.renew(now)
    runs = run_minute(
        closed_minute(now if at is None else datetime.fromisoformat(at)),
        profiles=own.profiles,
        warm=own.warm,
        ledger=own.ledger,
        client=own.redis,
        now=now,
    )
    _send_on(entries(runs, own.profiles))
    own.renew(now)


@shared_task
def asked(*, run_id: str, **_: Any) -> None:
    """Decide a run that the API or a command opened, and send what is READY on."""
    own, now = desk(), datetime.now(UTC)
    own.renew(now)
    symbols = decide_asked(run_id, warm=own.warm, client=own.redis, now=now)
    _send_on({symbol: [run_id] for symbol in symbols})


@shared_task
def enter(*, run_id: str, symbol: str, **_: Any) -> None:
    """Enter what a run decided of one symbol."""
    entering.enter(run_id, symbol, clock=_now)


@shared_task
def reviews(**_: Any) -> None:
    """Enter what people approved."""
    reviewing.enter_what_is_approved(clock=_now)


@shared_task
def contracts(**_: Any) -> int:
    """Refresh the contracts; how many the venue lists."""
    return sync_contracts(venue.current().history, datetime.now(UTC))


def _send_on(wanted: Mapping[str, Sequence[str]]) -> None:
    """One chain a symbol, so that its first run is entered before its second is tried."""
    try:
        for symbol, run_ids in wanted.items():
            calls = [enter.si(run_id=one, symbol=symbol).set(expires=ENTER_WITHIN_S) for one in run_ids]
            chain(*calls).apply_async(retry=False)
    except OperationalError as fault:
        log.error("entries_not_sent", symbols=list(wanted), fault=str(fault))


def _now() -> datetime:
    return datetime.now(UTC)
