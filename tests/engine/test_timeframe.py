"""Timeframes: boundaries are multiples from 00:00 UTC, and each is made of the next finer one."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from apps.engine.values.timeframe import ROLLED_UP, VALIDATION, WINDOW, Timeframe


@pytest.mark.parametrize(
    ("timeframe", "boundary"),
    [
        ("1m", "2025-06-03 17:38:00"),
        ("5m", "2025-06-03 17:35:00"),
        ("15m", "2025-06-03 17:30:00"),
        ("1h", "2025-06-03 17:00:00"),
        ("4h", "2025-06-03 16:00:00"),
        ("1d", "2025-06-03 00:00:00"),
    ],
)
def test_a_moment_is_floored_to_the_boundary_of_its_candle(timeframe: str, boundary: str) -> None:
    moment = datetime(2025, 6, 3, 17, 38, 59, 999999, tzinfo=UTC)
    assert Timeframe(timeframe).floor(moment) == datetime.fromisoformat(boundary).replace(tzinfo=UTC)


@pytest.mark.parametrize("timeframe", list(Timeframe))
def test_a_boundary_is_its_own_floor_and_a_candle_closes_at_the_next(timeframe: Timeframe) -> None:
    boundary = datetime(2025, 6, 3, tzinfo=UTC)
    assert timeframe.floor(boundary) == boundary
    assert timeframe.newest_open(boundary) == boundary - timeframe.duration
    assert timeframe.newest_open(boundary + timedelta(seconds=1)) == boundary - timeframe.duration


def test_boundaries_are_utc_whatever_the_zone_of_the_moment() -> None:
    kolkata = timezone(timedelta(hours=5, minutes=30))
    moment = datetime(2025, 6, 3, 3, 0, tzinfo=kolkata)  # 21:30 UTC of the day before
    floored = Timeframe.D1.floor(moment)
    assert floored == datetime(2025, 6, 2, tzinfo=UTC)
    assert floored.tzinfo is UTC


@pytest.mark.parametrize("timeframe", ROLLED_UP)
def test_a_rolled_up_timeframe_is_whole_multiples_of_its_finer_one(timeframe: Timeframe) -> None:
    assert timeframe.finer is not None
    assert timeframe.seconds % timeframe.finer.seconds == 0
    assert timeframe.seconds > timeframe.finer.seconds
    assert timeframe.ms == timeframe.seconds * 1000


def test_validation_runs_from_slow_to_fast_without_the_day() -> None:
    seconds = [timeframe.seconds for timeframe in VALIDATION]
    assert seconds == sorted(seconds, reverse=True)
    assert set(VALIDATION) == set(Timeframe) - {Timeframe.D1}
    assert Timeframe.M1.finer is None


def test_the_1m_window_holds_a_whole_day_and_the_rows_a_rule_looks_back_at() -> None:
    assert WINDOW[Timeframe.M1] >= 1440 + 50
    assert {WINDOW[timeframe] for timeframe in VALIDATION if timeframe is not Timeframe.M1} == {990}
