"""The two wide shapes: candles over a time axis (Windows), and feature columns over the same axis (Frame).

Both are symbols × time, time rising along the last axis, so one series is contiguous. Live asks only for the
last row of a short frame of many symbols; a backtest asks for every row of a long frame of one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

import numpy as np
from numpy.typing import NDArray

from apps.engine.values.timeframe import Timeframe

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

OPEN, HIGH, LOW, CLOSE, VOLUME = range(5)


@dataclass(frozen=True)
class Windows:
    """Closed candles of one timeframe, right-aligned on one axis.

    `candles` is float64 (5, S, N) in the order open, high, low, close, volume (base coins); its last column
    is the candle that closes at `until`. A candle that is absent is NaN in all five. `late`, `length` and
    `gap` (each (S,)) are derived by `windows`: how many candles are missing at the head (N when there is
    none at all), how many contiguous ones end there, and whether older candles exist behind a hole.
    """

    symbols: tuple[str, ...]
    timeframe: Timeframe
    until: datetime
    candles: Floats
    late: Ints
    length: Ints
    gap: Bools

    @property
    def close_ms(self) -> Ints:
        """Return the close times of the columns, Unix milliseconds, (N,)."""
        return close_times(self.until, self.timeframe, self.candles.shape[2])

    def of_rows(self, rows: Ints) -> Windows:
        """Return the windows of the symbols at `rows`."""
        return Windows(
            tuple(self.symbols[row] for row in rows),
            self.timeframe,
            self.until,
            self.candles[:, rows],
            self.late[rows],
            self.length[rows],
            self.gap[rows],
        )

    def inside(self, depth: int) -> Bools:
        """Return (S, depth): whether each of the last `depth` rows lies in its symbol's contiguous window."""
        back = np.arange(depth, 0, -1) - 1  # candles between a row and the end of the axis
        late = self.late[:, np.newaxis]
        return (back >= late) & (back < late + self.length[:, np.newaxis])


def windows(symbols: tuple[str, ...], timeframe: Timeframe, until: datetime, candles: Floats) -> Windows:
    """Return `candles` (see Windows) measured. Raises ValueError for a wrong shape or boundary."""
    if candles.ndim != 3 or candles.shape[:2] != (5, len(symbols)):
        raise ValueError(f"candles have shape {candles.shape}, not (5, {len(symbols)}, N)")
    if until.tzinfo is not UTC or timeframe.floor(until) != until:
        raise ValueError(f"{until!r} is not an aware UTC multiple of {timeframe}")
    present = ~np.isnan(candles[CLOSE])
    total = present.shape[1]
    late = _run_from_end(~present)
    length = np.empty(len(symbols), dtype=np.int64)
    for missing in np.unique(late):  # one pass per lateness: almost always only zero
        rows = late == missing
        length[rows] = _run_from_end(present[rows, : total - missing])
    gap = present.sum(axis=1) > length
    return Windows(symbols, timeframe, until, candles, late, length, gap)


def close_times(until: datetime, timeframe: Timeframe, count: int) -> Ints:
    """Return the last `count` close times up to and including `until`, Unix milliseconds, rising."""
    last = int(until.timestamp() * 1000)
    return last - np.arange(count - 1, -1, -1, dtype=np.int64) * timeframe.ms


@dataclass(frozen=True)
class Frame:
    """Feature columns of one timeframe: float64 (S, T) by name, NaN where unknown; `close_ms` (T,).

    `close_ms` rises by one candle a row. Over a stretch with holes `lookback` (T,) says how many rows, its
    own included, a rule at a row may look back on: those of the contiguous window that ended there. None is
    all of them.
    `raised` names the symbols for which an extra indicator raised, by its name: its columns are NaN there.
    """

    timeframe: Timeframe
    close_ms: Ints
    columns: Mapping[str, Floats]
    lookback: Ints | None = None
    raised: Mapping[str, frozenset[str]] = field(default_factory=dict)


@dataclass(frozen=True)
class Frames:
    """All timeframes at one moment for all symbols, or over a stretch for one symbol.

    `late`, `length` and `gap` per timeframe are those of Windows, and say why a column is NaN: (S,) at one
    moment; over a stretch (T,), one for the window that ended at each row. `failed` names per timeframe the
    symbols whose indicators raised.
    """

    symbols: tuple[str, ...]
    frames: Mapping[Timeframe, Frame]
    late: Mapping[Timeframe, Ints]
    length: Mapping[Timeframe, Ints]
    gap: Mapping[Timeframe, Bools]
    failed: Mapping[Timeframe, frozenset[str]]


def tail(values: Floats, width: int) -> Floats:
    """Return the last `width` columns of (S, N): not copied, but where NaN must be put before them."""
    count = values.shape[1]
    if width <= count:
        return values[:, count - width :]
    padded = np.full((values.shape[0], width), np.nan)
    padded[:, width - count :] = values
    return padded


def _run_from_end(flags: Bools) -> Ints:
    """Return the length of the run of True that ends each row."""
    if flags.shape[1] == 0:
        return np.zeros(flags.shape[0], dtype=np.int64)
    reversed_false = ~flags[:, ::-1]
    first_false = reversed_false.argmax(axis=1)
    lengths: Ints = np.where(reversed_false.any(axis=1), first_false, flags.shape[1]).astype(np.int64)
    return lengths
