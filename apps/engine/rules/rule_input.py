"""What rules are given: rows of columns, aligned over timeframes, each read and worked out once."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from functools import cached_property
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from apps.engine.frame import Bools, Floats, Frame, Ints
from apps.engine.values.timeframe import Timeframe

Result = TypeVar("Result")
Number = TypeVar("Number", np.float64, np.int8, np.bool_)


class RuleInput:
    """`rows` candles of `timeframe` for all symbols, the last of them `lag` candles before the frame's last.

    Live judges one row of many symbols, a backtest every row of one. All arrays are (S, rows); a value that
    is missing, not finite or older than the frame is NaN. What was read and worked out is kept.
    """

    def __init__(
        self, frames: Mapping[Timeframe, Frame], timeframe: Timeframe, *, rows: int = 1, lag: int = 0
    ) -> None:
        self._frames = frames
        self._timeframe = timeframe
        self._rows = rows
        self._lag = lag
        self._known: dict[object, Any] = {}

    def flat(self, values: NDArray[Number]) -> NDArray[Number]:
        """Return `values`, (S, rows) or broadcastable to it, along the one axis that is longer than one."""
        if values.shape != self._shape:
            values = np.broadcast_to(values, self._shape)
        return values.reshape(-1)

    def once(self, key: Hashable, work_out: Callable[[], Result]) -> Result:
        """Return what `work_out` gives, worked out the first time that `key` is asked for."""
        if key not in self._known:
            self._known[key] = work_out()
        known: Result = self._known[key]
        return known

    def column(self, name: str, lag: int, back: int) -> Floats:
        """Return the judged timeframe's column, `lag + back` candles before each row."""
        ago = lag + back
        if (name, ago) not in self._known:
            values = column_of(self._frames, self._timeframe, name)
            lookback, newest = self._frames[self._timeframe].lookback, values.shape[1] - self._lag
            start, stop = newest - ago - self._rows, newest - ago
            if start >= 0:
                rows = values[:, start:stop]
            else:
                rows = np.full((values.shape[0], self._rows), np.nan)
                rows[:, max(-start, 0) :] = values[:, : max(stop, 0)]
            if ago > 0 and lookback is not None:
                rows = np.where(lookback[newest - self._rows : newest] > ago, rows, np.nan)
            self._known[name, ago] = finite(rows)
        known: Floats = self._known[name, ago]
        return known

    def other_column(self, timeframe: Timeframe, name: str, lag: int, back: int) -> Floats:
        """Return another timeframe's column, `lag` candles before its newest closed `back` rows ago."""
        key = (timeframe, name, lag, back)
        if key not in self._known:
            values = column_of(self._frames, timeframe, name)
            frame = self._frames[timeframe]
            newest, present = self.once((timeframe, back), lambda: self._newest(frame, back))
            present = present & (newest >= lag)
            if frame.lookback is not None:
                heads, there = self.once((timeframe, 0), lambda: self._newest(frame, 0))
                present &= there & (frame.lookback[heads] > heads - newest + lag)
            self._known[key] = finite(np.where(present, values[:, np.maximum(newest - lag, 0)], np.nan))
        known: Floats = self._known[key]
        return known

    def optional_column(self, name: str, back: int) -> Floats:
        """Return what `column` does; NaN when the frame has no such column."""
        if name in self._frames[self._timeframe].columns:
            return self.column(name, 0, back)
        return np.array([[np.nan]])

    @cached_property
    def _shape(self) -> tuple[int, int]:
        return next(iter(self._frames[self._timeframe].columns.values())).shape[0], self._rows

    def _newest(self, frame: Frame, back: int) -> tuple[Ints, Bools]:
        """Return per row the column of `frame` that had closed last `back` candles ago; whether it exists."""
        last = self._frames[self._timeframe].close_ms[-1]
        ago = np.arange(self._rows - 1, -1, -1, dtype=np.int64) + self._lag + back
        closes = np.asarray(last - ago * self._timeframe.ms, dtype=np.int64)
        newest = (closes - int(frame.close_ms[0])) // frame.timeframe.ms
        there = (newest >= 0) & (newest < len(frame.close_ms))
        return np.where(there, newest, 0), there


def finite(values: Floats) -> Floats:
    """Return `values` with NaN for what is not a finite number; the same array where all are."""
    infinite = np.isinf(values)
    return np.where(infinite, np.nan, values) if infinite.any() else values


def column_of(frames: Mapping[Timeframe, Frame], timeframe: Timeframe, name: str) -> Floats:
    """Return one column (S, T). Raises LookupError naming the timeframe or column when the frames lack it."""
    if timeframe not in frames:
        raise LookupError(f"a rule reads {timeframe} but the frames hold {', '.join(frames) or 'nothing'}")
    columns = frames[timeframe].columns
    if name not in columns:
        raise LookupError(f"a rule reads {name} of {timeframe}, which that frame lacks")
    return columns[name]
