"""The shipped profiles on real candles: each becomes ready, on every side it takes."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import yaml

from apps.engine.cycle import evaluate
from apps.engine.frame import Frame
from apps.engine.indicators.columns import features
from apps.engine.profile import Profile
from apps.engine.values.timeframe import Timeframe
from tests.engine.frame_builder import whole
from tests.engine.real_candles import history

PROFILES = Path(__file__).resolve().parents[2] / "profiles"
SYMBOLS = ("BTCUSDT", "ETHUSDT", "SOLUSDT")
MOMENTS, ROWS, WARM_UP_HOURS = 500, 60, 700


def shipped(name: str) -> Profile:
    content, conditions = (
        yaml.safe_load((PROFILES / f"{file}.yaml").read_text("utf-8")) for file in (name, "conditions")
    )
    return Profile.load(content, conditions, name)


@pytest.mark.parametrize(
    ("name", "both"),
    [
        ("scalper_micro", {1, -1}),
        ("scalper", {1, -1}),
        ("regular", {1, -1}),
        ("classic", {1, -1}),
        ("crash", {-1}),
    ],
)
def test_a_shipped_profile_becomes_ready_on_its_sides(name: str, both: set[int]) -> None:
    profile = shipped(name)
    frames = {timeframe: _frame(timeframe) for timeframe in profile.timeframes}
    finest = frames[profile.timeframes[-1]].close_ms
    chosen = np.random.default_rng(3).choice(
        finest[finest > finest[0] + WARM_UP_HOURS * Timeframe.H1.ms], MOMENTS
    )
    sides: set[int] = set()
    for at_ms in chosen.tolist():
        known = whole(*(_until(frame, at_ms) for frame in frames.values()), symbols=SYMBOLS)
        [judgement] = evaluate(known, [profile], at=datetime.fromtimestamp(at_ms / 1000, UTC))
        sides |= set(judgement.side[judgement.ready].tolist())
    assert sides == both


@cache  # the profiles share most of them
def _frame(timeframe: Timeframe) -> Frame:
    candles = history(SYMBOLS, timeframe)
    frame, failed = features(candles, candles.candles.shape[2])
    assert failed == frozenset()
    return frame


def _until(frame: Frame, at_ms: int) -> Frame:
    """The newest rows closed at `at_ms`, as the live desk holds them."""
    end = int(np.searchsorted(frame.close_ms, at_ms, side="right"))
    columns = {name: values[:, end - ROWS : end] for name, values in frame.columns.items()}
    return Frame(frame.timeframe, frame.close_ms[end - ROWS : end], columns)
