"""The HTML report: whole in one file, nothing unescaped, candles small and exact."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from apps.backtest.headline import BacktestResult
from apps.backtest.outcome import Exit, Outcome
from apps.backtest.report import page
from apps.backtest.report.html import bins
from apps.backtest.report.trade_candles import AFTER, BEFORE, MOST, around, drawn_on, packed
from apps.backtest.statistics import statistics
from apps.engine.values.candle import Candle, Source
from apps.engine.values.position import Side
from apps.engine.values.timeframe import Timeframe
from tests.backtest.outcome_builder import D, day, outcome, trade

NASTY = "<script>alert('x')</script>\"&"


def candle(opened_at: datetime, timeframe: Timeframe, *prices: str) -> Candle:
    opened, high, low, close = (D(price) for price in prices or ("50000", "50010.5", "49990", "50001.25"))
    return Candle(symbol="BTCUSDT", timeframe=timeframe, open_time=opened_at, open=opened, high=high, low=low,
                  close=close, volume=D(1), source=Source.FILE)  # fmt: skip


def candles(symbol: str, timeframe: Timeframe, start: datetime, end: datetime, /) -> Sequence[Candle]:
    first = timeframe.floor(start - timedelta(microseconds=1)) + timeframe.duration
    count = -(-(end - first) // timeframe.duration)
    return [candle(first + number * timeframe.duration, timeframe) for number in range(count)]


def unpacked(fields: dict[str, Any]) -> list[tuple[datetime, Decimal, Decimal, Decimal, Decimal]]:
    """What the page's script makes of it."""
    second, close, rows = fields["first_s"], 0, []
    for at in range(0, len(fields["numbers"]), 5):
        skipped, gap, body, above, below = fields["numbers"][at : at + 5]
        opened = close + gap
        close = opened + body
        second += skipped * fields["step_s"]
        high, low = max(opened, close) + above, min(opened, close) - below
        exact = [D(price).scaleb(-fields["decimals"]) for price in (opened, high, low, close)]
        rows.append((datetime.fromtimestamp(second, UTC), exact[0], exact[1], exact[2], exact[3]))
    return rows


def data_of(text: str) -> dict[str, Any]:
    """What the scripts draw of the page's only profile."""
    (data,) = re.findall(r'<script id="data" type="application/json">(.*?)</script>', text)
    (profile,) = json.loads(data)
    numbers: dict[str, Any] = profile
    return numbers


def written(*outcomes: Outcome, pessimistic: bool = False) -> str:
    results = [BacktestResult(each, statistics(each)) for each in outcomes]
    return page(results, candles, source="the recorded tape", pessimistic=pessimistic)


def test_packed_candles_are_the_candles_across_a_hole() -> None:
    sent = [
        candle(day(0), Timeframe.M1, "0.5", "0.55", "0.499", "0.5001"),
        candle(day(0) + timedelta(minutes=1), Timeframe.M1, "0.5001", "0.5001", "0.48", "0.49"),
        candle(day(0) + timedelta(minutes=7), Timeframe.M1, "12", "13", "11", "12"),
    ]
    packed_candles = packed(sent, Timeframe.M1)
    assert packed_candles["decimals"] == 4
    assert unpacked(packed_candles) == [
        (each.open_time, each.open, each.high, each.low, each.close) for each in sent
    ]


def test_round_prices_have_no_decimals() -> None:
    assert packed([candle(day(0), Timeframe.M1, "500", "600", "400", "500")], Timeframe.M1)["decimals"] == 0


def test_no_candles_pack_into_nothing() -> None:
    assert packed([], Timeframe.M1)["numbers"] == []


@pytest.mark.parametrize(
    ("hours", "timeframe"),
    [(1, Timeframe.M1), (2.8, Timeframe.M1), (3, Timeframe.M5), (24, Timeframe.M15), (24 * 7, Timeframe.H1)],
)
def test_a_long_trade_is_drawn_on_a_slower_timeframe(hours: float, timeframe: Timeframe) -> None:
    held = trade(at=20, hours=hours)
    assert drawn_on(held) is timeframe
    count = len(around(held, candles, since=day(0), until=day(400))["numbers"]) // 5
    assert BEFORE + AFTER < count <= MOST + 2


