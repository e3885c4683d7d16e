"""The columns TA-Lib computes, series by series, into arrays the caller made."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from inspect import unwrap
from typing import Any

import numpy as np

from apps.engine.frame import CLOSE, HIGH, Bools, Floats, Ints

# TA-Lib's package imports pandas, where that is installed, to wrap its functions for it: a second and 50 MiB
# of every process, for a wrapping that is taken off again below. So it is imported as if pandas were absent.
if "pandas" in sys.modules:
    import talib
else:
    sys.modules["pandas"] = None  # type: ignore[assignment]  # Python's own way to say "this one is absent"
    try:
        import talib
    finally:
        del sys.modules["pandas"]

__all__ = ["COLUMNS", "fill_columns", "series_columns", "talib"]

# TA-Lib wraps its functions for pandas where pandas is installed; arrays go straight in.
ADX, ATR, BBANDS, EMA, MACD, RSI, SMA = (
    unwrap(function)
    for function in (talib.ADX, talib.ATR, talib.BBANDS, talib.EMA, talib.MACD, talib.RSI, talib.SMA)
)


def fill_columns(candles: Floats, late: Ints, length: Ints, into: Mapping[str, Floats]) -> Bools:
    """Fill `into` (some of COLUMNS, each (S, any width), right-aligned on the axis of `candles`, NaN before).

    A series is the contiguous `length` candles that end `late` before the end of (5, S, N). Return (S,): the
    series whose indicators raised; their rows stay NaN.
    """
    failed = np.zeros(candles.shape[1], dtype=np.bool_)
    stops = (candles.shape[2] - late).tolist()
    calls = [call for call in _CALLS if into.keys() & call.names]
    outputs = [into.get(name) for call in calls for name in call.names]
    for row, (stop, count) in enumerate(zip(stops, length.tolist(), strict=True)):
        if count < 2:  # nothing is known from one candle
            continue
        high, low, close = candles[HIGH : CLOSE + 1, row, stop - count : stop]
        try:
            results = series_columns(calls, high, low, close)
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


def series_columns(calls: Sequence[_Call], high: Floats, low: Floats, close: Floats) -> list[Floats]:
    """Return the outputs of `calls` over one contiguous series, in their order."""
    outputs: list[Floats] = []
    for call in calls:
        prices = (high, low, close) if call.of_range else (close,)
        output = call.function(*prices, *call.arguments)
        outputs.extend(output if len(call.names) > 1 else (output,))
    return outputs


def rsi(close: Floats) -> Floats:
    """Return the RSI, NaN until the close has moved: without a gain or a loss TA-Lib says 0, oversold."""
    values: Floats = RSI(close, 14)
    if close[1] == close[0]:
        values[: _first_true(close != close[0])] = np.nan
    return values


def adx(high: Floats, low: Floats, close: Floats) -> Floats:
    """Return the ADX, NaN until there was a true range: without one TA-Lib says 0."""
    values: Floats = ADX(high, low, close, 14)
    if high[1] == low[1]:
        still = close[0]
        values[: _first_true((high[1:] != still) | (low[1:] != still)) + 1] = np.nan
    return values


def _first_true(flags: Bools) -> int:
    """Return the index of the first True; the length when there is none."""
    return int(flags.argmax()) if flags.any() else len(flags)


@dataclass(frozen=True)
class _Call:
    """What gives `names` (an array, or a tuple for several) from the close, or from high, low and close."""

    names: tuple[str, ...]
    function: Callable[..., Any]
    arguments: tuple[float, ...] = ()
    of_range: bool = False


_CALLS = (
    _Call(("rsi",), rsi),
    *(_Call((f"ema{period}",), EMA, (period,)) for period in (9, 20, 21, 50, 200)),
    *(_Call((f"sma{period}",), SMA, (period,)) for period in (9, 21)),
    _Call(("macd", "macd_signal", "macd_hist"), MACD, (12, 26, 9)),
    _Call(("atr",), ATR, (14,), of_range=True),
    _Call(("adx",), adx, of_range=True),
    _Call(("bb_upper", "bb_middle", "bb_lower"), BBANDS, (20, 2.0, 2.0)),
)

COLUMNS = tuple(name for call in _CALLS for name in call.names)
