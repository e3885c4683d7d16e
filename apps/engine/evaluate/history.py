"""What one profile says of one symbol at every moment of the past, by the very code that judges live."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from apps.engine.evaluate.decided import Decided, Value, decide
from apps.engine.evaluate.explain import moment
from apps.engine.evaluate.timeframe import TimeframeJudgement, judge_candles
from apps.engine.evaluate.verdict import Verdict
from apps.engine.frame import Frames, Ints
from apps.engine.profile import Profile
from apps.engine.rules.view import View
from apps.engine.values.timeframe import Timeframe

UNDECIDED = -1
"""The deciding candle's open where nothing is ready."""


@dataclass(frozen=True, eq=False, kw_only=True)
class History(Decided):
    """One row a moment of `closes_ms` (Unix ms, closes of 1m candles, any order).

    `timeframes` are judged at each of their own candles: their arrays run over the axis of the timeframe's
    frame, `frames.frames[timeframe].close_ms`. `rows[timeframe]` says per moment which of them had closed
    last; an outcome stands until the next one.

    The answer at a moment is the live minute's, on the same candles. What live may see besides: a candle that
    comes too late (grace, `candle_late` until it is there). A candle that is absent here never came: at its
    close, and while the hole lasts, the timeframe is `candle_late`; after the hole `candle_gap` until enough
    candles follow one another again.
    """

    frames: Frames
    closes_ms: Ints
    rows: Mapping[Timeframe, Ints]

    @property
    def symbol(self) -> str:
        return self.frames.symbols[0]

    @cached_property
    def candle_open_ms(self) -> Ints:
        """Open of the deciding candle, Unix ms; UNDECIDED where not ready."""
        found = np.full(len(self.closes_ms), UNDECIDED, dtype=np.int64)
        for index, one in enumerate(self.execution):
            chosen = self.execution_index == index
            found[chosen] = one.candle_open_ms[self.rows[one.timeframe][chosen]]
        return found

    def verdict(self, row: int) -> Verdict:
        """Everything about one moment, every leaf included."""
        return self._verdict(self.symbol, moment(int(self.closes_ms[row])), row)

    def on_rows(self, one: TimeframeJudgement, values: NDArray[Value]) -> NDArray[Value]:
        return values[self.rows[one.timeframe]]

    def place(self, one: TimeframeJudgement, row: int) -> int:
        return int(self.rows[one.timeframe][row])


def judge_history(frames: Frames, profile: Profile, closes_ms: Ints) -> History:
    """Judge the one symbol of `frames` (as `indicators.history` makes them) at each of `closes_ms`.

    LookupError when the frames lack a timeframe or column that the profile reads; ValueError when they hold
    more than one symbol, or a moment lies outside of one of them.
    """
    if len(frames.symbols) != 1:
        raise ValueError(f"a history is of one symbol, not of {len(frames.symbols)}")
    rows = {
        timeframe: _rows(frame.close_ms, timeframe, closes_ms) for timeframe, frame in frames.frames.items()
    }
    views = {
        timeframe: View(frames.frames, timeframe, rows=len(frame.close_ms))
        for timeframe, frame in frames.frames.items()
    }
    timeframes = tuple(
        judge_candles(frames, judged, views[judged.timeframe], minimum=profile.minimum(judged.timeframe))
        for judged in profile.judged
    )
    side, reason_code, chosen = decide(
        timeframes, profile.validation_mode, len(closes_ms), lambda one, values: values[rows[one.timeframe]]
    )
    return History(
        profile=profile,
        timeframes=timeframes,
        side=side,
        reason_code=reason_code,
        execution_index=chosen,
        frames=frames,
        closes_ms=closes_ms,
        rows=rows,
    )


def _rows(axis_ms: Ints, timeframe: Timeframe, closes_ms: Ints) -> Ints:
    """Index of the newest of `axis_ms` closed at each moment."""
    rows: Ints = (closes_ms - axis_ms[0]) // timeframe.ms
    if len(rows) and not 0 <= rows.min() <= rows.max() < len(axis_ms):
        wrong = closes_ms[((rows < 0) | (rows >= len(axis_ms))).argmax()]
        raise ValueError(
            f"at {moment(int(wrong))} no {timeframe} candle is at hand: the frame's close from "
            f"{moment(int(axis_ms[0]))} to {moment(int(axis_ms[-1]))}"
        )
    return rows