def test_the_candles_around_a_trade_hold_it_and_stop_at_the_history() -> None:
    held = trade(at=0.5, hours=1)
    opened = [row[0] for row in unpacked(around(held, candles, since=day(0), until=day(1)))]
    assert opened[0] == held.plan.created_at - timedelta(minutes=BEFORE)
    assert opened[-1] == held.closed_at + timedelta(minutes=AFTER)
    since = held.plan.created_at - timedelta(minutes=10)
    cut = [row[0] for row in unpacked(around(held, candles, since=since, until=held.closed_at))]
    assert (cut[0], cut[-1]) == (since, held.closed_at - timedelta(minutes=1))


def test_no_chart_shows_what_came_before_the_start_or_after_the_end() -> None:
    data = data_of(written(outcome(trade(at=0.01), trade(at=3.98, hours=0.2))))
    first, last = (unpacked(each["candles"]) for each in data["trades"])
    assert first[0][0] == day(0)
    assert last[-1][0] == day(4) - timedelta(minutes=1)


def test_bins_cover_every_multiple_once() -> None:
    multiples = [D("-1.0"), D("-0.01"), D(0), D("0.25"), D("1.99"), D(2)]
    histogram = bins(multiples)
    assert sum(count for _, _, count in histogram) == len(multiples)
    for low, high, count in histogram:
        assert count == sum(low <= each < high for each in multiples)
        assert high - low == D("0.1")
    assert (histogram[0][0], histogram[-1][0]) == (D(-1), D(2))


def test_far_outliers_widen_the_bins_instead_of_multiplying_them() -> None:
    assert len(bins([D(-1), D(900)])) <= 42
    assert bins([]) == []
    assert bins([D(1), D(1)]) == [(D(1), D("1.1"), 2)]


def test_the_page_asks_nobody() -> None:
    text = written(outcome(trade()))
    assert re.findall(r"""(?:src|href)\s*=\s*["'](?!data:|#)""", text) == []
    assert re.findall(r"url\(|@import|fetch\(|XMLHttpRequest|WebSocket", text) == []
    assert "default-src 'none'" in text


def test_no_name_reaches_the_page_as_markup() -> None:
    hostile = outcome(trade(symbol=NASTY), profile=NASTY, symbols=(NASTY,), verdicts={NASTY: 1})
    text = written(hostile)
    assert NASTY not in text
    assert "alert('x')" not in text
    assert text.count("<script") == 2
    assert "&lt;script&gt;" in text


def test_the_scripts_get_every_trade_with_its_levels() -> None:
    short = trade(-5, 1, side=Side.SHORT, exit=Exit.LIQUIDATION)
    profile = data_of(written(outcome(trade(), short)))
    assert [(each["long"], each["won"]) for each in profile["trades"]] == [(True, True), (False, False)]
    second = profile["trades"][1]
    assert (second["stop"], second["target"]) == (float(short.plan.stop), float(short.plan.target))
    assert second["zone"] == [float(short.plan.zone.low), float(short.plan.zone.high)]
    assert profile["curve"][0] == [int(day(0).timestamp()), 1000.0]


def test_levels_keep_digits_that_no_candle_around_them_has() -> None:
    fine = trade()
    fine = replace(fine, plan=replace(fine.plan, stop=D("49750.125")))
    (drawn,) = data_of(written(outcome(fine)))["trades"]
    assert (drawn["decimals"], drawn["candles"]["decimals"]) == (3, 2)


def test_several_profiles_are_compared_first_and_told_one_by_one() -> None:
    text = written(outcome(trade()), outcome(trade(-5), profile="regular"))
    assert text.index("Side by side") < text.index('id="profile-0"') < text.index('id="profile-1"')
    assert "Side by side" not in written(outcome(trade()))


def test_pessimistic_fills_are_said_and_a_run_without_trades_is_a_page_too() -> None:
    assert "pessimistic fills" in written(outcome(), pessimistic=True)
    assert "pessimistic fills" not in written(outcome())
    assert "It did not trade" in written(outcome())


def test_hundreds_of_trades_stay_within_a_few_megabytes() -> None:
    many = outcome(*(trade(5 if number % 3 else -5, number / 200) for number in range(500)))
    assert len(written(many)) < 5_000_000
