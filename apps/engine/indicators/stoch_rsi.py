"""Stochastic RSI: where the RSI stands within its own last 14 values, smoothed twice."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from apps.engine.frame import Floats
from apps.engine.indicators.tail import tail

PERIOD = 14
SMOOTHING = 3
RESOLUTION = 1e-9
"""RSI points. On a market that stands still the RSI only trembles in its last digits: that is no range."""


def stoch_rsi(rsi: Floats, depth: int) -> tuple[Floats, Floats]:
    """K and D, each (S, depth), of an RSI (S, N). K is the mean of 3 of TA-Lib's fastk, D the mean of 3 of K.

    NaN where one of the RSI values behind it is, and where their 14-range is 0 (TA-Lib says 0: oversold).
    """
    needed = tail(rsi, depth + PERIOD - 1 + 2 * (SMOOTHING - 1))
    lowest = _extreme(np.minimum, needed)
    spread = _extreme(np.maximum, needed) - lowest
    spread[spread <= RESOLUTION] = np.nan
    fast_k = (needed[:, PERIOD - 1 :] - lowest) / (spread / 100)
    k = _mean(fast_k)
    return k[:, SMOOTHING - 1 :], _mean(k)


def _extreme(pick: Callable[[Floats, Floats], Floats], values: Floats) -> Floats:
    """Rolling minimum or maximum of 14: of 2, 4, 8, and then of two eights that overlap by 2."""
    for shift in (1, 2, 4, 6):
        values = pick(values[:, :-shift], values[:, shift:])
    return values


def _mean(values: Floats) -> Floats:
    """Rolling mean of 3 by three slices: a running sum would carry one NaN to the end."""
    mean: Floats = (values[:, :-2] + values[:, 1:-1] + values[:, 2:]) / SMOOTHING
    return mean
