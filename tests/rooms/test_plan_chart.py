"""The chart of a plan: where its prices and candles are drawn."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.engine.values.candle import Candle
from apps.engine.values.position import Side
from apps.engine.values.timeframe import Timeframe
from apps.orders.chart import (
    BOTTOM,
    CANDLES,
    HEIGHT,
    LEFT,
    LINE,
    RIGHT,
    TOP,
    WIDTH,
    apart,
    make_scale,
    plan_chart,
    span,
)
from apps.orders.models import OrderPlan
from apps.orders.values import plan_columns
from tests.rooms.trades import NOW, plan

D = Decimal
M15 = Timeframe.M15
START = datetime(2026, 11, 2, 8, 0, tzinfo=UTC)


def row(**changes: object) -> OrderPlan:
    return OrderPlan(**plan_columns(plan(**changes), {}))


def candles(of: OrderPlan, count: int = 20) -> list[Candle]:
    """The last `count` closed at the plan: each rises from 99.6 to 100.2, between 99.4 and 100.6."""
    newest = M15.floor(of.plan_time)
    return [
        Candle(of.symbol, M15, newest - n * M15.duration, *map(D, ("99.6", "100.6", "99.4", "100.2")), D(1))
        for n in range(count, 0, -1)
    ]


def y_of(svg: str, level: str) -> float:
    match = re.search(rf'<line class="level {level}"[^>]* y1="([\d.]+)"', svg)
    assert match is not None, level
    return float(match[1])


@pytest.mark.parametrize(
    ("now", "end"),
    [
        (NOW, datetime(2026, 11, 2, 9, 15, tzinfo=UTC)),  # the candle that forms has its place
        (NOW + timedelta(hours=1), datetime(2026, 11, 2, 10, 15, tzinfo=UTC)),
        (NOW + timedelta(days=9), datetime(2026, 11, 2, 16, 30, tzinfo=UTC)),  # 30 candles after the plan
        (NOW - timedelta(minutes=20), datetime(2026, 11, 2, 9, 15, tzinfo=UTC)),  # a clock set back
    ],
)
def test_the_chart_shows_the_candles_up_to_now_and_of_an_old_plan_what_followed(
    now: datetime, end: datetime
) -> None:
    assert span(row(), now) == (M15, end - CANDLES * M15.duration, end)


@pytest.mark.parametrize(
    ("side", "above", "below"), [(Side.LONG, "target", "stop"), (Side.SHORT, "stop", "target")]
)
def test_target_entry_and_stop_are_drawn_with_their_prices_in_their_order(
    side: Side, above: str, below: str
) -> None:
    drawn = row(side=side)
    svg = plan_chart(drawn, candles(drawn), NOW)
    assert TOP < y_of(svg, above) < y_of(svg, "entry") < y_of(svg, below) < HEIGHT - BOTTOM
    for text in (
        f"target {drawn.target_price}",
        "entry 100",
        f"stop {drawn.stop_price}",
        "zone 99.5 to 100.5",
    ):
        assert text in svg


def test_each_candle_is_drawn_once_in_its_colour_and_inside_the_frame() -> None:
    drawn = row()
    svg = plan_chart(drawn, candles(drawn), NOW)
    assert (svg.count('<g class="up">'), svg.count('<g class="down">')) == (20, 0)
    assert "20 candles of BTCUSDT on 15m" in svg
    for x in map(float, re.findall(r'<g class="up"><line x1="([\d.]+)"', svg)):
        assert LEFT < x < WIDTH - RIGHT


def test_without_candles_the_plan_s_own_prices_are_drawn_and_it_says_why() -> None:
    svg = plan_chart(row(), [], NOW)
    assert "no 15m candles of BTCUSDT are stored around" in svg
    assert y_of(svg, "target") < y_of(svg, "stop")


def test_what_was_stored_of_a_plan_never_becomes_markup() -> None:
    drawn = row()
    drawn.symbol = "<script>alert(1)</script>"
    assert "<script" not in plan_chart(drawn, [], NOW)


numbers = st.floats(min_value=1e-8, max_value=1e6)


@given(low=numbers, high=numbers, inside=st.floats(0, 1), minutes=st.integers(1, 100_000))
def test_whatever_the_range_of_prices_a_handful_of_round_ones_lies_inside_the_frame(
    low: float, high: float, inside: float, minutes: int
) -> None:
    low, high = sorted((low, high))
    scale = make_scale(START, START + timedelta(minutes=minutes), [low, low + inside * (high - low), high])
    assert TOP < scale.y(high) <= scale.y(low) < HEIGHT - BOTTOM
    written = scale.prices()
    assert 2 <= len(written) <= 8
    assert all(TOP <= y <= HEIGHT - BOTTOM for y, _ in written)
    assert len({text for _, text in written}) == len(written)
    assert all(LEFT <= x <= WIDTH - RIGHT for x, _ in scale.times())


@given(wanted=st.lists(st.floats(TOP, HEIGHT - BOTTOM), min_size=1, max_size=5))
def test_texts_never_lie_on_each_other(wanted: list[float]) -> None:
    placed = apart(wanted, LINE)
    assert all(later - earlier >= LINE - 1e-6 for earlier, later in pairwise(sorted(placed)))
    assert max(placed) <= HEIGHT - BOTTOM + 1e-6
