"""Session VWAP, volume ratio and pivots against their definitions, written out slowly."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pytest

from apps.engine.frame import CLOSE, HIGH, LOW, VOLUME, Floats
from apps.engine.indicators.columns import features
from apps.engine.values.timeframe import VALIDATION, Timeframe
from tests.engine.market import UNTIL, walk, windows_of


def slow_vwap(candles: Floats, timeframe: Timeframe, until: datetime, column: int) -> float:
    """By the definition, candle by candle back to 00:00 UTC; NaN when the day is not all there."""
    money = coins = 0.0
    opens = until - timeframe.duration * (candles.shape[1] - column)
    for back in range((opens.hour * 3600 + opens.minute * 60) // timeframe.seconds + 1):
        if back > column:
            return float("nan")
        candle = candles[:, column - back]
        money += (candle[HIGH] + candle[LOW] + candle[CLOSE]) / 3 * candle[VOLUME]
        coins += candle[VOLUME]
    return money / coins if coins else float("nan")


@pytest.mark.parametrize("timeframe", VALIDATION)
@pytest.mark.parametrize(
    "until", [UNTIL, datetime(2025, 6, 4, tzinfo=UTC), datetime(2025, 6, 4, 4, tzinfo=UTC)]
)
def test_vwap_is_anchored_at_midnight_utc_and_unknown_without_the_whole_day(
    timeframe: Timeframe, until: datetime
) -> None:
    count = 1500 if timeframe is Timeframe.M1 else 400
    candles = walk(2, count)
    frame, _ = features(windows_of(candles, timeframe, until), count)
    for row in range(2):
        slow = [slow_vwap(candles[:, row], timeframe, until, column) for column in range(0, count, 7)]
        np.testing.assert_allclose(frame.columns["vwap"][row, ::7], slow, rtol=1e-12)


def test_vwap_is_unknown_while_the_day_has_not_traded() -> None:
    candles = walk(1, 30)
    candles[VOLUME, 0, -20:-5] = 0  # 15 candles after midnight without a trade
    until = datetime(2025, 6, 4, 1, 40, tzinfo=UTC)
    vwap = features(windows_of(candles, Timeframe.M5, until), 20)[0].columns["vwap"][0]
    assert np.isnan(vwap[:15]).all()
    typical = (candles[HIGH, 0, -5] + candles[LOW, 0, -5] + candles[CLOSE, 0, -5]) / 3
    assert vwap[15] == pytest.approx(typical, rel=1e-12)


def test_a_hole_since_midnight_leaves_the_rest_of_the_day_without_vwap() -> None:
    candles = walk(2, 100)
    candles[:, 0, -30] = np.nan
    until = datetime(2025, 6, 4, 4, tzinfo=UTC)  # 48 candles of 5m after midnight
    vwap = features(windows_of(candles, Timeframe.M5, until), 29)[0].columns["vwap"]
    assert np.isnan(vwap[0]).all()
    assert not np.isnan(vwap[1]).any()


def test_a_hole_before_midnight_does_not_matter_to_todays_vwap() -> None:
    candles = walk(2, 100)
    candles[:, 0, -49] = np.nan
    until = datetime(2025, 6, 4, 4, tzinfo=UTC)
    vwap = features(windows_of(candles, Timeframe.M5, until), 48)[0].columns["vwap"]
    assert not np.isnan(vwap).any()


def test_the_first_candle_of_a_day_starts_a_new_vwap() -> None:
    candles = walk(1, 100)
    until = datetime(2025, 6, 4, 0, 5, tzinfo=UTC)
    vwap = features(windows_of(candles, Timeframe.M5, until), 1)[0].columns["vwap"][0, 0]
    assert vwap == pytest.approx(candles[[HIGH, LOW, CLOSE], 0, -1].mean(), rel=1e-12)


def test_volume_ratio_is_against_the_mean_of_the_20_before() -> None:
    candles = walk(2, 120)
    ratio = features(windows_of(candles), 120)[0].columns["volume_ratio"]
    assert np.isnan(ratio[:, :20]).all()
    for row in range(2):
        volume = candles[VOLUME, row]
        slow = [volume[t] / volume[t - 20 : t].mean() for t in range(20, 120)]
        np.testing.assert_allclose(ratio[row, 20:], slow, rtol=1e-12)


def test_volume_ratio_is_unknown_after_20_candles_without_a_trade() -> None:
    candles = walk(1, 60)
    candles[VOLUME, 0, 20:41] = 0
    ratio = features(windows_of(candles), 60)[0].columns["volume_ratio"][0]
    assert np.flatnonzero(np.isnan(ratio[20:])).tolist() == [20, 21]
    assert ratio[39] == 0


def test_pivots_are_those_of_the_day_that_closes() -> None:
    """High 110, low 90, close 106: P = 102, and the levels by hand."""
    candles = np.tile(np.array([100.0, 110.0, 90.0, 106.0, 1.0])[:, np.newaxis, np.newaxis], (1, 1, 3))
    candles[:, 0, -1] = np.nan  # today is not complete: late
    midnight = datetime(2025, 6, 4, tzinfo=UTC)
    columns = features(windows_of(candles, Timeframe.D1, midnight), 3)[0].columns
    by_hand = {
        "pivot": 102,
        **{f"r{k}": level for k, level in enumerate((114, 122, 134, 146, 158, 170), 1)},
        **{f"s{k}": level for k, level in enumerate((94, 82, 74, 66, 58, 50), 1)},
    }
    for name, level in by_hand.items():
        assert columns[name][0, :2] == pytest.approx([level, level], rel=1e-12), name
        assert np.isnan(columns[name][0, 2]), name


def test_only_the_day_has_pivots() -> None:
    assert "pivot" not in features(windows_of(walk(1, 50)), 5)[0].columns
