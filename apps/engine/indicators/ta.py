"""The columns TA-Lib computes, series by series, into arrays the caller made."""

from __future__ import annotations

from collections.abc import Mapping
from inspect import unwrap

import numpy as np
import talib

from apps.engine.frame import CLOSE, HIGH, Bools, Floats, Ints

COLUMNS = (
    "rsi",
    *("ema9", "ema20", "ema21", "ema50", "ema200"),
    *("sma9", "sma21"),
    *("macd", "macd_signal", "macd_hist"),
    *("atr", "adx"),
    *("bb_upper", "bb_middle", "bb_lower"),
)

# TA-Lib wraps its functions for pandas where pandas is installed; arrays go straight in.
ADX, ATR, BBANDS, EMA, MACD, RSI, SMA = (
    unwrap(function)
    for function in (talib.ADX, talib.ATR, talib.BBANDS, talib.EMA, talib.MACD, talib.RSI, talib.SMA)
)


def fill(candles: Floats, late: Ints, length: Ints, into: Mapping[str, Floats]) -> Bools:
    """Fill `into` (COLUMNS, each (S, any width), right-aligned on the axis of `candles`, NaN before).

    A series is the contiguous `length` candles that end `late` before the end of (5, S, N). Returns (S,): the
    series whose indicators raised; their rows stay NaN.
    """
    failed = np.zeros(candles.shape[1], dtype=np.bool_)
    stops = (candles.shape[2] - late).tolist()
    outputs = tuple(into[name] for name in COLUMNS)
    for row, (stop, count) in enumerate(zip(stops, length.tolist(), strict=True)):
        if count < 2:  # nothing is known from one candle
            continue
        high, low, close = candles[HIGH : CLOSE + 1, row, stop - count : stop]
        try:
            results = _series(high, low, close)
        except Exception:  # one poison symbol never takes the others down: it is named, and stays NaN
            failed[row] = True
            continue
        behind = candles.shape[2] - stop
        for output, result in zip(outputs, results, strict=True):
            last = output.shape[1] - behind
            first = max(last - count, 0)
            if last > 0:
                output[row, first:last] = result[count - last + first :]
    return failed


def _series(high: Floats, low: Floats, close: Floats) -> tuple[Floats, ...]:
    """One contiguous series in the order of COLUMNS."""
    return (
        _rsi(close),
        EMA(close, 9),
        EMA(close, 20),
        EMA(close, 21),
        EMA(close, 50),
        EMA(close, 200),
        SMA(close, 9),
        SMA(close, 21),
        *MACD(close, 12, 26, 9),
        ATR(high, low, close, 14),
        _adx(high, low, close),
        *BBANDS(close, 20, 2.0, 2.0),
    )


def _rsi(close: Floats) -> Floats:
    """RSI, NaN until the close has moved: without a gain or a loss TA-Lib says 0, oversold."""
    rsi: Floats = RSI(close, 14)
    if close[1] == close[0]:
        rsi[: _first(close != close[0])] = np.nan
    return rsi


def _adx(high: Floats, low: Floats, close: Floats) -> Floats:
    """ADX, NaN until there was a true range: without one TA-Lib says 0."""
    adx: Floats = ADX(high, low, close, 14)
    if high[1] == low[1]:
        still = close[0]
        adx[: _first((high[1:] != still) | (low[1:] != still)) + 1] = np.nan
    return adx


def _first(flags: Bools) -> int:
    """Index of the first True; the length when there is none."""
    return int(flags.argmax()) if flags.any() else len(flags)
