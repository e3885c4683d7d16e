"""Every TA-Lib column is TA-Lib's own value over the whole history; where nothing moved it is NaN, not 0."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from apps.engine.frame import CLOSE, HIGH, LOW, OPEN, Floats
from apps.engine.indicators import talib_columns
from apps.engine.indicators.columns import features
from apps.engine.indicators.talib_columns import talib
from apps.engine.values.timeframe import Timeframe
from tests.engine import real_candles
from tests.engine.market import walk, windows_of

Series = tuple[Floats, Floats, Floats]
DEFINITIONS: dict[str, Callable[[Floats, Floats, Floats], Floats]] = {
    "rsi": lambda high, low, close: talib.RSI(close, 14),
    "ema9": lambda high, low, close: talib.EMA(close, 9),
    "ema20": lambda high, low, close: talib.EMA(close, 20),
    "ema21": lambda high, low, close: talib.EMA(close, 21),
    "ema50": lambda high, low, close: talib.EMA(close, 50),
    "ema200": lambda high, low, close: talib.EMA(close, 200),
    "sma9": lambda high, low, close: talib.SMA(close, 9),
    "sma21": lambda high, low, close: talib.SMA(close, 21),
    "ma9": lambda high, low, close: talib.SMA(close, 9),
    "ma21": lambda high, low, close: talib.SMA(close, 21),
    "macd": lambda high, low, close: talib.MACD(close, 12, 26, 9)[0],
    "macd_signal": lambda high, low, close: talib.MACD(close, 12, 26, 9)[1],
    "macd_hist": lambda high, low, close: talib.MACD(close, 12, 26, 9)[2],
    "atr": lambda high, low, close: talib.ATR(high, low, close, 14),
    "adx": lambda high, low, close: talib.ADX(high, low, close, 14),
    "bb_upper": lambda high, low, close: talib.BBANDS(close, 20, 2, 2)[0],
    "bb_middle": lambda high, low, close: talib.BBANDS(close, 20, 2, 2)[1],
    "bb_lower": lambda high, low, close: talib.BBANDS(close, 20, 2, 2)[2],
    "stoch_rsi_k": lambda high, low, close: talib.STOCHRSI(close, 14, 14, 3)[1],
    "stoch_rsi_d": lambda high, low, close: _sma3(talib.STOCHRSI(close, 14, 14, 3)[1]),
}


def _sma3(values: Floats) -> Floats:
    smoothed: Floats = talib.SMA(values, 3)
    return smoothed


def test_every_talib_column_has_its_definition_here() -> None:
    assert set(talib_columns.COLUMNS) <= set(DEFINITIONS)


@pytest.mark.parametrize("timeframe", [Timeframe.M1, Timeframe.M15, Timeframe.H4])
@pytest.mark.parametrize("column", DEFINITIONS)
def test_a_column_is_talibs_over_the_whole_of_a_real_history(column: str, timeframe: Timeframe) -> None:
    """Equal to the bit; StochRSI, whose means are ours, to the rounding of TA-Lib's running sums."""
    whole = real_candles.history(("BTCUSDT", "LAYERUSDT"), timeframe)
    frame, failed = features(whole, whole.candles.shape[2])
    assert not failed
    for row in range(2):
        expected = DEFINITIONS[column](*whole.candles[[HIGH, LOW, CLOSE], row])
        ours = frame.columns[column][row]
        if column.startswith("stoch_rsi"):
            np.testing.assert_allclose(ours, expected, rtol=1e-9, atol=1e-9)
        else:
            np.testing.assert_array_equal(ours, expected)


def flat(count: int, price: float = 5.0) -> Floats:
    """(5, 1, count) candles that never move."""
    candles = np.full((5, 1, count), price)
    candles[4] = 0
    return candles


def test_on_a_window_that_never_moved_rsi_adx_and_stoch_rsi_are_unknown() -> None:
    frame, failed = features(windows_of(flat(990)), 60)
    assert not failed
    for column in ("rsi", "adx", "stoch_rsi_k", "stoch_rsi_d"):
        assert np.isnan(frame.columns[column]).all(), column
    for column in ("ema200", "sma9", "bb_upper", "bb_lower"):
        assert (frame.columns[column] == 5).all(), column
    assert (frame.columns["atr"] == 0).all()


