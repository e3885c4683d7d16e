"""The selection of a moment of the past is the live one: same walk, same metrics, same leaves."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import numpy as np

from apps.engine.cycle import evaluate, replay
from apps.engine.evaluate.judgement import PastJudgement
from apps.engine.frame import Frame
from apps.engine.indicators.history import history
from apps.engine.profile import Profile
from apps.engine.values.reason import Reason
from apps.engine.values.timeframe import Timeframe
from tests.engine.frame_builder import H1, M1, M5, M15, whole
from tests.engine.real_candles import history as candles
from tests.engine.trade_builder import entry_of

SYMBOL = "SOLUSDT"
ROWS, MOMENTS = 60, 300
SELECTION = {
    "15m": {
        "stay_on_if": ["spread_bps < 3"],
        "drop_to_lower_if_any": ["entry_zone_width_pct > 0.35", "expected_r_multiple < 1.2"],
        "forbid_drop_to_lower_if_any": ["volume_ratio > 1.5"],
    },
    "5m": {"drop_to_lower_if_any": ["expected_r_multiple < 1.2"]},
    "1m": {"drop_to_lower_if_any": ["volume_ratio < 0.7"]},
}
SIDES = {"long": ["close > ema20"], "short": ["close < ema20"]}
CONTENT: dict[str, Any] = {
    "name": "choosy",
    "validation_mode": "pragmatic",
    "context_timeframes": ["1h"],
    "execution_timeframes": ["15m", "5m", "1m"],
    "timeframes": {"1h": SIDES, "15m": SIDES, "5m": SIDES, "1m": SIDES},
    "selection": SELECTION,
    "entry": entry_of("regular", zone=entry_of("regular").content()["zone"] | {"timeframe": "5m"}).content(),
}


def test_a_selection_decides_the_past_as_it_decided_live() -> None:
    profile = Profile.load(CONTENT, {}, "choosy.yaml")
    stretches = {timeframe: candles((SYMBOL,), timeframe) for timeframe in (H1, M15, M5, M1)}
    frames = history(stretches)
    axis = frames.frames[M1].close_ms
    chosen = np.sort(np.random.default_rng(8).choice(axis[-20_000:], MOMENTS, replace=False))
    past = replay(frames, profile, chosen)
    for row, at_ms in enumerate(chosen.tolist()):
        cut = whole(*(_until(frame, at_ms) for frame in frames.frames.values()), symbols=[SYMBOL])
        [live] = evaluate(cut, [profile], at=datetime.fromtimestamp(at_ms / 1000, UTC))
        assert past.verdict(row) == live.verdict(SYMBOL)
    assert set(_decided(past)) == {M15, M5, M1, Reason.NO_TIMEFRAME_SELECTED, Reason.EXECUTION_SIDE_MISMATCH}


def _decided(past: PastJudgement) -> list[Timeframe | Reason]:
    both = zip(past.execution_timeframe, past.reason, strict=True)
    return [timeframe or reason for timeframe, reason in both]


def _until(frame: Frame, at_ms: int) -> Frame:
    """The newest rows closed at `at_ms`, as the live desk holds them."""
    end = int(np.searchsorted(frame.close_ms, at_ms, side="right"))
    columns = {name: values[:, end - ROWS : end] for name, values in frame.columns.items()}
    return Frame(frame.timeframe, frame.close_ms[end - ROWS : end], columns)
