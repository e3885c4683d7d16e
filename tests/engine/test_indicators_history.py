"""What a window of live length says is what the whole history says, to 1e-4 relative, on real candles."""

from __future__ import annotations

import numpy as np
import pytest

from apps.engine.frame import Floats
from apps.engine.indicators.columns import COLUMNS, features
from apps.engine.values.timeframe import WINDOW, Timeframe
from tests.engine import real_candles

DEPTH = 60
CASES = [
    (("BTCUSDT", "LAYERUSDT", "ENAUSDT"), Timeframe.M1),
    (("BTCUSDT", "LAYERUSDT", "ENAUSDT"), Timeframe.M5),
    (("BTCUSDT", "LAYERUSDT", "ENAUSDT"), Timeframe.M15),
    (("BTCUSDT", "ETHUSDT"), Timeframe.H1),  # only these have more than 990 hours
]
SHORT_EMA200 = 2e-3
"""A 600-candle window keeps (199/201)^400 = 1.8 % of what the 200-candle seed of ema200 was off by."""


def worst(symbols: tuple[str, ...], timeframe: Timeframe, length: int) -> dict[str, float]:
    """Largest relative difference of each column in the last 60 rows of windows all over the history."""
    whole = real_candles.history(symbols, timeframe)
    count = whole.candles.shape[2]
    truth = features(whole, count)[0].columns
    worst_by_column = dict.fromkeys(COLUMNS, 0.0)
    for end in np.linspace(length + (count - length) // 3, count, 6).astype(int):
        columns = features(real_candles.cut(whole, int(end), length), DEPTH)[0].columns
        for name in COLUMNS:
            difference = _relative(columns[name], truth[name][:, end - DEPTH : end])
            worst_by_column[name] = max(worst_by_column[name], difference)
    return worst_by_column


def _relative(ours: Floats, theirs: Floats) -> float:
    """Over the values the window knows; none may be unknown to the history."""
    known = ~np.isnan(ours)
    assert not np.isnan(theirs[known]).any()
    off = np.abs(ours - theirs)[known]
    return float((off[off > 0] / np.abs(theirs[known][off > 0])).max(initial=0))


@pytest.mark.parametrize(("symbols", "timeframe"), CASES)
def test_a_full_window_and_the_whole_history_agree(symbols: tuple[str, ...], timeframe: Timeframe) -> None:
    differences = worst(symbols, timeframe, WINDOW[timeframe])
    assert {name: off for name, off in differences.items() if off > 1e-4} == {}
    assert max(differences, key=lambda name: differences[name]) == "ema200"


@pytest.mark.parametrize(("symbols", "timeframe"), CASES)
def test_in_the_shortest_window_only_ema200_is_still_settling(
    symbols: tuple[str, ...], timeframe: Timeframe
) -> None:
    differences = worst(symbols, timeframe, 600)
    ema200 = differences.pop("ema200")
    assert ema200 < SHORT_EMA200
    assert {name: off for name, off in differences.items() if off > 1e-4} == {}


@pytest.mark.parametrize(("symbols", "timeframe"), CASES)
def test_a_full_window_knows_every_row_that_the_history_knows(
    symbols: tuple[str, ...], timeframe: Timeframe
) -> None:
    whole = real_candles.history(symbols, timeframe)
    count = whole.candles.shape[2]
    truth = features(whole, DEPTH)[0].columns
    columns = features(real_candles.cut(whole, count, WINDOW[timeframe]), DEPTH)[0].columns
    for name in COLUMNS:
        np.testing.assert_array_equal(np.isnan(columns[name]), np.isnan(truth[name]), name)
