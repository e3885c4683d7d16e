"""The life of a run in its table: claimed, decided; or failed, skipped, lost. A change is one statement."""

from __future__ import annotations

import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db import IntegrityError, connection, transaction
from django.db.models import Q

from apps.db.release import release_connection
from apps.engine.profile import Profile
from apps.engine.values.errors import TradingError
from apps.exchange import venue
from apps.live.models import MtfRun, RunStatus, Trigger

QUEUED_FOR = timedelta(seconds=60)
"""A request lies in the queue for less than this: whoever asks waits 55 s."""
MOST_WAITING = 8
"""Asked runs that are not decided yet; each takes up to 6 s (cold windows), and whoever asks waits 55 s."""
NEVER_ENDED = "its worker ended before it did, could not write how it ended, or did not come to it in time"


class TooManyWaiting(TradingError):
    """As many asked runs as may wait are not decided yet; in a few seconds there is room."""

    retryable = True

    def __init__(self) -> None:
        super().__init__(
            f"{MOST_WAITING} runs that were asked for wait for the worker already, and the minute goes "
            "before them; retry in a few seconds, or ask for all symbols in one run"
        )


def claim_minute(
    profile: Profile, minute: datetime, now: datetime, status: RunStatus = RunStatus.RUNNING
) -> MtfRun | None:
    """Create the one run of this profile and minute; None when somebody has it already."""
    run = MtfRun(
        run_id=uuid.uuid4(),
        profile=profile.name,
        digest=profile.digest,
        minute=minute,
        trigger=Trigger.BEAT,
        status=status,
        dry_run=venue.is_dry(),
        started_at=now,
        finished_at=None if status is RunStatus.RUNNING else now,
    )
    try:
        with transaction.atomic():
            run.save(force_insert=True)
    except IntegrityError:
        return None
    return run


@transaction.atomic
def open_run(
    profile: Profile,
    minute: datetime,
    now: datetime,
    trigger: Trigger,
    options: Mapping[str, Any],
    *,
    dry_run: bool,
) -> MtfRun:
    """Create a run somebody asked for: its own id, no claim on the minute. Raises TooManyWaiting.

    Opening is one at a time, so that many at once are not more than may wait.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended('open_run', 0))")
    running = MtfRun.objects.filter(status=RunStatus.RUNNING, started_at__gt=now - QUEUED_FOR)
    if running.exclude(trigger=Trigger.BEAT).count() >= MOST_WAITING:
        raise TooManyWaiting
    return MtfRun.objects.create(
        run_id=uuid.uuid4(),
        profile=profile.name,
        digest=profile.digest,
        minute=minute,
        trigger=trigger,
        status=RunStatus.RUNNING,
        dry_run=dry_run,
        options=dict(options),
        started_at=now,
    )


def mark_lost(before: datetime, now: datetime) -> int:
    """Mark runs of earlier minutes whose worker died; one that was asked for may still be queued.

    Return how many.
    """
    unfinished = MtfRun.objects.filter(status=RunStatus.RUNNING, minute__lt=before)
    return unfinished.filter(Q(trigger=Trigger.BEAT) | Q(started_at__lt=now - QUEUED_FOR)).update(
        status=RunStatus.LOST, finished_at=now, error=NEVER_ENDED
    )


def finish_run(
    run: MtfRun,
    *,
    now: datetime,
    counts: Mapping[str, Any],
    timings: Mapping[str, float],
    result: Mapping[str, Any] | None = None,
) -> None:
    """Finish a run inside the transaction that writes what it decided."""
    MtfRun.objects.filter(pk=run.pk, status=RunStatus.RUNNING).update(
        status=RunStatus.DECIDED,
        finished_at=now,
        counts=dict(counts),
        timings=dict(timings),
        result=None if result is None else dict(result),
    )


def fail_run(run: MtfRun, fault: BaseException, now: datetime) -> None:
    """Store the fault on the run, unless it ended. Raises what the database raises: then it becomes lost."""
    release_connection()  # the fault may be that the connection is gone
    MtfRun.objects.filter(pk=run.pk, status=RunStatus.RUNNING).update(
        status=RunStatus.FAILED, finished_at=now, error=f"{type(fault).__name__}: {fault}"
    )


@dataclass
class StageTimer:
    """Milliseconds per stage, each measured from the previous `lap`."""

    laps: dict[str, float] = field(default_factory=dict)
    _last: float = field(default_factory=time.perf_counter)

    def lap(self, name: str) -> None:
        """End the stage `name` now."""
        now = time.perf_counter()
        self.laps[name] = round((now - self._last) * 1000, 3)
        self._last = now

    def part(self, of: str, name: str, spent_ms: float) -> None:
        """Make `name`, on which `spent_ms` of the stage `of` were spent, a stage of its own."""
        self.laps[of] = round(self.laps[of] - spent_ms, 3)
        self.laps[name] = round(spent_ms, 3)
