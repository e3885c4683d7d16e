"""The minute: claim, collect, evaluate. The next minute is the retry; nothing here retries."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import redis
import structlog

from apps.engine.cycle import evaluate
from apps.engine.profile import Profile
from apps.engine.values.timeframe import Timeframe
from apps.feed.announcement import wait_for_announcement
from apps.live import run_state
from apps.live.models import MtfRun, RunStatus
from apps.live.recorder import RunRecorder
from apps.live.run_state import StageTimer
from apps.live.windows import Warm

log = structlog.get_logger("mtf")

TOO_OLD = timedelta(seconds=55)
"""A minute older than this is skipped: a late decision is worse than none."""
COLLECT_S = 2.5
"""How long after the minute's end a run waits for its candles."""


def run_minute(
    at: datetime,
    *,
    profiles: Sequence[Profile],
    warm: Warm,
    recorder: RunRecorder,
    client: redis.Redis,
    now: datetime,
) -> list[MtfRun]:
    """Judge the minute `at` (a boundary) once for every profile; return the runs this call claimed.

    A minute claimed before is not judged again. A failing step marks the runs failed and raises.
    """
    run_state.mark_lost(at, now)
    if now - at > TOO_OLD:
        skipped = [run_state.claim_minute(p, at, now, RunStatus.SKIPPED) for p in profiles]
        log.warning("minute_skipped", at=at.isoformat(), age_s=(now - at).total_seconds())
        return [run for run in skipped if run is not None]
    claimed = [(run, p) for p in profiles if (run := run_state.claim_minute(p, at, now)) is not None]
    if not claimed:
        return []
    try:
        _judge(at, claimed, warm=warm, recorder=recorder, client=client, now=now)
    except Exception as fault:
        for run, _ in claimed:
            run_state.fail_run(run, fault, datetime.now(UTC))
        raise
    return [run for run, _ in claimed]


def _judge(
    at: datetime,
    claimed: Sequence[tuple[MtfRun, Profile]],
    *,
    warm: Warm,
    recorder: RunRecorder,
    client: redis.Redis,
    now: datetime,
) -> None:
    stages = StageTimer()
    timeout_s = max(0.0, COLLECT_S - (now - at).total_seconds())
    announcement = wait_for_announcement(client, at, timeout_s=timeout_s)
    stages.lap("collect_ms")
    warm.refresh(at)
    stages.lap("windows_ms")
    if warm.extra_ms:
        stages.part("windows_ms", "extra_ms", warm.extra_ms)
    judgements = evaluate(warm.frames(), [profile for _, profile in claimed], at=at)
    stages.lap("evaluate_ms")
    recorder.record(
        [(run, judgement) for (run, _), judgement in zip(claimed, judgements, strict=True)],
        warm=warm,
        at=at,
        stages=stages,
        announced_s=None if announcement is None else announcement.announced_s,
    )
    log.info("minute_decided", at=at.isoformat(), profiles=len(claimed), **stages.laps)


def closed_minute(now: datetime) -> datetime:
    """Return the newest minute boundary: what beat's tick, late or doubled, means."""
    return Timeframe.M1.floor(now)
