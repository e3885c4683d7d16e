"""What was quoted is not stored: a past minute is explained by what its row shows of it, or says so."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest
import redis

from apps.engine.values.position import Quote
from apps.insight.divergence import Kind, find_divergence
from apps.insight.explanation import explain
from apps.market import quotes
from apps.profiles import store as profiles
from benchmarks.trading.always import ENTRY
from tests.live.conftest import WriteProfile
from tests.live.desk import Worker, by_close
from tests.live.market import AT, LONG, M1, M5, M15, MINUTE, SHORT, fill, push

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("board")]


@pytest.fixture
def worker(broker: redis.Redis, write_profile: WriteProfile) -> Worker:
    """One symbol, long on 15m and 5m; a spread above 8 bps leaves 5m for 1m."""
    selection = {"5m": {"drop_to_lower_if_any": ["spread_bps > 8"]}}
    write_profile(by_close("narrow", "15m", "5m 1m", entry=ENTRY, selection=selection))
    fill(["AUSDT"], [M1, M5, M15])
    return Worker(["AUSDT"], profiles.configured_profiles(), broker=broker)


def play(worker: Worker, *closes: str) -> None:
    """Minutes with these 1m closes and a spread of about 9 bps."""
    for n, close in enumerate(closes):
        push("AUSDT", AT + n * MINUTE, close)
        price = Decimal(100)
        quotes.put([Quote("AUSDT", price, price + Decimal("0.09"), price, price, datetime.now(UTC))])
        worker.minute(AT + n * MINUTE)


def test_a_minute_is_explained_with_the_spread_that_its_own_row_shows(worker: Worker) -> None:
    play(worker, LONG)
    explanation = explain("AUSDT", AT, "narrow")
    assert explanation.verdict.execution_timeframe == M1
    [leaf] = [leaf for part in explanation.verdict.timeframes for leaf in part.leaves if leaf.role == "drop"]
    assert (leaf.left, leaf.held) == (pytest.approx(9, rel=0.01), True)
    assert explanation.equal is True


def test_where_no_row_of_its_own_shows_the_spread_the_difference_is_told_with_it(worker: Worker) -> None:
    play(worker, SHORT, SHORT)  # the second minute decides the same and writes no row
    first, second = (explain("AUSDT", AT + n * MINUTE, "narrow") for n in range(2))
    assert (first.equal, second.equal) == (True, False)
    assert second.verdict.execution_timeframe == M5
    assert second.sentence.endswith("what was quoted then may not be known")


def test_a_replay_that_differs_by_a_spread_is_told_so(worker: Worker) -> None:
    play(worker, SHORT, SHORT)
    report = find_divergence("narrow", None, AT, AT + 2 * MINUTE)
    assert [(each.minute, each.kind) for each in report.differences] == [
        (AT, Kind.SPREAD),
        (AT + MINUTE, Kind.SPREAD),
    ]
    assert report.unexplained == 0
