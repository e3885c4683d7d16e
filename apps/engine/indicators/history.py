"""Feature columns over a whole stretch of one symbol's candles, also across holes."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import numpy as np

from apps.engine.frame import CLOSE, Bools, Frame, Frames, Ints, Windows, windows
from apps.engine.indicators.columns import column_names, features
from apps.engine.values.timeframe import WINDOW, Timeframe

DEEPEST = 60
"""Rows a rule may look back on, its own included."""


def history(
    stretches: Mapping[Timeframe, Windows], wanted: Mapping[Timeframe, Collection[str]] | None = None
) -> Frames:
    """Return frames with one row a candle place of `stretches`, each (5, 1, N), of any length.

    Every row is what live knew at its close from a window of WINDOW[timeframe] candle places that ended
    there: indicators begin anew after a hole, a row in a hole is NaN, and `late`, `length` and `gap` (N,)
    measure that window. Columns differ from live's in one thing: they are settled over the whole contiguous
    past instead of the window (to 1e-4 relative). Only the timeframes and columns of `wanted`, and always
    the close, are computed (all by default). Raises ValueError for stretches of more than one symbol.
    """
    symbols = tuple({symbol for stretch in stretches.values() for symbol in stretch.symbols})
    if len(symbols) != 1:
        raise ValueError(f"a history is of one symbol, not of {len(symbols)}")
    frames: dict[Timeframe, Frame] = {}
    failed: dict[Timeframe, frozenset[str]] = {}
    measures: dict[Timeframe, Measures] = {}
    for timeframe, stretch in stretches.items():
        if wanted is None or timeframe in wanted:
            measures[timeframe] = _measures(stretch)
            columns = None if wanted is None else {"close", *wanted[timeframe]}
            frames[timeframe], failed[timeframe] = _frame(stretch, measures[timeframe], columns)
    return Frames(
        symbols=symbols,
        frames=frames,
        late={timeframe: late for timeframe, (late, _, _) in measures.items()},
        length={timeframe: length for timeframe, (_, length, _) in measures.items()},
        gap={timeframe: gap for timeframe, (_, _, gap) in measures.items()},
        failed=failed,
    )


Measures = tuple[Ints, Ints, Bools]


def _measures(stretch: Windows) -> Measures:
    """Return `late`, `length` and `gap` of the window that ended at each candle place."""
    present, window = ~np.isnan(stretch.candles[CLOSE, 0]), WINDOW[stretch.timeframe]
    at = np.arange(len(present))
    if present.all():
        return np.zeros_like(at), np.minimum(at + 1, window), np.zeros(len(at), dtype=bool)
    newest = np.maximum.accumulate(np.where(present, at, -1))
    began = np.maximum.accumulate(np.where(present, 0, at + 1))[newest]
    late = np.where(newest < 0, window, np.minimum(at - newest, window))
    length = np.where(late == window, 0, np.minimum(newest - began + 1, window - late))
    total = np.cumsum(present)
    before = np.concatenate([np.zeros(min(window, len(at)), dtype=total.dtype), total[:-window]])
    return late, length, total - before > length


def _frame(
    stretch: Windows, measures: Measures, wanted: Collection[str] | None
) -> tuple[Frame, frozenset[str]]:
    """Return the stretch's frame, computed run by run of contiguous candles, and the symbols that raised."""
    count = stretch.candles.shape[2]
    present = ~np.isnan(stretch.candles[CLOSE, 0])
    edges = np.flatnonzero(np.diff(np.concatenate([[False], present, [False]])))
    runs = [(int(first), int(stop)) for first, stop in edges.reshape(-1, 2)]
    raised: dict[str, frozenset[str]] = {}
    if runs == [(0, count)]:
        frame, failed = features(stretch, count, wanted=wanted)
        columns, raised = dict(frame.columns), dict(frame.raised)
    else:
        columns = {name: np.full((1, count), np.nan) for name in wanted or column_names(stretch.timeframe)}
        failed = frozenset()
        for first, stop in runs:
            until = stretch.until - (count - stop) * stretch.timeframe.duration
            run = windows(stretch.symbols, stretch.timeframe, until, stretch.candles[:, :, first:stop])
            part, failed_in_run = features(run, stop - first, wanted=wanted)
            failed |= failed_in_run
            raised = {name: raised.get(name, frozenset()) | who for name, who in part.raised.items()}
            for name, values in columns.items():
                values[:, first:stop] = part.columns[name]
    late, length, _ = measures
    looks_beyond = WINDOW[stretch.timeframe] < DEEPEST or len(runs) > 1
    lookback = late + length if looks_beyond else None
    return Frame(stretch.timeframe, stretch.close_ms, columns, lookback, raised), failed
