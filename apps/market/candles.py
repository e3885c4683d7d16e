"""Candles read back from the klines table, exactly as they were."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.db import connection

from apps.engine.values.candle import Candle, Source
from apps.engine.values.timeframe import Timeframe

_SELECT = """
SELECT symbol, open_time, trim_scale(open_price), trim_scale(high_price), trim_scale(low_price),
       trim_scale(close_price), trim_scale(volume), source::text
FROM klines
WHERE symbol = ANY(%s) AND timeframe = %s AND open_time >= %s AND open_time < %s
ORDER BY symbol, open_time
"""
_MISSING = """
SELECT asked.symbol, wanted
FROM unnest(%s::text[]) AS asked (symbol),
     generate_series(%s::timestamptz, %s::timestamptz - interval '1 us', %s * interval '1 second') AS wanted
WHERE NOT EXISTS (
    SELECT FROM klines
    WHERE klines.symbol = asked.symbol AND open_time = wanted
      AND timeframe = %s AND open_time >= %s AND open_time < %s
)
ORDER BY asked.symbol, wanted
"""


def candles(symbol: str, timeframe: Timeframe, start: datetime, end: datetime) -> list[Candle]:
    """Stored candles with start <= open_time < end, rising."""
    return candles_by_symbol([symbol], timeframe, start, end).get(symbol, [])


def candles_by_symbol(
    symbols: Sequence[str], timeframe: Timeframe, start: datetime, end: datetime
) -> dict[str, list[Candle]]:
    """Stored candles of each symbol with start <= open_time < end, rising; a symbol without any is absent."""
    with connection.cursor() as cursor:
        cursor.execute(
            _SELECT,
            [list(symbols), timeframe, start, end],
        )
        found: dict[str, list[Candle]] = {}
        for symbol, open_time, first, high, low, close, volume, source in cursor.fetchall():
            candle = Candle(symbol, timeframe, open_time, first, high, low, close, volume, Source(source))
            found.setdefault(symbol, []).append(candle)
        return found


def missing_open_times(
    symbols: Sequence[str], timeframe: Timeframe, start: datetime, end: datetime
) -> dict[str, list[datetime]]:
    """Open times in [start, end) without a stored candle, rising; a complete symbol is absent."""
    first = timeframe.floor(start)
    first = first if first == start else first + timeframe.duration
    with connection.cursor() as cursor:
        cursor.execute(
            _MISSING,
            [list(symbols), first, end, timeframe.seconds, timeframe, start, end],
        )
        found: dict[str, list[datetime]] = {}
        for symbol, open_time in cursor.fetchall():
            found.setdefault(symbol, []).append(open_time)
        return found