def test_rsi_and_adx_are_talibs_from_the_first_move_on() -> None:
    candles = np.concatenate([flat(100), walk(1, 200)], axis=2)
    frame, _ = features(windows_of(candles), 300)
    for column in ("rsi", "adx"):
        expected = DEFINITIONS[column](*candles[[HIGH, LOW, CLOSE], 0])
        assert (expected[30:100] == 0).all()  # what TA-Lib says of a market that never moved
        assert np.isnan(frame.columns[column][0, :100]).all()
        np.testing.assert_array_equal(frame.columns[column][0, 100:], expected[100:])


def test_wicks_without_a_move_of_the_close_leave_rsi_unknown_and_adx_known() -> None:
    candles = flat(100)
    candles[HIGH], candles[LOW] = 5.1, 4.9
    frame, _ = features(windows_of(candles), 50)
    assert np.isnan(frame.columns["rsi"]).all()
    assert (frame.columns["adx"] == 0).all()  # there is a range, and it has no direction


def test_a_market_that_only_falls_has_an_rsi_of_zero() -> None:
    """A real 0 stays; its StochRSI is unknown, because the RSI has no range."""
    candles = np.tile(np.linspace(20, 10, 100), (5, 1, 1))
    frame, _ = features(windows_of(candles), 50)
    assert (frame.columns["rsi"] == 0).all()
    assert np.isnan(frame.columns["stoch_rsi_k"]).all()


def test_a_market_that_stands_still_after_moving_has_no_stoch_rsi_from_rounding() -> None:
    """The RSI then trembles by 1e-14: taken as a range it would make StochRSI jump between 0 and 100."""
    moving = walk(1, 300)
    still = np.tile(moving[CLOSE, :, -1:], (5, 1, 300))
    frame, _ = features(windows_of(np.concatenate([moving, still], axis=2)), 60)
    assert np.ptp(frame.columns["rsi"]) < 1e-9
    assert np.isnan(frame.columns["stoch_rsi_k"]).all()
    assert np.isnan(frame.columns["stoch_rsi_d"]).all()


def test_stoch_rsi_comes_back_after_a_still_stretch() -> None:
    moving, later = walk(1, 100), walk(1, 100, seed=2)
    still = np.tile(moving[CLOSE, :, -1:], (5, 1, 40))
    later[:4] *= moving[CLOSE, 0, -1] / later[OPEN, 0, 0]
    frame, _ = features(windows_of(np.concatenate([moving, still, later], axis=2)), 240)
    k, d = frame.columns["stoch_rsi_k"][0], frame.columns["stoch_rsi_d"][0]
    assert np.isnan(k[120:142]).all()
    assert np.flatnonzero(~np.isnan(k[120:]))[0] == 22  # the third fastk after the first move at 140
    assert np.flatnonzero(~np.isnan(d[120:]))[0] == 24
    assert not np.isnan(k[142:]).any()
    assert not np.isnan(d[144:]).any()


@pytest.mark.parametrize("scale", [1e-9, 1e-4, 1e6])
def test_the_size_of_a_price_does_not_matter(scale: float) -> None:
    """A coin at 1e-7 has the RSI, ADX and band width of the same moves at 100."""
    candles = walk(1, 400)
    scaled = candles.copy()
    scaled[:4] *= scale
    ours, theirs = features(windows_of(scaled), 60)[0].columns, features(windows_of(candles), 60)[0].columns
    for column in ("rsi", "adx", "stoch_rsi_k"):
        np.testing.assert_allclose(ours[column], theirs[column], rtol=1e-6)
    width = (ours["bb_upper"] - ours["bb_lower"]) / scale
    np.testing.assert_allclose(width, theirs["bb_upper"] - theirs["bb_lower"], rtol=1e-6)


@pytest.mark.parametrize(
    ("column", "first"),
    [
        *[("rsi", 14), ("ema9", 8), ("ema200", 199), ("sma21", 20), ("macd_hist", 33), ("atr", 14)],
        *[("adx", 27), ("bb_upper", 19), ("stoch_rsi_k", 29), ("stoch_rsi_d", 31)],
    ],
)
def test_a_column_is_unknown_until_it_has_enough_candles(column: str, first: int) -> None:
    values = features(windows_of(walk(1, 250)), 250)[0].columns[column][0]
    assert np.isnan(values[:first]).all()
    assert not np.isnan(values[first:]).any()
