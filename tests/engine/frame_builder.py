"""Frames from the few columns a test names; everything else is NaN."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

import numpy as np

from apps.engine.frame import Floats, Frame, Frames, close_times
from apps.engine.indicators.columns import COLUMNS
from apps.engine.indicators.numpy_columns import PIVOTS
from apps.engine.values.timeframe import Timeframe

AT = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
NAN = float("nan")
M1, M5, M15, H1, H4, D1 = Timeframe

Series = float | Sequence[float] | Floats
"""A column of one symbol, oldest first, right-aligned; a number is the same everywhere."""


def frame(
    timeframe: Timeframe, columns: Mapping[str, Sequence[Series]], *, rows: int = 60, at: datetime = AT
) -> Frame:
    """`columns[name][symbol]` is that symbol's Series; all columns given have one Series a symbol."""
    symbols = max((len(series) for series in columns.values()), default=1)
    names = (*COLUMNS, *PIVOTS) if timeframe == D1 else COLUMNS
    arrays = {name: np.full((symbols, rows), np.nan) for name in (*names, *columns)}
    for name, series in columns.items():
        for symbol, values in enumerate(series):
            if isinstance(values, int | float):
                arrays[name][symbol] = values
            else:
                arrays[name][symbol, rows - len(values) :] = values
    return Frame(timeframe, close_times(timeframe.floor(at), timeframe, rows), arrays)


def one(timeframe: Timeframe = M5, *, rows: int = 60, **columns: Series) -> dict[Timeframe, Frame]:
    """One symbol in one timeframe."""
    return {timeframe: frame(timeframe, {name: [series] for name, series in columns.items()}, rows=rows)}


def whole(*frames: Frame, symbols: Sequence[str] = ("BTCUSDT",), length: int = 990) -> Frames:
    """Frames in which no candle is late or missing and nothing raised."""
    named = {frame.timeframe: frame for frame in frames}
    count = len(symbols)
    return Frames(
        tuple(symbols),
        named,
        late={timeframe: np.zeros(count, np.int64) for timeframe in named},
        length={timeframe: np.full(count, length, np.int64) for timeframe in named},
        gap={timeframe: np.zeros(count, bool) for timeframe in named},
        failed={timeframe: frozenset() for timeframe in named},
    )
