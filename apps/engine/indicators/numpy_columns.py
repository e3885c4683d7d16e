"""Columns that numpy computes, all series at once: session VWAP, volume ratio, StochRSI and floor pivots."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from apps.engine.frame import CLOSE, HIGH, LOW, VOLUME, Floats, tail
from apps.engine.values.timeframe import Timeframe

DAY_MS = Timeframe.D1.ms


def vwap(candles: Floats, last_open_ms: int, timeframe: Timeframe, depth: int) -> Floats:
    """Return the last `depth` session VWAPs, (S, depth), of (5, S, N) candles.

    The last column opens at `last_open_ms`. Typical price is (high + low + close) / 3; the anchor is 00:00
    UTC of the day in which the candle opens. NaN unless every candle of the day so far is there, and while
    the day's volume is 0. The sums start at the anchor, so a value depends on its own day only and not on
    where the window begins.
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


BEFORE = 20
"""Candles in the mean; the present one is not among them."""


def volume_ratio(volume: Floats, depth: int) -> Floats:
    """Return volume by the mean of the 20 candles before: the last `depth` of volumes (S, N), (S, depth).

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


PERIOD = 14
SMOOTHING = 3
RESOLUTION = 1e-9
"""RSI points. On a market that stands still the RSI only trembles in its last digits: that is no range."""


def stoch_rsi(rsi: Floats, depth: int) -> tuple[Floats, Floats]:
    """Return K and D, each (S, depth), of an RSI (S, N).

    K is the mean of 3 of TA-Lib's fastk, D the mean of 3 of K. NaN where one of the RSI values behind it is,
    and where their 14-range is 0 (TA-Lib says 0: oversold).
    """
    needed = tail(rsi, depth + PERIOD - 1 + 2 * (SMOOTHING - 1))
    lowest = _extreme(np.minimum, needed)
    spread = _extreme(np.maximum, needed) - lowest
    spread[spread <= RESOLUTION] = np.nan
    fast_k = (needed[:, PERIOD - 1 :] - lowest) / (spread / 100)
    k = _mean(fast_k)
    return k[:, SMOOTHING - 1 :], _mean(k)


def _extreme(pick: Callable[[Floats, Floats], Floats], values: Floats) -> Floats:
    """Return the rolling minimum or maximum of 14: of 2, 4, 8, and then of two eights that overlap by 2."""
    for shift in (1, 2, 4, 6):
        values = pick(values[:, :-shift], values[:, shift:])
    return values


def _mean(values: Floats) -> Floats:
    """Return the rolling mean of 3 by three slices: a running sum would carry one NaN to the end."""
    mean: Floats = (values[:, :-2] + values[:, 1:-1] + values[:, 2:]) / SMOOTHING
    return mean


PIVOTS = ("pivot", *(f"r{k}" for k in range(1, 7)), *(f"s{k}" for k in range(1, 7)))


def pivots(candles: Floats, depth: int) -> dict[str, Floats]:
    """Return PIVOTS of 1d candles (5, S, N), each (S, depth): row t is made from the day that closes at t.

    P = (H + L + C) / 3; R1 = 2P - L, R2 = P + (H - L), Rk = H + (k - 1)(P - L) from R3 on, and mirrored S.
    """
    high, low, close = (tail(candles[column], depth) for column in (HIGH, LOW, CLOSE))
    pivot = (high + low + close) / 3
    levels = {"pivot": pivot, "r1": 2 * pivot - low, "s1": 2 * pivot - high}
    levels |= {"r2": pivot + (high - low), "s2": pivot - (high - low)}
    for k in range(3, 7):
        levels[f"r{k}"] = high + (k - 1) * (pivot - low)
        levels[f"s{k}"] = low - (k - 1) * (high - pivot)
    return levels
