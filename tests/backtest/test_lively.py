"""A newcomer sees an order filled within a quarter of an hour, whenever he starts."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from apps.exchange.simulator.market.state import lively_day
from tests.backtest.lively import Recorded


@pytest.fixture(scope="module")
def tape() -> Recorded:
    return Recorded()


@pytest.mark.slow
@pytest.mark.parametrize("hour", range(24))
def test_the_day_played_at_a_first_start_brings_a_position_soon(hour: int, tape: Recorded) -> None:
    """At another minute of each hour, so that a quarter's rhythm is met at all its places."""
    for minute in (hour * 37 % 60, (hour * 37 + 29) % 60):
        started = datetime(2026, 11, 20, hour, minute, tzinfo=UTC)
        assert tape.waits(lively_day(started), hour * 60 + minute), f"{started:%H:%M}"
