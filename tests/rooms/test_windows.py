"""The table as wide arrays: every candle in its place, NaN where there is none."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pytest

from apps.engine.frame import CLOSE
from apps.engine.values.timeframe import Timeframe
from apps.market import store
from apps.market.table import CandleTable
from tests.rooms.builders import T0, candle

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("timeframe", list(Timeframe))
def test_candles_stand_at_their_place_and_absent_ones_are_nan(timeframe: Timeframe) -> None:
    start = timeframe.floor(T0)
    step = timeframe.duration
    closes = {0: "100.25", 1: "100.5", 3: "101"}
    store.save_candles(
        candle("ETHUSDT", timeframe=timeframe, open_time=start + n * step, close=close)
        for n, close in closes.items()
    )
    symbols = ["BTCUSDT", "ETHUSDT"]
    seen = CandleTable().windows(symbols, timeframe, until=start + 4 * step, length=6)
    nan = np.nan
    np.testing.assert_array_equal(seen.candles[CLOSE, 1], [nan, nan, 100.25, 100.5, nan, 101.0])
    np.testing.assert_array_equal(seen.candles[:, 1, 5], [100.0, 102.0, 99.0, 101.0, 12.25])
    assert np.isnan(seen.candles[:, 0]).all()
    assert seen.symbols == ("BTCUSDT", "ETHUSDT")
    assert seen.late.tolist() == [6, 0]
    assert seen.length.tolist() == [0, 1]
    assert seen.gap.tolist() == [False, True]


def test_a_window_holds_no_candle_that_closes_after_until() -> None:
    store.save_candles(candle(n=n) for n in range(4))
    seen = CandleTable().windows(["BTCUSDT"], Timeframe.M1, until=T0 + timedelta(minutes=2), length=2)
    assert seen.close_ms[-1] == (T0 + timedelta(minutes=2)).timestamp() * 1000
    assert seen.length.tolist() == [2]


def test_no_symbols_and_an_empty_table_are_empty_arrays() -> None:
    assert CandleTable().windows([], Timeframe.M1, until=T0, length=3).candles.shape == (5, 0, 3)
    empty = CandleTable().windows(["BTCUSDT"], Timeframe.M1, until=T0, length=1)
    assert np.isnan(empty.candles).all()
