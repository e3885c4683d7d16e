"""Session VWAP: the mean typical price of the UTC day so far, weighted by volume."""

from __future__ import annotations

import numpy as np

from apps.engine.frame import CLOSE, HIGH, LOW, VOLUME, Floats
from apps.engine.indicators.tail import tail
from apps.engine.values.timeframe import Timeframe

DAY_MS = Timeframe.D1.ms


def vwap(candles: Floats, last_open_ms: int, timeframe: Timeframe, depth: int) -> Floats:
    """Last `depth` values, (S, depth), of (5, S, N) candles whose last column opens at `last_open_ms`.

    Typical price is (high + low + close) / 3; the anchor is 00:00 UTC of the day in which the candle opens.
    NaN unless every candle of the day so far is there, and while the day's volume is 0. The sums start at the
    anchor, so a value depends on its own day only and not on where the window begins.
    """
    per_day = DAY_MS // timeframe.ms
    first_open_ms = last_open_ms - (depth - 1) * timeframe.ms
    lead = first_open_ms % DAY_MS // timeframe.ms  # columns between the anchor and the first row
    recent = candles[:, :, -(lead + depth) :]
    traded = tail((recent[HIGH] + recent[LOW] + recent[CLOSE]) / 3 * recent[VOLUME], lead + depth)
    volume = tail(recent[VOLUME], lead + depth)
    total = np.empty_like(volume)
    for start in range(0, lead + depth, per_day):
        day = slice(start, start + per_day)
        np.cumsum(traded[:, day], axis=1, out=traded[:, day])
        np.cumsum(volume[:, day], axis=1, out=total[:, day])
    with np.errstate(invalid="ignore"):  # 0 / 0 while nothing was traded: NaN is the answer
        return traded[:, lead:] / total[:, lead:]
