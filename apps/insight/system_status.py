"""Is the desk alive: the last runs of the clock, the minutes it missed, and what it waits for."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import redis
from django.conf import settings
from django.db import DatabaseError

from apps.engine.values.timeframe import Timeframe
from apps.exchange import venue
from apps.feed.announce import connection
from apps.feed.models import StreamHealth
from apps.live import account_health
from apps.live.models import MtfRun, RunStatus, Trigger

DUE_AFTER = timedelta(seconds=10)
"""A minute older than this must be decided: collecting takes 2.5 s at most, judging less."""
LOOK_BACK = timedelta(hours=1)
RUN_AGE_S = 120
STREAM_AGE_S = 10
CANDLE_AGE_S = 130
"""The newest 1m candle is up to 60 s old before the next one closes; here two are missing."""


@dataclass(frozen=True)
class Pulse:
    """One profile: its newest run of the clock, and the minutes of the last hour nobody decided."""

    profile: str
    last: MtfRun | None
    missed: tuple[datetime, ...]


def pulse(profile: str, now: datetime) -> Pulse:
    runs = MtfRun.objects.defer("result").filter(profile=profile, trigger=Trigger.BEAT)
    return Pulse(profile, runs.order_by("minute").last(), tuple(_missed(profile, now)))


def waiting_for(now: datetime) -> list[str]:
    """What is missing before the desk is ready, each in words; empty when it is."""
    try:
        missing = [*_streams(now), *_watch(now), *_runs(now)]
    except DatabaseError:
        missing = ["database: does not answer"]
    try:
        connection().ping()
    except redis.RedisError:
        missing.append("broker: does not answer")
    return missing


def _missed(profile: str, now: datetime) -> list[datetime]:
    """Due minutes of the last hour, since the profile's first run, that have no decided run."""
    runs = MtfRun.objects.filter(profile=profile, trigger=Trigger.BEAT)
    first = runs.order_by("minute").values_list("minute", flat=True).first()
    if first is None:
        return []
    newest = Timeframe.M1.floor(now - DUE_AFTER)
    decided = set(
        runs.filter(status=RunStatus.DECIDED, minute__gt=newest - LOOK_BACK).values_list("minute", flat=True)
    )
    due = (newest - timedelta(minutes=back) for back in range(LOOK_BACK // timedelta(minutes=1)))
    return [minute for minute in due if minute >= first and minute not in decided]


def _streams(now: datetime) -> list[str]:
    streams = list(StreamHealth.objects.all())
    if not streams:
        return ["stream: never started"]
    return [f"stream {stream.name}: {fault}" for stream in streams for fault in _faults(stream, now)]


def _watch(now: datetime) -> list[str]:
    """Why nothing may be opened, whatever is ready."""
    found = account_health.of_account(venue.account(), now)
    faults = [] if found.reconciled else ["our books are not compared with the exchange's; is it running?"]
    return [f"watch: {fault}" for fault in (*faults, found.unhealthy) if fault]


def _faults(stream: StreamHealth, now: datetime) -> list[str]:
    faults = [] if stream.connected else ["not connected"]
    silent_s = (now - stream.updated_at).total_seconds()
    if silent_s > STREAM_AGE_S:
        faults.append(f"no sign of life for {silent_s:.0f} s")
    if stream.last_candle_at is None:
        faults.append("stored no candle yet")
    elif (age_s := (now - stream.last_candle_at).total_seconds()) > CANDLE_AGE_S:
        faults.append(f"the newest candle closed {age_s:.0f} s ago")
    return faults


def _runs(now: datetime) -> list[str]:
    return [text for profile in settings.MTF_PROFILES if (text := _run(profile, now))]


def _run(profile: str, now: datetime) -> str:
    decided = MtfRun.objects.filter(profile=profile, trigger=Trigger.BEAT, status=RunStatus.DECIDED)
    last = decided.order_by("minute").values_list("finished_at", flat=True).last()
    if last is None:
        return f"run: no minute of {profile} was decided yet"
    age_s = (now - last).total_seconds()
    return (
        f"run: {profile} was decided {age_s:.0f} s ago, not within {RUN_AGE_S} s" if age_s > RUN_AGE_S else ""
    )
