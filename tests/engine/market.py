"""Made-up candles for tests: a seeded random walk, and windows from any (5, S, N)."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np

from apps.engine.frame import CLOSE, HIGH, LOW, OPEN, VOLUME, Floats, Windows, windows
from apps.engine.values.timeframe import Timeframe

UNTIL = datetime(2025, 6, 3, 20, tzinfo=UTC)


def walk(series: int, count: int, *, seed: int = 1) -> Floats:
    """(5, series, count) lawful candles around 100, volumes above 0."""
    random = np.random.default_rng(seed)
    out = np.empty((5, series, count))
    out[CLOSE] = 100 * np.exp(np.cumsum(random.normal(0, 0.002, (series, count)), axis=1))
    out[OPEN] = np.roll(out[CLOSE], 1, axis=1)
    out[OPEN, :, 0] = 100
    spread = 1 + random.uniform(0, 0.001, (2, series, count))
    out[HIGH] = np.maximum(out[OPEN], out[CLOSE]) * spread[0]
    out[LOW] = np.minimum(out[OPEN], out[CLOSE]) / spread[1]
    out[VOLUME] = random.uniform(1, 100, (series, count))
    return out


def windows_of(candles: Floats, timeframe: Timeframe = Timeframe.M5, until: datetime = UNTIL) -> Windows:
    symbols = tuple(f"COIN{row}USDT" for row in range(candles.shape[1]))
    return windows(symbols, timeframe, until, candles)
