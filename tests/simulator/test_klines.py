"""Klines over REST: the archive's candles, in the exchange's units, bounds and steps."""

from __future__ import annotations

from decimal import Decimal

import pytest

from apps.exchange.simulator.market.archive import Archive
from apps.exchange.simulator.server.routes import STEPS_MIN
from tests.simulator.conftest import NOON, Client

KLINE = "/contract/public/kline"
NOW_S = int(NOON.timestamp())


def test_klines_are_the_archives_candles_in_seconds_and_contracts(still: Client, archive: Archive) -> None:
    rows = still.data(KLINE, symbol="ETHUSDT", step=5, start_time=NOW_S - 3600, end_time=NOW_S - 330)
    opens = [row["timestamp"] for row in rows]
    assert opens == list(range(NOW_S - 30 - 3300, NOW_S - 330 + 1, 300))
    candles = archive.matrix("ETHUSDT", 300, opens[0], len(opens)).T.tolist()
    tick = archive.listing("ETHUSDT").tick
    for row, candle in zip(rows, candles, strict=True):
        prices = [row[f"{name}_price"] for name in ("open", "high", "low", "close")]
        assert [Decimal(price) for price in prices] == [ticks * tick for ticks in candle[:4]]
        assert row["volume"] == str(candle[4])


def test_the_forming_candle_comes_last_and_nothing_of_the_future(still: Client, archive: Archive) -> None:
    rows = still.data(KLINE, symbol="BTCUSDT", step=1, start_time=NOW_S - 90, end_time=NOW_S + 9999)
    assert [row["timestamp"] for row in rows] == [NOW_S - 90, NOW_S - 30]
    final = archive.matrix("BTCUSDT", 60, NOW_S - 30, 1)[:, 0].tolist()
    assert 0 < int(rows[-1]["volume"]) < final[4]
    assert still.data(KLINE, symbol="BTCUSDT", step=1, start_time=NOW_S + 60, end_time=NOW_S + 999) == []


def test_both_ends_of_a_span_are_included(still: Client) -> None:
    rows = still.data(KLINE, symbol="BTCUSDT", start_time=NOW_S - 30 - 180, end_time=NOW_S - 30 - 60)
    assert [row["timestamp"] for row in rows] == [NOW_S - 210, NOW_S - 150, NOW_S - 90]


def test_a_span_of_more_than_500_rows_gives_the_newest_500(still: Client) -> None:
    rows = still.data(KLINE, symbol="BTCUSDT", step=1, start_time=0, end_time=NOW_S)
    assert len(rows) == 500
    assert rows[-1]["timestamp"] == NOW_S - 30
    assert rows[0]["timestamp"] == NOW_S - 30 - 499 * 60


@pytest.mark.parametrize("step", STEPS_MIN)
def test_every_step_is_served_and_equals_the_roll_up_of_its_minutes(still: Client, step: int) -> None:
    span = {"start_time": NOW_S - step * 60 * 3, "end_time": NOW_S}
    row = still.data(KLINE, symbol="XRP2USDT", step=step, **span)[-1]
    opened = row["timestamp"]
    minutes = []
    for first in range(opened, NOW_S, 500 * 60):
        last = min(first + 499 * 60, NOW_S)
        minutes += still.data(KLINE, symbol="XRP2USDT", step=1, start_time=first, end_time=last)
    assert row["open_price"] == minutes[0]["open_price"]
    assert row["close_price"] == minutes[-1]["close_price"]
    assert Decimal(row["high_price"]) == max(Decimal(minute["high_price"]) for minute in minutes)
    assert Decimal(row["low_price"]) == min(Decimal(minute["low_price"]) for minute in minutes)
    assert int(row["volume"]) == sum(int(minute["volume"]) for minute in minutes)


def test_mark_price_klines_carry_no_volume_and_stay_within_the_last_price(still: Client) -> None:
    span = {"symbol": "BTCUSDT", "step": 60, "start_time": NOW_S - 36_000, "end_time": NOW_S}
    last, mark = still.data(KLINE, **span), still.data("/contract/public/markprice-kline", **span)
    assert [row["timestamp"] for row in mark] == [row["timestamp"] for row in last]
    for ours, theirs in zip(mark, last, strict=True):
        assert ours["volume"] == "0"
        assert Decimal(ours["high_price"]) <= Decimal(theirs["high_price"])
        assert Decimal(ours["low_price"]) >= Decimal(theirs["low_price"])
