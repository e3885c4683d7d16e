"""Features: right-aligned columns for every symbol, the same whatever the depth, NaN where unknown."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest

from apps.engine.frame import Floats
from apps.engine.indicators import talib_columns
from apps.engine.indicators.columns import COLUMNS, column_names, features
from apps.engine.indicators.numpy_columns import PIVOTS
from apps.engine.values.timeframe import VALIDATION, Timeframe
from tests.engine.market import walk, windows_of


@pytest.mark.parametrize("timeframe", VALIDATION)
@pytest.mark.parametrize("depth", [1, 2, 60, 400])
def test_a_value_does_not_depend_on_how_many_rows_are_asked_for(timeframe: Timeframe, depth: int) -> None:
    candles = walk(4, 500)
    candles[:, 1, 480] = np.nan
    candles[:, 2, -1] = np.nan
    candles[4, 3] = 0
    market = windows_of(candles, timeframe)
    whole, part = features(market, 500)[0], features(market, depth)[0]
    assert tuple(part.columns) == COLUMNS
    for name in COLUMNS:
        np.testing.assert_array_equal(part.columns[name], whole.columns[name][:, -depth:], name)
    np.testing.assert_array_equal(part.close_ms, market.close_ms[-depth:])


def test_more_rows_than_candles_begin_with_nan() -> None:
    market = windows_of(walk(2, 100))
    longer, whole = features(market, 250)[0], features(market, 100)[0]
    for name in COLUMNS:
        assert np.isnan(longer.columns[name][:, :150]).all(), name
        np.testing.assert_array_equal(longer.columns[name][:, 150:], whole.columns[name], name)
    np.testing.assert_array_equal(longer.close_ms[150:], whole.close_ms)


def test_a_day_has_pivots_and_every_name_once() -> None:
    midnight = datetime(2025, 6, 3, tzinfo=UTC)
    columns = features(windows_of(walk(1, 30), Timeframe.D1, midnight), 60)[0].columns
    assert set(columns) == {*COLUMNS, *PIVOTS} == set(column_names(Timeframe.D1))
    assert len(set(COLUMNS)) == len(COLUMNS)


def test_rows_of_late_candles_are_unknown_and_the_rows_before_are_as_if_on_time() -> None:
    candles = walk(2, 400)
    late = candles.copy()
    late[:, 0, -3:] = np.nan
    columns, on_time = features(windows_of(late), 60)[0].columns, features(windows_of(candles), 60)[0].columns
    for name in COLUMNS:
        assert np.isnan(columns[name][0, -3:]).all(), name
        np.testing.assert_array_equal(columns[name][0, :-3], on_time[name][0, :-3], name)
        np.testing.assert_array_equal(columns[name][1], on_time[name][1], name)


def test_what_lies_behind_a_hole_is_neither_seen_nor_shown() -> None:
    candles = walk(1, 400)
    shorter = candles.copy()
    shorter[:, 0, :300] = np.nan
    candles[:, 0, 299] = np.nan
    behind, absent = (
        features(windows_of(candles), 200)[0].columns,
        features(windows_of(shorter), 200)[0].columns,
    )
    for name in COLUMNS:
        assert np.isnan(behind[name][0, :100]).all(), name
        np.testing.assert_array_equal(behind[name], absent[name], name)
    assert not np.isnan(behind["close"][0, 100:]).any()


@pytest.mark.parametrize("count", [0, 1, 2, 3, 14, 15, 33])
def test_a_young_contract_has_what_its_candles_allow_and_no_fault(count: int) -> None:
    candles = walk(2, 60)
    candles[:, 0, : 60 - count] = np.nan
    frame, failed = features(windows_of(candles), 40)
    assert not failed
    assert np.isnan(frame.columns["ema200"]).all()
    assert (~np.isnan(frame.columns["close"][0])).sum() == count
    assert (~np.isnan(frame.columns["rsi"][0])).sum() == max(count - 14, 0)


def test_no_symbols_and_no_candles_give_empty_and_unknown_columns() -> None:
    frame, failed = features(windows_of(np.empty((5, 0, 100))), 60)
    assert not failed
    assert {values.shape for values in frame.columns.values()} == {(0, 60)}
    nothing, failed = features(windows_of(np.empty((5, 2, 0))), 60)
    assert not failed
    assert all(np.isnan(values).all() for values in nothing.columns.values())


def test_some_rows_are_recomputed_into_the_old_arrays_and_the_others_left_alone() -> None:
    candles = walk(4, 300)
    corrected = candles.copy()
    corrected[:4, [1, 3], -100:] *= 1.01
    frame, _ = features(windows_of(candles), 60)
    before = {name: values.copy() for name, values in frame.columns.items()}
    arrays = dict(frame.columns)
    again, _ = features(windows_of(corrected), 60, rows=[3, 1], into=arrays)
    whole, _ = features(windows_of(corrected), 60)
    for name in COLUMNS:
        assert again.columns[name] is frame.columns[name]
        np.testing.assert_array_equal(again.columns[name][[1, 3]], whole.columns[name][[1, 3]], name)
        np.testing.assert_array_equal(again.columns[name][[0, 2]], before[name][[0, 2]], name)
    assert (again.columns["close"][1] != before["close"][1]).all()


def test_all_rows_go_into_the_old_arrays_when_none_are_named() -> None:
    arrays = dict(features(windows_of(walk(2, 100)), 60)[0].columns)
    market = windows_of(walk(2, 100, seed=5))
    again, fresh = features(market, 60, into=arrays)[0], features(market, 60)[0]
    for name in COLUMNS:
        assert again.columns[name] is arrays[name]
        np.testing.assert_array_equal(arrays[name], fresh.columns[name], name)


def test_rows_without_old_arrays_leave_the_other_symbols_unknown() -> None:
    market = windows_of(walk(3, 100))
    some, whole = features(market, 60, rows=[2])[0], features(market, 60)[0]
    for name in COLUMNS:
        assert np.isnan(some.columns[name][:2]).all(), name
        np.testing.assert_array_equal(some.columns[name][2], whole.columns[name][2], name)


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda arrays: arrays.pop("adx"), "into lacks the column adx"),
        (
            lambda arrays: arrays.update(rsi=np.empty((2, 59))),
            r"into\['rsi'\] has shape \(2, 59\), not \(2, 60\)",
        ),
    ],
)
def test_arrays_that_do_not_fit_are_refused_before_anything_is_written(spoil: Any, message: str) -> None:
    arrays: dict[str, Floats] = {name: np.full((2, 60), -1.0) for name in COLUMNS}
    spoil(arrays)
    with pytest.raises(ValueError, match=message):
        features(windows_of(walk(2, 100)), 60, into=arrays)
    assert (arrays["close"] == -1).all()


def test_a_depth_below_one_is_refused() -> None:
    with pytest.raises(ValueError, match="depth 0 is not at least 1"):
        features(windows_of(walk(1, 100)), 0)


def test_a_series_that_raises_is_named_and_unknown_and_takes_nobody_down(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    candles = walk(3, 300)
    whole, _ = features(windows_of(candles), 60)
    healthy = talib_columns.series_columns

    def poisoned(calls: Any, high: Floats, low: Floats, close: Floats) -> Any:
        if close[0] == candles[3, 1, 0]:
            raise RuntimeError("TA_MACD function failed with error code 3")
        return healthy(calls, high, low, close)

    monkeypatch.setattr(talib_columns, "series_columns", poisoned)
    frame, failed = features(windows_of(candles), 60)
    assert failed == {"COIN1USDT"}
    partly, failed_part = features(windows_of(candles), 60, rows=[1, 2])
    assert failed_part == {"COIN1USDT"}
    for name in COLUMNS:
        assert np.isnan(frame.columns[name][1]).all(), name
        np.testing.assert_array_equal(frame.columns[name][[0, 2]], whole.columns[name][[0, 2]], name)
        np.testing.assert_array_equal(partly.columns[name][2], whole.columns[name][2], name)


def test_the_candles_given_are_not_written_to() -> None:
    candles = walk(2, 300)
    candles[:, 0, -1] = np.nan
    market = windows_of(candles)
    before = market.candles.copy()
    frame, _ = features(market, 60)
    for values in frame.columns.values():
        values[:] = -1
    np.testing.assert_array_equal(market.candles, before)
