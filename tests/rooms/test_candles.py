"""Candles are stored once, by the strongest source, and every change moves its series."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import IntegrityError, connection, transaction

from apps.engine.values.candle import Source
from apps.engine.values.timeframe import Timeframe
from apps.market import store
from apps.market.models import Kline
from tests.rooms.builders import T0, candle

pytestmark = pytest.mark.django_db

BTC = ("BTCUSDT", Timeframe.M1)


def stored(symbol: str = "BTCUSDT") -> list[tuple[Decimal, Source]]:
    candles = store.candles(symbol, Timeframe.M1, T0, T0 + timedelta(days=1))
    return [(each.close, each.source) for each in candles]


STRENGTH = [Source.EMPTY, Source.FILE, Source.WS, Source.ROLLUP, Source.REST]


@pytest.mark.parametrize("first", STRENGTH)
@pytest.mark.parametrize("second", STRENGTH)
def test_the_same_or_a_stronger_source_replaces_a_candle_and_a_weaker_does_not(
    first: Source, second: Source
) -> None:
    store.save_candles([candle(close="100.5", source=first)])
    wins = STRENGTH.index(second) >= STRENGTH.index(first)
    assert store.save_candles([candle(close="101.5", source=second)]) == int(wins)
    assert stored() == [(Decimal("101.5"), second) if wins else (Decimal("100.5"), first)]
    assert store.series()[BTC].version == (2 if wins else 1)


def test_a_write_that_changes_nothing_writes_and_moves_nothing() -> None:
    store.save_candles([candle(), candle(n=1)])
    before = list(Kline.objects.order_by("id").values())
    assert store.save_candles([candle(), candle(n=1)]) == 0
    assert list(Kline.objects.order_by("id").values()) == before
    assert store.series()[BTC].version == 2


def test_a_batch_moves_each_series_by_its_rows_and_extends_it_both_ways() -> None:
    store.save_candles([candle(n=5)])
    assert store.save_candles([candle(n=9), candle(n=2), candle("ETHUSDT", n=1)]) == 3
    series = store.series()
    assert series[BTC] == (T0 + timedelta(minutes=2), T0 + timedelta(minutes=9), 3)
    assert series["ETHUSDT", Timeframe.M1].version == 1


def test_an_unchanged_series_in_a_batch_stands_still() -> None:
    store.save_candles([candle(), candle("ETHUSDT")])
    store.save_candles([candle(), candle("ETHUSDT", close="101")])
    assert store.series()[BTC].version == 1
    assert store.series()["ETHUSDT", Timeframe.M1].version == 2


def test_of_two_candles_with_one_key_in_a_batch_the_stronger_then_the_later_counts() -> None:
    batch = [
        candle(close="100.1", source=Source.REST),
        candle(close="100.2", source=Source.WS),
        candle(n=1, close="100.3", source=Source.WS),
        candle(n=1, close="100.4", source=Source.WS),
    ]
    assert store.save_candles(batch) == 2
    assert [close for close, _ in stored()] == [Decimal("100.1"), Decimal("100.4")]


def test_nothing_is_a_legal_batch() -> None:
    assert store.save_candles([]) == 0
    assert store.series() == {}


@pytest.mark.parametrize("timeframe", list(Timeframe))
def test_each_timeframe_lives_in_its_own_partition_and_none_in_the_default(timeframe: Timeframe) -> None:
    opened = timeframe.floor(T0)
    store.save_candles([candle(timeframe=timeframe, open_time=opened)])
    with connection.cursor() as cursor:
        cursor.execute("SELECT tableoid::regclass::text FROM klines")
        assert cursor.fetchall() == [(f"klines_{timeframe}",)]


@pytest.mark.parametrize("price", ["0.000000000123", "99999999999.123456789012", "1E-7", "1234500"])
def test_prices_come_back_exactly(price: str) -> None:
    exact = Decimal(price)
    flat = replace(candle(), open=exact, high=exact, low=exact, close=exact, volume=exact)
    store.save_candles([flat])
    assert store.candles("BTCUSDT", Timeframe.M1, T0, T0 + timedelta(minutes=1)) == [flat]


def test_candles_of_many_symbols_come_back_rising_and_apart() -> None:
    saved = [candle(symbol, n=n) for symbol in ("BTCUSDT", "ETHUSDT") for n in (3, 1, 2)]
    store.save_candles(saved)
    by_symbol = store.candles_by_symbol(
        ["ETHUSDT", "BTCUSDT", "NONE"], Timeframe.M1, T0, T0 + timedelta(minutes=3)
    )
    assert {symbol: [row.open_time for row in rows] for symbol, rows in by_symbol.items()} == {
        symbol: [T0 + timedelta(minutes=1), T0 + timedelta(minutes=2)] for symbol in ("BTCUSDT", "ETHUSDT")
    }


def test_missing_names_the_absent_open_times_of_a_half_open_stretch() -> None:
    store.save_candles(candle(n=n) for n in (0, 2, 4, 5))
    end = T0 + timedelta(minutes=5)
    missing = store.missing_open_times(["BTCUSDT", "ETHUSDT"], Timeframe.M1, T0, end)
    assert missing == {
        "BTCUSDT": [T0 + timedelta(minutes=n) for n in (1, 3)],
        "ETHUSDT": [T0 + timedelta(minutes=n) for n in range(5)],
    }
    assert store.missing_open_times(
        ["BTCUSDT"], Timeframe.M1, T0 + timedelta(seconds=1), T0 + timedelta(seconds=61)
    ) == {"BTCUSDT": [T0 + timedelta(minutes=1)]}
    assert store.missing_open_times(["BTCUSDT"], Timeframe.M1, end, end) == {}


IMPOSSIBLE = {
    "high below the close": {"high_price": "100.2"},
    "low above the open": {"low_price": "100.1"},
    "a price of zero": {"low_price": "0"},
    "a negative volume": {"volume": "-1"},
    "a price that is no number": {"high_price": "NaN"},
    "a volume that is no number": {"volume": "NaN"},
    "a time off its boundary": {"open_time": T0 + timedelta(seconds=30)},
    "no symbol": {"symbol": ""},
}


@pytest.mark.parametrize("change", IMPOSSIBLE.values(), ids=IMPOSSIBLE.keys())
def test_the_database_itself_refuses(change: dict[str, object]) -> None:
    row = {
        "symbol": "BTCUSDT",
        "timeframe": "1m",
        "open_time": T0,
        "open_price": "100",
        "high_price": "102",
        "low_price": "99",
        "close_price": "100.5",
        "volume": "1",
        "source": "REST",
    } | change
    with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO klines ({', '.join(row)}) VALUES ({', '.join(['%s'] * len(row))})",
            list(row.values()),
        )
    assert not Kline.objects.exists()
