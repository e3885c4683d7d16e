"""Several writers of the same candles at once: they wait for each other and lose nothing."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
from django.db import connection

from apps.engine.values.candle import Source
from apps.engine.values.timeframe import Timeframe
from apps.market import store
from tests.rooms.builders import T0, candle

SYMBOLS = [f"C{n:02}USDT" for n in range(20)]
ROUNDS = 8


@pytest.mark.django_db(transaction=True)
def test_writers_in_opposite_orders_do_not_deadlock_and_every_change_is_counted() -> None:
    start = Barrier(2)

    def write(symbols: list[str], source: Source) -> int:
        start.wait()
        changed = 0
        for n in range(ROUNDS):
            changed += store.save_candles(
                candle(symbol, n=k, close=f"100.{n}", source=source) for symbol in symbols for k in range(3)
            )
        connection.close()
        return changed

    with ThreadPoolExecutor(2) as pool:
        ahead = pool.submit(write, SYMBOLS, Source.REST)
        back = pool.submit(write, SYMBOLS[::-1], Source.REST)
        changed = ahead.result(timeout=60) + back.result(timeout=60)

    assert changed >= ROUNDS * len(SYMBOLS) * 3
    found = store.candles_of(SYMBOLS, Timeframe.M1, T0, T0 + timedelta(minutes=3))
    assert {len(rows) for rows in found.values()} == {3}
    assert len(found) == len(SYMBOLS)
    assert sum(series.version for series in store.series().values()) == changed
