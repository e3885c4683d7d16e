"""Is it alive: the last runs, the minutes missed, what is waited for, the newest verdict of each symbol."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import redis
from django.conf import settings
from django.db import DatabaseError

from apps.audit import store as audit
from apps.audit.store import READY, Cause
from apps.engine.values.timeframe import Timeframe
from apps.exchange import venue
from apps.feed.announcement import redis_client
from apps.feed.models import StreamHealth
from apps.live import watch_state
from apps.live.models import MtfRun, RunStatus, Trigger
from apps.signals.models import MtfState

DUE_AFTER = timedelta(seconds=10)
"""A minute older than this must be decided: collecting takes 2.5 s at most, judging less."""
LOOK_BACK = timedelta(hours=1)
RUN_AGE_S = 120
STREAM_AGE_S = 10
CANDLE_AGE_S = 130
"""The newest 1m candle is up to 60 s old before the next one closes; here two are missing."""
JUDGED_WITHIN = timedelta(minutes=2)
"""An outcome whose candle ended longer ago is of a symbol nobody judges now."""


@dataclass(frozen=True)
class Pulse:
    """One profile: its newest run of the clock, and the minutes of the last hour nobody decided."""

    profile: str
    last: MtfRun | None
    missed: tuple[datetime, ...]


@dataclass(frozen=True)
class BoardRow:
    """One symbol; `causes` in the profiles' order, None where that profile has not judged it."""

    symbol: str
    causes: tuple[Cause | None, ...]

    @property
    def is_ready(self) -> bool:
        return any(cause is not None and cause.cause == READY for cause in self.causes)


def pulse(profile: str, now: datetime) -> Pulse:
    """Return the profile's newest run, and its missed minutes, the newest first.

    Missed are due minutes of the last hour, since the profile's first run, that have no decided run.
    """
    runs = MtfRun.objects.defer("result").filter(profile=profile, trigger=Trigger.BEAT).order_by("minute")
    first = runs.values_list("minute", flat=True).first()
    if first is None:
        return Pulse(profile, None, ())
    newest = Timeframe.M1.floor(now - DUE_AFTER)
    recent = runs.filter(status=RunStatus.DECIDED, minute__gt=newest - LOOK_BACK)
    decided = set(recent.values_list("minute", flat=True))
    due = (newest - timedelta(minutes=back) for back in range(LOOK_BACK // timedelta(minutes=1)))
    missed = tuple(minute for minute in due if minute >= first and minute not in decided)
    return Pulse(profile, runs.last(), missed)


def waiting_for(now: datetime) -> list[str]:
    """Return what is missing before the system is ready, each in words; empty when it is."""
    try:
        missing = _stream_faults(now)
        # Why nothing may be opened, whatever is ready.
        health = watch_state.account_health(venue.account(), now)
        if not health.reconciled:
            missing.append("watch: our books are not compared with the exchange's; is it running?")
        if health.unhealthy:
            missing.append(f"watch: {health.unhealthy}")
        decided = MtfRun.objects.filter(trigger=Trigger.BEAT, status=RunStatus.DECIDED).order_by("minute")
        for profile in settings.MTF_PROFILES:
            last = decided.filter(profile=profile).values_list("finished_at", flat=True).last()
            if last is None:
                missing.append(f"run: no minute of {profile} was decided yet")
            elif (age_s := (now - last).total_seconds()) > RUN_AGE_S:
                missing.append(f"run: {profile} was decided {age_s:.0f} s ago, not within {RUN_AGE_S} s")
    except DatabaseError:
        missing = ["database: does not answer"]
    try:
        redis_client().ping()
    except redis.RedisError:
        missing.append("broker: does not answer")
    return missing


def board(profiles: Sequence[str], now: datetime) -> list[BoardRow]:
    """Return what every profile said last of each symbol judged now: the ready first, each part by name."""
    judged = MtfState.objects.filter(expires_at__gt=now - JUDGED_WITHIN)
    symbols = sorted(set(judged.values_list("symbol", flat=True)))
    standing = [audit.newest_causes(profile, symbols) for profile in profiles]
    rows = [BoardRow(symbol, tuple(causes.get(symbol) for causes in standing)) for symbol in symbols]
    return sorted(rows, key=lambda row: not row.is_ready)


def _stream_faults(now: datetime) -> list[str]:
    streams = list(StreamHealth.objects.all())
    if not streams:
        return ["stream: never started"]
    faults = []
    for stream in streams:
        if not stream.connected:
            faults.append(f"stream {stream.name}: not connected")
        silent_s = (now - stream.updated_at).total_seconds()
        if silent_s > STREAM_AGE_S:
            faults.append(f"stream {stream.name}: no sign of life for {silent_s:.0f} s")
        if stream.last_candle_at is None:
            faults.append(f"stream {stream.name}: stored no candle yet")
        elif (age_s := (now - stream.last_candle_at).total_seconds()) > CANDLE_AGE_S:
            faults.append(f"stream {stream.name}: the newest candle closed {age_s:.0f} s ago")
    return faults
