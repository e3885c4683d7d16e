"""Candles into the indexed, partitioned table: new, unchanged and corrected ones; and the cold read."""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from django.db import connection

from apps.engine.values.candle import Candle, Source
from apps.engine.values.timeframe import VALIDATION, WINDOW, Timeframe
from apps.market import store
from apps.market.table import CandleTable

NEEDS_DJANGO = True

UNTIL = datetime(2026, 11, 2, tzinfo=UTC)


def run(args: list[str]) -> dict[str, Any]:
    """Measure the writes, and the cold read when asked for.

    Candles are made before the clock starts; making their rows is inside it. n is counted in the table.
    """
    parser = argparse.ArgumentParser(prog="bench upsert")
    parser.add_argument("--symbols", type=int, default=400)
    parser.add_argument("--candles", type=int, default=500, help="1m candles of each symbol in the bulk")
    parser.add_argument("--minutes", type=int, default=20, help="batches of one candle a symbol")
    parser.add_argument("--windows", action="store_true", help="also fill and read five timeframes' windows")
    options = parser.parse_args(args)
    symbols = [f"BENCH{n:04}USDT" for n in range(options.symbols)]
    candles = list(_candles(symbols, Timeframe.M1, options.candles))
    corrected = [replace(candle, close=candle.high) for candle in candles]
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE klines, market_series")
    seconds = {
        "insert": _seconds(lambda: store.save_candles(candles)),
        "unchanged": _seconds(lambda: store.save_candles(candles)),
        "corrected": _seconds(lambda: store.save_candles(corrected)),
    }
    rows = _count_rows()
    opened = [UNTIL + (options.candles + n) * Timeframe.M1.duration for n in range(options.minutes)]
    batches = [[_candle(symbol, Timeframe.M1, at, Decimal(100)) for symbol in symbols] for at in opened]
    minutes_s = sorted(_seconds(lambda batch=batch: store.save_candles(batch)) for batch in batches)  # type: ignore[misc]  # mypy cannot infer a lambda's default
    windows_s = _read_cold_windows(symbols) if options.windows else None
    return {
        "name": "upsert",
        "params": vars(options),
        "metrics": {
            "rows": rows,
            "rows_per_s": round(rows / seconds["insert"]),
            "unchanged_rows_per_s": round(rows / seconds["unchanged"]),
            "corrected_rows_per_s": round(rows / seconds["corrected"]),
            "minute_median_ms": round(minutes_s[len(minutes_s) // 2] * 1000, 2),
            "rows_after": _count_rows(),
        }
        | ({} if windows_s is None else {"cold_windows_s": round(windows_s, 3)}),
        "stages": {f"{name}_ms": round(taken * 1000, 1) for name, taken in seconds.items()},
    }


def _candles(symbols: list[str], timeframe: Timeframe, count: int) -> Iterator[Candle]:
    """Yield the `count` candles of each symbol before UNTIL, every one with its own prices."""
    start = timeframe.floor(UNTIL) - count * timeframe.duration
    for place, symbol in enumerate(symbols):
        for n in range(count):
            price = Decimal(10_000 + place * 7 + n % 613) / 100
            yield _candle(symbol, timeframe, start + n * timeframe.duration, price)


def _candle(symbol: str, timeframe: Timeframe, open_time: datetime, price: Decimal) -> Candle:
    wick = Decimal("0.25")
    volume = price * 3
    return Candle(symbol, timeframe, open_time, price, price + wick, price - wick, price, volume, Source.REST)


def _read_cold_windows(symbols: list[str]) -> float:
    """Fill the five timeframes' windows and read them; return the seconds of reading."""
    for timeframe in VALIDATION:
        store.save_candles(_candles(symbols, timeframe, WINDOW[timeframe]))
    table = CandleTable()
    return sum(
        _seconds(
            lambda timeframe=timeframe: table.windows(  # type: ignore[misc]  # mypy cannot infer a lambda's default
                symbols, timeframe, until=timeframe.floor(UNTIL), length=WINDOW[timeframe]
            )
        )
        for timeframe in VALIDATION
    )


def _seconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def _count_rows() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM klines")
        return int(cursor.fetchone()[0])
