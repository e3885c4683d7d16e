"""Where a rule looks: rows of columns, aligned over timeframes, read once each."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from apps.engine.frame import Floats, Frame, Ints
from apps.engine.values.timeframe import Timeframe


class View:
    """`rows` candles of `timeframe` for all symbols, the last of them `lag` candles before the frame's last.

    Live asks one row of many symbols, a backtest every row of one. All arrays are (S, rows); a value that is
    missing, not finite or older than the frame is NaN. A view remembers what it has read.
    """

    def __init__(
        self, frames: Mapping[Timeframe, Frame], timeframe: Timeframe, *, rows: int = 1, lag: int = 0
    ) -> None:
        self._frames = frames
        self._timeframe = timeframe
        self._rows = rows
        self._lag = lag
        self._read: dict[object, Floats] = {}

    def column(self, name: str, lag: int, back: int) -> Floats:
        """The own column, `lag + back` candles before each row."""
        return self._once((name, lag + back), lambda: self._slice(name, lag + back))

    def other(self, timeframe: Timeframe, name: str, lag: int, back: int) -> Floats:
        """Another timeframe's column, `lag` of its candles before the newest closed at the row `back` ago."""
        return self._once((timeframe, name, lag, back), lambda: self._align(timeframe, name, lag, back))

    def _once(self, key: object, read: Callable[[], Floats]) -> Floats:
        values = self._read.get(key)
        if values is None:
            values = self._read[key] = finite(read())
        return values

    def _slice(self, name: str, lag: int) -> Floats:
        values = column_of(self._frames, self._timeframe, name)
        stop = values.shape[1] - self._lag - lag
        start = stop - self._rows
        if start >= 0:
            return values[:, start:stop]
        padded = np.full((values.shape[0], self._rows), np.nan)
        if stop > 0:
            padded[:, -stop:] = values[:, :stop]
        return padded

    def _align(self, timeframe: Timeframe, name: str, lag: int, back: int) -> Floats:
        values = column_of(self._frames, timeframe, name)
        axis = self._frames[timeframe].close_ms
        closes = self._closes(back)
        newest = np.searchsorted(axis, closes, side="right") - 1
        current = (newest >= lag) & (axis[newest] == closes - closes % timeframe.ms)
        return np.where(current, values[:, np.maximum(newest - lag, 0)], np.nan)

    def _closes(self, back: int) -> Ints:
        """Close times of the rows `back` candles ago, Unix milliseconds."""
        last = self._frames[self._timeframe].close_ms[-1]
        ago = np.arange(self._rows - 1, -1, -1, dtype=np.int64) + self._lag + back
        return np.asarray(last - ago * self._timeframe.ms, dtype=np.int64)


def finite(values: Floats) -> Floats:
    """`values` with NaN for everything that is not a finite number."""
    return np.where(np.isfinite(values), values, np.nan)


def column_of(frames: Mapping[Timeframe, Frame], timeframe: Timeframe, name: str) -> Floats:
    """One column (S, T). LookupError naming the timeframe or column when the frames lack it."""
    if timeframe not in frames:
        raise LookupError(f"a rule reads {timeframe} but the frames hold {', '.join(frames) or 'nothing'}")
    columns = frames[timeframe].columns
    if name not in columns:
        raise LookupError(f"a rule reads {name} of {timeframe}, which that frame lacks")
    return columns[name]
