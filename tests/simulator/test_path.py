"""A minute meets open, both extremes and close exactly and in order, and ends as the archive says."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.exchange.simulator.market.archive import Archive
from apps.exchange.simulator.market.market import Market
from apps.exchange.simulator.market.path import LAST_TICK, TICKS, Moment, PricePath, moment, paths
from apps.exchange.simulator.tape.code import Matrix
from tests.simulator.conftest import NOON, STATE

UP = np.array([True])


def candle(*numbers: int) -> Matrix:
    return np.array([numbers], dtype=np.int64).T


@pytest.mark.parametrize(
    ("numbers", "at_15_s", "at_40_s"),
    [
        ((100, 110, 70, 90, 610), 110, 70),
        ((100, 190, 95, 180, 610), 95, 190),
        ((100, 100, 80, 90, 610), 100, 80),
        ((100, 100, 100, 100, 0), 100, 100),
    ],
)
def test_the_nearer_extreme_comes_first(numbers: tuple[int, ...], at_15_s: int, at_40_s: int) -> None:
    path = paths(candle(*numbers), UP)
    prices = [int(path.price(tick)[0]) for tick in (0, 15, 40, LAST_TICK)]
    assert prices == [numbers[0], at_15_s, at_40_s, numbers[3]]


def test_chance_decides_when_both_extremes_are_equally_near() -> None:
    tie = candle(100, 120, 80, 90, 610)
    assert paths(tie, np.array([True])).price(15) == [120]
    assert paths(tie, np.array([False])).price(15) == [80]


def test_the_price_runs_straight_between_and_volume_grows_evenly() -> None:
    path = paths(candle(100, 115, 65, 70, 610), UP)
    assert [int(path.price(tick)[0]) for tick in (1, 2, 14)] == [101, 102, 114]
    assert [int(path.price(tick)[0]) for tick in (16, 17, 39)] == [113, 111, 67]
    assert [int(path.traded(tick)[0]) for tick in (0, 1, 30, LAST_TICK)] == [10, 20, 310, 610]


@pytest.mark.parametrize("minutes_away", [0, -77_777, 50_001])
def test_forming_candles_only_grow_and_end_as_the_archives_candle(
    archive: Archive, minutes_away: int
) -> None:
    market, minute = Market(archive, seed=1), STATE.first_minute + 14_400 + minutes_away
    for symbol, row in market.row.items():
        closed = archive.matrix(symbol, 60, minute * 60, 1)
        path = market.path(minute)
        forming = np.stack([path.forming(tick)[:, row] for tick in range(TICKS)], axis=1)
        seen = np.stack([path.price(tick)[row] for tick in range(TICKS)])
        assert np.array_equal(forming[:, [-1]], closed)
        assert np.array_equal(forming[1], np.maximum.accumulate(seen))
        assert np.array_equal(forming[2], np.minimum.accumulate(seen))
        assert np.array_equal(forming[3], seen)
        assert (np.diff(forming[4]) >= 0).all()


def test_two_markets_of_one_seed_agree_and_another_seed_breaks_ties_differently(archive: Archive) -> None:
    minutes = range(STATE.first_minute, STATE.first_minute + 200)
    runs = [
        np.stack([Market(archive, seed).path(minute).vertices for minute in minutes]) for seed in (1, 1, 2)
    ]
    assert np.array_equal(runs[0], runs[1])
    assert not np.array_equal(runs[0], runs[2])


def test_the_mark_price_stays_within_the_candle_and_shares_its_ends(archive: Archive) -> None:
    market, minute = Market(archive, seed=1), STATE.first_minute + 99
    last, mark = market.path(minute).forming(LAST_TICK), market.mark_path(minute).forming(LAST_TICK)
    assert np.array_equal(mark[[0, 3]], last[[0, 3]])
    assert (mark[1] <= last[1]).all()
    assert (mark[2] >= last[2]).all()
    assert not mark[4].any()


@pytest.mark.parametrize(
    ("second", "microsecond", "tick"),
    [(0, 0, 0), (0, 999_999, 0), (59, 0, 59), (59, 899_999, 59), (59, 900_000, 60)],
)
def test_a_tick_lasts_until_the_next(second: int, microsecond: int, tick: int) -> None:
    at = datetime(2026, 11, 20, 12, 0, second, microsecond, tzinfo=UTC)
    assert moment(at) == Moment(int(NOON.timestamp()) // 60, tick)


def test_ticks_are_counted_across_minutes() -> None:
    assert Moment(5, 0).earlier(1) == Moment(4, LAST_TICK)
    assert Moment(5, 0).number - Moment(4, 0).number == TICKS


def test_one_contract_in_plain_numbers_runs_as_all_of_them_do(archive: Archive) -> None:
    market = Market(archive, seed=1)
    first = int(NOON.timestamp()) // 60
    for minute in range(first, first + 40):
        for tick in range(TICKS):
            quotes = market.quotes(Moment(minute, tick))
            for symbol, row in market.row.items():
                run = market.minute_path(symbol, minute)
                bid, ask = run.book(tick)
                prices = (run.last.price(tick), run.mark.price(tick), bid, ask)
                assert prices == tuple(
                    column[row] for column in (quotes.last, quotes.mark, quotes.bid, quotes.ask)
                )
        assert market.minute_path(symbol, minute).volume == market.path(minute).volume[row]


@given(st.lists(st.integers(1, 60), min_size=4, max_size=4), st.integers(0, 60), st.integers(0, 60))
def test_the_first_tick_beyond_is_found_where_looking_at_each_finds_it(
    vertices: list[int], low: int, first: int
) -> None:
    line, high = PricePath(tuple(vertices)), low + 20
    beyond = [tick for tick in range(first, TICKS) if not low < line.price(tick) < high]
    assert line.first_beyond(low, high, first) == (beyond[0] if beyond else None)
    assert line.reach(first, LAST_TICK) == (
        min(line.price(tick) for tick in range(first, TICKS)),
        max(line.price(tick) for tick in range(first, TICKS)),
    )
