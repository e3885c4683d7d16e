"""The past as live met it: what the live minute would hold and say at one moment of a long stretch."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

import numpy as np

from apps.engine.cycle import evaluate
from apps.engine.evaluate.verdict import Verdict
from apps.engine.frame import Frame, Frames, Windows, windows
from apps.engine.indicators.columns import column_names, features
from apps.engine.profile import Profile
from apps.engine.values.timeframe import WINDOW, Timeframe

DEPTH = 60
"""Rows of features that live keeps."""

Stretches = Mapping[Timeframe, Windows]


def moment(at_ms: int) -> datetime:
    return datetime.fromtimestamp(at_ms / 1000, UTC)


def window_at(stretch: Windows, at_ms: int) -> Windows:
    """The window that ended at `at_ms`, cut out of `stretch`: absent candles before its beginning."""
    end = int(np.searchsorted(stretch.close_ms, at_ms, side="right"))
    length = WINDOW[stretch.timeframe]
    candles = np.full((5, 1, length), np.nan)
    known = stretch.candles[:, :, max(end - length, 0) : end]
    candles[:, :, length - known.shape[2] :] = known
    return windows(stretch.symbols, stretch.timeframe, stretch.timeframe.floor(moment(at_ms)), candles)


def live_frames(stretches: Stretches, at_ms: int, extras: frozenset[str] = frozenset()) -> Frames:
    """Frames as the live worker makes them, from windows alone: every column, and those of `extras`."""
    measured = {timeframe: window_at(stretch, at_ms) for timeframe, stretch in stretches.items()}
    wanted = {timeframe: {*column_names(timeframe), *extras} for timeframe in measured}
    frames = {
        timeframe: features(windows, DEPTH, wanted=wanted[timeframe])[0]
        for timeframe, windows in measured.items()
    }
    return _frames(measured, frames)


def cut_frames(frames: Frames, stretches: Stretches, at_ms: int) -> Frames:
    """The last rows of the history's own columns at `at_ms`, with what live measures of the windows."""
    measured = {timeframe: window_at(stretches[timeframe], at_ms) for timeframe in frames.frames}
    return _frames(measured, {timeframe: _cut(frame, at_ms) for timeframe, frame in frames.frames.items()})


def verdict_at(frames: Frames, profile: Profile, at_ms: int) -> Verdict:
    [judgement] = evaluate(frames, [profile], at=moment(at_ms))
    return judgement.verdict(frames.symbols[0])


def _cut(frame: Frame, at_ms: int) -> Frame:
    end = int(np.searchsorted(frame.close_ms, at_ms, side="right"))
    newest = slice(max(end - DEPTH, 0), end)
    columns = {name: values[:, newest] for name, values in frame.columns.items()}
    return Frame(frame.timeframe, frame.close_ms[newest], columns)


def _frames(measured: Stretches, frames: Mapping[Timeframe, Frame]) -> Frames:
    [symbols] = {windows.symbols for windows in measured.values()}
    return Frames(
        symbols=symbols,
        frames=frames,
        late={timeframe: windows.late for timeframe, windows in measured.items()},
        length={timeframe: windows.length for timeframe, windows in measured.items()},
        gap={timeframe: windows.gap for timeframe, windows in measured.items()},
        failed={timeframe: frozenset() for timeframe in measured},
    )
