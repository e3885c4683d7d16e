"""Volume ratio: a candle's volume against the mean of those before it."""

from __future__ import annotations

import numpy as np

from apps.engine.frame import Floats
from apps.engine.indicators.tail import tail

BEFORE = 20
"""Candles in the mean; the present one is not among them."""


def volume_ratio(volume: Floats, depth: int) -> Floats:
    """Last `depth` values, (S, depth), of volumes (S, N).

    NaN where one of the 20 candles before is absent, or none of them traded. The 20 are added in a fixed
    order, so a value is the same to the bit for every depth.
    """
    recent = tail(volume, depth + BEFORE)
    total = np.zeros((volume.shape[0], depth))
    for start in range(BEFORE):
        total += recent[:, start : start + depth]
    total[total == 0] = np.nan
    ratio: Floats = recent[:, BEFORE:] / (total / BEFORE)
    return ratio
