"""Warm windows compute extra indicators for the profiles that read them, and say what they cost."""

from __future__ import annotations

from datetime import datetime

import numpy as np
import pytest
import redis

from apps.engine.profile import Profile
from apps.live.minute import run_minute
from apps.live.models import MtfRun
from apps.live.recorder import RunRecorder
from apps.live.windows import Warm
from tests.live.desk import PLAIN
from tests.live.market import AT, LONG, M1, M5, M15, MINUTE, SHORT, fill, push

SYMBOLS = ("AUSDT", "BUSDT", "CUSDT")
COLUMN = "rsi(length=9).rsi"
EXTRA = Profile.load(
    {
        "name": "extra",
        "validation_mode": "strict",
        "context_timeframes": ["1m"],
        "execution_timeframes": [],
        "indicators": {"fast": {"kind": "rsi", "length": 9}},
        "timeframes": {"1m": {"long": ["fast.value > 50"]}},
    },
    {},
    "extra",
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def warm() -> Warm:
    fill(SYMBOLS, [M1, M5], count=70)
    windows = Warm(SYMBOLS, [PLAIN, EXTRA])
    windows.refresh(AT)
    return windows


def same_as_cold(warm: Warm, at: datetime) -> bool:
    cold = Warm(SYMBOLS, [PLAIN, EXTRA])
    cold.refresh(at)
    ours, theirs = (each.frames().frames[M1].columns for each in (warm, cold))
    return ours.keys() == theirs.keys() and all(
        np.array_equal(ours[name], theirs[name], equal_nan=True) for name in theirs
    )


def test_only_the_timeframe_that_is_read_has_them(warm: Warm) -> None:
    frames = warm.frames().frames
    assert COLUMN in frames[M1].columns
    assert COLUMN not in frames[M5].columns
    assert warm.extra_ms > 0


def test_what_changes_is_computed_anew_with_the_rest(warm: Warm) -> None:
    push("BUSDT", AT, SHORT)
    warm.refresh(AT)
    assert same_as_cold(warm, AT)
    for symbol, close in zip(SYMBOLS, (LONG, SHORT, LONG), strict=True):
        push(symbol, AT + MINUTE, close)
    warm.refresh(AT + MINUTE)
    assert same_as_cold(warm, AT + MINUTE)
    fell = warm.frames().frames[M1].columns[COLUMN][SYMBOLS.index("BUSDT"), -1]
    assert fell == 0


def test_a_refresh_without_news_costs_nothing(warm: Warm) -> None:
    warm.refresh(AT)
    assert warm.extra_ms == 0


def test_profiles_without_extras_ask_for_none() -> None:
    fill(SYMBOLS, [M1, M5], count=70)
    plain = Warm(SYMBOLS, [PLAIN])
    plain.refresh(AT)
    assert plain.extra_ms == 0
    assert COLUMN not in plain.frames().frames[M1].columns
    assert not plain.covers(SYMBOLS, EXTRA)
    assert Warm(SYMBOLS, [PLAIN, EXTRA]).covers(SYMBOLS, EXTRA)


def test_the_runs_timings_show_the_stage(broker: redis.Redis) -> None:
    fill(SYMBOLS, [M1, M5, M15], count=700)
    run_minute(
        AT,
        profiles=[EXTRA],
        warm=Warm(SYMBOLS, [EXTRA]),
        recorder=RunRecorder(),
        client=broker,
        now=AT + MINUTE / 20,
    )
    run = MtfRun.objects.get()
    assert run.timings["extra_ms"] > 0
    assert run.timings["windows_ms"] >= 0
    assert run.counts["symbols"] == len(SYMBOLS)
