"""TA-Lib for arrays alone. Its package imports pandas, where that is installed, to wrap its functions for it:
a second and 50 MiB of every process, for a wrapping that we take off again.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from inspect import unwrap
from typing import Any

import numpy as np

from apps.engine.frame import CLOSE, HIGH, Bools, Floats, Ints

_WITHOUT = "pandas"

if _WITHOUT in sys.modules:
    import talib
else:
    sys.modules[_WITHOUT] = None  # type: ignore[assignment]  # Python's own way to say "this one is absent"
    try:
        import talib
    finally:
        del sys.modules[_WITHOUT]

__all__ = ["COLUMNS", "fill_columns", "talib"]


# TA-Lib wraps its functions for pandas where pandas is installed; arrays go straight in.
ADX, ATR, BBANDS, EMA, MACD, RSI, SMA = (
    unwrap(function)
    for function in (talib.ADX, talib.ATR, talib.BBANDS, talib.EMA, talib.MACD, talib.RSI, talib.SMA)
)


def fill_columns(candles: Floats, late: Ints, length: Ints, into: Mapping[str, Floats]) -> Bools:
    """Fill `into` (some of COLUMNS, each (S, any width), right-aligned on the axis of `candles`, NaN before).

    A series is the contiguous `length` candles that end `late` before the end of (5, S, N). Returns (S,): the
    series whose indicators raised; their rows stay NaN.
    """
    failed = np.zeros(candles.shape[1], dtype=np.bool_)
    stops = (candles.shape[2] - late).tolist()
    asked = [call for call in _CALLS if into.keys() & call.names]
    outputs = [into.get(name) for call in asked for name in call.names]
    for row, (stop, count) in enumerate(zip(stops, length.tolist(), strict=True)):
        if count < 2:  # nothing is known from one candle
            continue
        high, low, close = candles[HIGH : CLOSE + 1, row, stop - count : stop]
        try:
            results = _series(asked, high, low, close)
        except Exception:  # one poison symbol never takes the others down: it is named, and stays NaN
            failed[row] = True
            continue
        behind = candles.shape[2] - stop
        for output, values in zip(outputs, results, strict=True):
            if output is not None:
                last = output.shape[1] - behind
                first = max(last - count, 0)
                if last > 0:
                    output[row, first:last] = values[count - last + first :]
    return failed


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


@dataclass(frozen=True)
class _Call:
    """What gives `names` (an array, or a tuple for several) from the close, or from high, low and close."""

    names: tuple[str, ...]
    function: Callable[..., Any]
    arguments: tuple[float, ...] = ()
    of_range: bool = False


def _series(calls: Sequence[_Call], high: Floats, low: Floats, close: Floats) -> list[Floats]:
    """The outputs of `calls` over one contiguous series, in their order."""
    outputs: list[Floats] = []
    for call in calls:
        prices = (high, low, close) if call.of_range else (close,)
        found = call.function(*prices, *call.arguments)
        outputs.extend(found if len(call.names) > 1 else (found,))
    return outputs


_CALLS = (
    _Call(("rsi",), _rsi),
    *(_Call((f"ema{period}",), EMA, (period,)) for period in (9, 20, 21, 50, 200)),
    *(_Call((f"sma{period}",), SMA, (period,)) for period in (9, 21)),
    _Call(("macd", "macd_signal", "macd_hist"), MACD, (12, 26, 9)),
    _Call(("atr",), ATR, (14,), of_range=True),
    _Call(("adx",), _adx, of_range=True),
    _Call(("bb_upper", "bb_middle", "bb_lower"), BBANDS, (20, 2.0, 2.0)),
)

COLUMNS = tuple(name for call in _CALLS for name in call.names)
