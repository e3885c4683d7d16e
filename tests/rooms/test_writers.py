"""Several writers of the same candles at once: they wait for each other and lose nothing."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
from django.db import connection

from apps.engine.values.candle import Candle
from apps.engine.values.timeframe import Timeframe
from apps.market import store
from tests.rooms.builders import T0, candle

SYMBOLS = [f"C{n:02}USDT" for n in range(20)]
CANDLES = 100
ROUNDS = 4


def batches(symbols: list[str]) -> list[list[Candle]]:
    """Each round corrects every candle, so that every row is locked; long enough for the writers to meet."""
    return [
        [candle(symbol, n=n, close=f"100.{round_}") for symbol in symbols for n in range(CANDLES)]
        for round_ in range(ROUNDS)
    ]


@pytest.mark.django_db(transaction=True)
def test_writers_in_opposite_orders_do_not_deadlock_and_every_change_is_counted() -> None:
    start = Barrier(2)

    def write(rounds: list[list[Candle]]) -> int:
        try:
            start.wait()
            return sum(store.save_candles(batch) for batch in rounds)
        finally:
            connection.close()

    store.save_candles(candle(symbol, n=n) for symbol in SYMBOLS for n in range(CANDLES))
    with ThreadPoolExecutor(2) as pool:
        ahead = pool.submit(write, batches(SYMBOLS))
        back = pool.submit(write, [batch[::-1] for batch in batches(SYMBOLS)])
        changed = ahead.result(timeout=60) + back.result(timeout=60)

    by_symbol = store.candles_by_symbol(SYMBOLS, Timeframe.M1, T0, T0 + timedelta(minutes=CANDLES))
    assert {symbol: len(rows) for symbol, rows in by_symbol.items()} == dict.fromkeys(SYMBOLS, CANDLES)
    moved = sum(series.version for series in store.series().values())
    assert moved == changed + len(SYMBOLS) * CANDLES
