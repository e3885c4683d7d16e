"""Divergence: the last two confirmed swings of price and of an oscillator disagree, inside 60 candles."""

from __future__ import annotations

import numpy as np
import pytest

from apps.engine.frame import CLOSE, HIGH, LOW, Floats
from apps.engine.indicators.columns import features
from apps.engine.indicators.divergence import bearish_divergence, bullish_divergence
from apps.engine.values.timeframe import Timeframe
from tests.engine import real_candles
from tests.engine.market import walk, windows_of


def dips(count: int, **depths: float) -> Floats:
    """(1, count) of 100 with a swing low at each named column (`c30=5`: 5 deep), its sides sloping up."""
    line = np.full(count, 100.0)
    for name, depth in depths.items():
        at = int(name[1:])
        line[at - 3 : at + 4] = 100 - depth + np.abs(np.arange(-3, 4)) * 0.1
    return line[np.newaxis, :]


def slow_bullish(low: Floats, oscillator: Floats, t: int) -> float:
    """By the definition, for one row of one series."""
    if t < 62 or np.isnan(low[t - 62 : t + 1]).any() or np.isnan(oscillator[t - 62 : t + 1]).any():
        return float("nan")
    price, other = _last_two(low, t), _last_two(oscillator, t)
    if len(price) < 2 or len(other) < 2:
        return 0.0
    return float(price[1] < price[0] and other[1] > other[0])


def _last_two(values: Floats, t: int) -> list[float]:
    swings = [
        float(values[i])
        for i in range(t - 59, t - 2)
        if all(values[i] < values[j] for j in range(i - 3, i + 4) if j != i)
    ]
    return swings[-2:]


def test_a_lower_low_of_price_with_a_higher_low_of_the_oscillator_is_bullish() -> None:
    price, rsi = dips(100, c60=5, c80=6), dips(100, c61=6, c82=5)
    assert bullish_divergence(price, rsi, 1)[0, 0] == 1


@pytest.mark.parametrize(
    ("price", "rsi"),
    [
        (dips(100, c60=6, c80=5), dips(100, c60=6, c80=5)),
        (dips(100, c60=5, c80=6), dips(100, c60=5, c80=6)),
        (dips(100, c60=6, c80=5), dips(100, c60=5, c80=6)),
        (dips(100, c60=5, c80=5), dips(100, c60=6, c80=5)),
        (dips(100, c80=6), dips(100, c60=6, c80=5)),
        (dips(100, c60=5, c80=6), dips(100, c80=5)),
        (dips(100, c50=1, c60=7, c80=6), dips(100, c60=6, c80=5)),
    ],
    ids=["higher low", "both lower", "hidden", "equal low", "one price low", "one rsi low", "last two only"],
)
def test_anything_else_is_not(price: Floats, rsi: Floats) -> None:
    assert bullish_divergence(price, rsi, 1)[0, 0] == 0


def test_a_swing_is_known_three_candles_late_and_forgotten_after_sixty() -> None:
    price, rsi = dips(200, c80=5, c100=6), dips(200, c80=6, c100=5)
    says = bullish_divergence(price, rsi, 200)[0]
    assert np.flatnonzero(says == 1).tolist() == list(range(103, 140))  # 80 is the 60th candle back at 139


def test_a_low_that_only_equals_a_neighbour_is_no_swing() -> None:
    price, rsi = dips(100, c60=5, c80=6), dips(100, c60=6, c80=5)
    price[0, 82] = price[0, 80]
    assert bullish_divergence(price, rsi, 1)[0, 0] == 0


def test_bearish_is_the_mirror() -> None:
    price, rsi = 200 - dips(100, c60=5, c80=6), 200 - dips(100, c60=6, c80=5)
    assert bearish_divergence(price, rsi, 1)[0, 0] == 1
    assert bearish_divergence(rsi, price, 1)[0, 0] == 0
    assert bullish_divergence(price, rsi, 1)[0, 0] == 0


@pytest.mark.parametrize("hole", [37, 60, 99])
def test_it_is_unknown_when_a_candle_it_looks_at_is(hole: int) -> None:
    price, rsi = dips(100, c60=5, c80=6), dips(100, c60=6, c80=5)
    rsi[0, hole] = np.nan
    assert np.isnan(bullish_divergence(price, rsi, 1)[0, 0])


def test_it_does_not_look_further_back_than_the_wings_of_its_oldest_candle() -> None:
    price, rsi = dips(100, c60=5, c80=6), dips(100, c60=6, c80=5)
    price[0, 36] = rsi[0, 36] = np.nan
    assert bullish_divergence(price, rsi, 1)[0, 0] == 1


def test_it_is_the_definition_on_random_walks_of_many_series_at_once() -> None:
    candles, oscillator = walk(5, 300), walk(5, 300, seed=2)[CLOSE]
    oscillator[2, 100] = np.nan
    oscillator[4, :40] = np.nan
    fast = bullish_divergence(candles[LOW], oscillator, 300)
    slow = [[slow_bullish(candles[LOW, row], oscillator[row], t) for t in range(300)] for row in range(5)]
    np.testing.assert_array_equal(fast, slow)
    assert (fast == 1).sum() > 20


@pytest.mark.parametrize("oscillator", ["rsi", "macd_hist"])
def test_the_columns_are_the_definition_on_real_candles(oscillator: str) -> None:
    whole = real_candles.history(("BTCUSDT", "LAYERUSDT"), Timeframe.M15)
    count = 1000
    part = real_candles.cut(whole, whole.candles.shape[2], count)
    columns = features(part, count)[0].columns
    suffix = "" if oscillator == "rsi" else "_macd"
    for row in range(2):
        low, high, values = part.candles[LOW, row], part.candles[HIGH, row], columns[oscillator][row]
        bullish = [slow_bullish(low, values, t) for t in range(count)]
        bearish = [slow_bullish(-high, -values, t) for t in range(count)]
        np.testing.assert_array_equal(columns[f"bullish_divergence{suffix}"][row], bullish)
        np.testing.assert_array_equal(columns[f"bearish_divergence{suffix}"][row], bearish)
        assert np.nansum(bullish) > 0
        assert np.nansum(bearish) > 0


def test_a_series_never_sees_the_swings_of_its_neighbour() -> None:
    price = np.concatenate([dips(100, c60=5, c80=6), dips(100, c80=7)])
    rsi = np.concatenate([dips(100, c60=6, c80=5), dips(100, c80=4)])
    assert bullish_divergence(price, rsi, 1)[:, 0].tolist() == [1, 0]
    alone = features(windows_of(walk(3, 200)), 60)[0].columns["bullish_divergence"][2]
    single = windows_of(walk(3, 200)[:, 2:])
    np.testing.assert_array_equal(features(single, 60)[0].columns["bullish_divergence"][0], alone)


def test_a_series_without_swings_does_not_inherit_those_of_its_neighbour() -> None:
    """Its flat price lies below the neighbour's last swing and its flat oscillator above: no divergence."""
    price = np.concatenate([dips(100, c60=5, c80=6), np.full((1, 100), 50.0)])
    rsi = np.concatenate([dips(100, c60=6, c80=5), np.full((1, 100), 120.0)])
    assert bullish_divergence(price, rsi, 1)[:, 0].tolist() == [1, 0]
