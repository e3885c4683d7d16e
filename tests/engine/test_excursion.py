"""MFE and MAE: how far the market went for and against a position."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.engine.follow.excursion import Excursion, excursion, holding_span
from apps.engine.values.candle import Candle
from apps.engine.values.position import Side
from apps.engine.values.timeframe import Timeframe

D = Decimal
START = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)
LONG, SHORT = Side.LONG, Side.SHORT


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def minutes(*ranges: tuple[str, str], start: datetime = START) -> list[Candle]:
    """One 1m candle for each (low, high), closing where it opened."""
    return [
        Candle(
            "BTCUSDT", Timeframe.M1, start + n * timedelta(minutes=1), D(low), D(high), D(low), D(low), D(1)
        )
        for n, (low, high) in enumerate(ranges)
    ]


@pytest.mark.parametrize(
    ("side", "stop", "ranges", "found"),
    [
        (LONG, "99", [("100", "103"), ("98.5", "101")], ("103", "98.5", "3", "1.5", "3", "1.5")),
        (SHORT, "101", [("100", "103"), ("98.5", "101")], ("98.5", "103", "1.5", "3", "1.5", "3")),
        (LONG, "98", [("100", "103")], ("103", "100", "3", "0", "1.5", "0")),
        (SHORT, "102", [("100", "103")], ("100", "103", "0", "3", "0", "1.5")),
        (LONG, "99", [("101", "102")], ("102", "100", "2", "0", "2", "0")),  # never against it
        (LONG, "99", [("97", "98")], ("100", "97", "0", "3", "0", "3")),  # never for it
        (LONG, None, [("99", "101")], ("101", "99", "1", "1", None, None)),
    ],
)
def test_the_prices_farthest_for_and_against_in_percent_and_in_r(
    side: Side, stop: str | None, ranges: list[tuple[str, str]], found: tuple[str | None, ...]
) -> None:
    ended = at(60 * len(ranges))
    got = excursion(
        minutes(*ranges), side, D(100), None if stop is None else D(stop), began=START, ended=ended
    )
    assert got == Excursion(*(None if one is None else D(one) for one in found))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("began_s", "ended_s", "first", "count"),
    [
        (0, 60, 0, 1),
        (0, 61, 0, 2),
        (59, 60, 0, 1),
        (59, 61, 0, 2),
        (61, 185, 1, 3),
        (60, 60, 1, 1),  # opened and closed in one moment
        (30, 10, 0, 1),  # the exchange's clock behind ours
    ],
)
def test_every_minute_in_which_it_was_held_counts_whole(
    began_s: float, ended_s: float, first: int, count: int
) -> None:
    start = START + first * timedelta(minutes=1)
    assert holding_span(at(began_s), at(ended_s)) == (start, start + count * timedelta(minutes=1))


@pytest.mark.parametrize("absent", [0, 1, 2])
def test_a_missing_minute_makes_it_unknown_and_not_nothing(absent: int) -> None:
    candles = minutes(("99", "101"), ("99", "101"), ("99", "101"))
    del candles[absent]
    assert excursion(candles, LONG, D(100), D(99), began=at(5), ended=at(125)) is None


prices = st.decimals(min_value=D("0.0001"), max_value=D(100_000), places=4)


@given(
    ranges=st.lists(st.tuples(prices, prices).map(sorted), min_size=1, max_size=12),
    entry=prices,
    stop=prices,
)
def test_one_side_s_best_is_the_other_side_s_worst_and_nothing_lies_beyond(
    ranges: list[list[Decimal]], entry: Decimal, stop: Decimal
) -> None:
    candles = minutes(*((str(low), str(high)) for low, high in ranges))
    ended = at(60 * len(ranges))
    long = excursion(candles, LONG, entry, stop, began=START, ended=ended)
    short = excursion(candles, SHORT, entry, stop, began=START, ended=ended)
    assert long is not None
    assert short is not None
    assert (long.best, long.worst) == (short.worst, short.best)
    assert (long.mfe_pct, long.mae_pct) == (short.mae_pct, short.mfe_pct)
    assert all(long.worst <= price <= long.best for price in (entry, *(p for each in ranges for p in each)))
    assert min(long.mfe_pct, long.mae_pct) >= 0
    if stop != entry:
        assert long.mfe_r is not None
        assert abs(long.mfe_r * abs(entry - stop) - (long.best - entry)) < D("1e-15") * long.best
    else:
        assert long.mfe_r is None


@given(outside=st.lists(st.tuples(prices, prices).map(sorted), min_size=1, max_size=5))
def test_what_happened_before_the_first_minute_and_after_the_last_changes_nothing(
    outside: list[list[Decimal]],
) -> None:
    held = minutes(("99", "103"), ("98", "101"))
    later = minutes(*((str(low), str(high)) for low, high in outside), start=at(120))
    earlier = minutes(
        *((str(low), str(high)) for low, high in outside), start=START - len(outside) * timedelta(minutes=1)
    )
    wanted = {"began": at(7), "ended": at(119)}
    assert excursion([*earlier, *held, *later], LONG, D(100), D(99), **wanted) == excursion(
        held, LONG, D(100), D(99), **wanted
    )
