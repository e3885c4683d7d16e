"""The minute: claim, collect, evaluate. The next minute is the retry; nothing here retries."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import redis
import structlog

from apps.engine.cycle import evaluate
from apps.engine.profile import Profile
from apps.engine.universe import EmptyUniverse
from apps.engine.values.timeframe import Timeframe
from apps.feed.announcement import wait_for_announcement
from apps.live import run_state
from apps.live.membership import Membership
from apps.live.models import MtfRun, RunStatus
from apps.live.quotes import spreads_now, want_quotes, with_spreads
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
    membership: Membership | None = None,
) -> list[MtfRun]:
    """Judge the minute `at` (a boundary) once for every profile; return the runs this call claimed.

    Each profile judges its members, without `membership` every symbol of the windows. One that has none fails
    its run, with the reasons. A minute claimed before is not judged again. A failing step marks the runs
    failed and raises.
    """
    run_state.mark_lost(at, now)
    if now - at > TOO_OLD:
        skipped = [run_state.claim_minute(p, at, now, RunStatus.SKIPPED) for p in profiles]
        log.warning("minute_skipped", at=at.isoformat(), age_s=(now - at).total_seconds())
        return [run for run in skipped if run is not None]
    claimed = [(run, p) for p in profiles if (run := run_state.claim_minute(p, at, now)) is not None]
    judging = [each for each in claimed if membership is None or _has_members(each, membership, now)]
    if not judging:
        return [run for run, _ in claimed]
    try:
        _judge(at, judging, warm=warm, recorder=recorder, client=client, now=now, membership=membership)
    except Exception as fault:
        for run, _ in judging:
            run_state.fail_run(run, fault, datetime.now(UTC))
        raise
    return [run for run, _ in claimed]


def _has_members(claimed: tuple[MtfRun, Profile], membership: Membership, now: datetime) -> bool:
    """Whether there is anything to judge; else the run fails and says why."""
    run, profile = claimed
    if membership.members(profile.name):
        return True
    try:
        membership.universes[profile.name].require_members(profile.name)
    except EmptyUniverse as fault:
        log.error("universe_empty", profile=profile.name, fault=str(fault))
        run_state.fail_run(run, fault, now)
    return False


def _judge(
    at: datetime,
    claimed: Sequence[tuple[MtfRun, Profile]],
    *,
    warm: Warm,
    recorder: RunRecorder,
    client: redis.Redis,
    now: datetime,
    membership: Membership | None,
) -> None:
    stages = StageTimer()
    timeout_s = max(0.0, COLLECT_S - (now - at).total_seconds())
    announcement = wait_for_announcement(client, at, timeout_s=timeout_s)
    stages.lap("collect_ms")
    warm.refresh(at)
    stages.lap("windows_ms")
    if warm.extra_ms:
        stages.part("windows_ms", "extra_ms", warm.extra_ms)
    profiles = [profile for _, profile in claimed]
    members = None if membership is None else {p.name: membership.members(p.name) for p in profiles}
    frames = with_spreads(warm.frames(), spreads_now(warm.symbols))
    judgements = evaluate(frames, profiles, at=at, members=members)
    stages.lap("evaluate_ms")
    causes = recorder.record(
        [(run, judgement) for (run, _), judgement in zip(claimed, judgements, strict=True)],
        warm=warm,
        at=at,
        stages=stages,
        announced_s=None if announcement is None else announcement.announced_s,
        membership=membership,
    )
    want_quotes(zip(profiles, causes, strict=True))
    log.info("minute_decided", at=at.isoformat(), profiles=len(claimed), **stages.laps)


def closed_minute(now: datetime) -> datetime:
    """Return the newest minute boundary: what beat's tick, late or doubled, means."""
    return Timeframe.M1.floor(now)
