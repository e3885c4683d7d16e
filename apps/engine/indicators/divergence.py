"""Divergence of price and an oscillator, from the last two confirmed swings of each."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from apps.engine.frame import Bools, Floats, Ints, tail

LOOKBACK = 60
"""Both swings lie inside this many candles, the present one included."""

WING = 3
"""A swing is strictly beyond this many candles on each side, hence known this many candles late."""

CANDLES_BEFORE = LOOKBACK - 1 + WING
"""How many candles before its own a value looks at."""


def bullish_divergence(low: Floats, oscillator: Floats, depth: int) -> Floats:
    """Return 1 where price made a lower low and the oscillator a higher one, else 0.

    (S, depth) of two (S, N). Each of the two is judged by its own swings. NaN where either is unknown at one
    of the candles looked at.
    """
    price, swings = tail(low, depth + CANDLES_BEFORE), tail(oscillator, depth + CANDLES_BEFORE)
    lower_low = _earlier_low(price, np.less)[:, LOOKBACK - 1 : -WING]
    higher_low = _earlier_low(swings, np.greater)[:, LOOKBACK - 1 : -WING]
    oldest = np.arange(WING, WING + depth)  # the first column inside each row's look-back
    diverges = ((lower_low >= oldest) & (higher_low >= oldest)).astype(np.float64)
    unknown = np.isnan(price) | np.isnan(swings)
    if unknown.any():  # is one of the columns up to a row's own unknown?
        newest_unknown = np.maximum.accumulate(np.where(unknown, np.arange(unknown.shape[1]), -1), axis=1)
        diverges[newest_unknown[:, CANDLES_BEFORE:] >= np.arange(depth)] = np.nan
    return diverges


def bearish_divergence(high: Floats, oscillator: Floats, depth: int) -> Floats:
    """Return 1 where price made a higher high and the oscillator a lower one; mirrors bullish_divergence."""
    return bullish_divergence(
        -tail(high, depth + CANDLES_BEFORE), -tail(oscillator, depth + CANDLES_BEFORE), depth
    )


def _earlier_low(values: Floats, goes: Callable[[Floats, Floats], Bools]) -> Ints:
    """Return (S, W): at each column the column of the swing low before the newest.

    It is -1 unless `goes(newest, before)`. Lows are listed row after row. Each row's list opens with its
    column 0, which is never a low: it parts the rows, and lies before every look-back.
    """
    middle = values[:, WING:-WING]
    below_wings = np.ones(middle.shape, dtype=np.bool_)
    for shift in range(2 * WING + 1):
        if shift != WING:
            below_wings &= middle < values[:, shift : shift + middle.shape[1]]
    is_low = np.zeros(values.shape, dtype=np.bool_)
    is_low[:, 0] = True
    is_low[:, WING:-WING] = below_wings

    rows, columns = np.nonzero(is_low)
    lows = values[rows, columns]
    earlier = np.full(len(columns), -1)
    earlier[1:] = np.where(goes(lows[1:], lows[:-1]), columns[:-1], -1)
    earlier[columns == 0] = -1
    newest = np.cumsum(is_low).reshape(values.shape) - 1
    before_newest: Ints = earlier[newest]
    return before_newest
