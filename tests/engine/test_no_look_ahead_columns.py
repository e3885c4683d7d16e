"""No value of a candle that closes later reaches a row: cut the future off, no row of any column changes."""

from __future__ import annotations

import numpy as np
import pytest

from apps.engine.frame import Windows, windows
from apps.engine.indicators.columns import column_names, features
from apps.engine.values.timeframe import VALIDATION, Timeframe
from tests.engine import real_candles

SYMBOLS = ("BTCUSDT", "LAYERUSDT", "XMRUSDT")


def without_the_newest(whole: Windows, removed: int) -> Windows:
    end = whole.candles.shape[2] - removed
    return real_candles.cut(whole, end, end)


def stretch(timeframe: Timeframe) -> Windows:
    whole = real_candles.history(SYMBOLS, timeframe)
    count = whole.candles.shape[2]
    return real_candles.cut(whole, count, min(count, 1600))


@pytest.mark.parametrize("timeframe", [*VALIDATION, Timeframe.D1])
def test_cutting_the_future_off_changes_no_row(timeframe: Timeframe) -> None:
    """Equal to the bit, NaN included, for cuts of every size up to half of the history."""
    whole = stretch(timeframe)
    count = whole.candles.shape[2]
    truth = features(whole, count)[0].columns
    for removed in {1, 2, 3, 4, 7, *range(11, count // 2, 97)} & set(range(count)):
        past = features(without_the_newest(whole, removed), count - removed)[0].columns
        for name in column_names(timeframe):
            np.testing.assert_array_equal(past[name], truth[name][:, : count - removed], name)


@pytest.mark.parametrize("timeframe", VALIDATION)
def test_another_future_changes_no_row(timeframe: Timeframe) -> None:
    """A future that is not cut but wild: ten times the price and the volume."""
    whole = stretch(timeframe)
    count = whole.candles.shape[2]
    wild = whole.candles.copy()
    now = count - 40
    wild[:, :, now:] *= 10
    truth = features(whole, count)[0].columns
    other = features(windows(whole.symbols, timeframe, whole.until, wild), count)[0].columns
    for name in column_names(timeframe):
        np.testing.assert_array_equal(other[name][:, :now], truth[name][:, :now], name)
    assert (other["close"][:, now:] != truth["close"][:, now:]).all()
