"""The klines table as wide float64 arrays.

One COPY brings each symbol's stretch as six packed columns (open times as PostgreSQL's own int64, prices and
volume as big-endian float64), which numpy reads in place. A row a candle would cost three times as much: the
wire's price is per row.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

import numpy as np
from django.db import connection
from numpy.typing import NDArray

from apps.engine.frame import Floats, Windows, windows
from apps.engine.values.timeframe import Timeframe

_POSTGRES_EPOCH_S = int(datetime(2000, 1, 1, tzinfo=UTC).timestamp())
"""timestamptz_send gives microseconds since 2000-01-01 UTC."""

_COLUMNS = ("open_price", "high_price", "low_price", "close_price", "volume")
_PACKED = f"""
COPY (
    SELECT (asked.place - 1)::int4, string_agg(timestamptz_send(open_time), ''),
           {", ".join(f"string_agg(float8send({column}::float8), '')" for column in _COLUMNS)}
    FROM unnest(%s::text[]) WITH ORDINALITY AS asked (symbol, place)
    JOIN klines ON klines.symbol = asked.symbol
    WHERE timeframe = %s AND open_time >= %s AND open_time < %s
    GROUP BY 1
) TO STDOUT (FORMAT binary)
"""  # noqa: S608 (our own column names; every value is a parameter)

_AT = f"""
SELECT (asked.place - 1)::int4, {", ".join(f"{column}::float8" for column in _COLUMNS)}
FROM unnest(%s::text[]) WITH ORDINALITY AS asked (symbol, place)
JOIN klines ON klines.symbol = asked.symbol
WHERE timeframe = %s AND open_time = %s
"""  # noqa: S608


class CandleTable:
    """The port `Candles` over the klines table."""

    def windows(
        self, symbols: Sequence[str], timeframe: Timeframe, *, until: datetime, length: int
    ) -> Windows:
        """The `length` closed candles up to the one that closes at `until` (a boundary of `timeframe`)."""
        matrix = _matrix(symbols, timeframe, until - length * timeframe.duration, length)
        return windows(tuple(symbols), timeframe, until, matrix)


def _matrix(symbols: Sequence[str], timeframe: Timeframe, start: datetime, length: int) -> Floats:
    """Float64 (5, S, length) of the candles from `start` on; NaN where absent."""
    matrix = np.full((5, len(symbols), length), np.nan)
    start_s = int(start.timestamp()) - _POSTGRES_EPOCH_S
    for place, times, *columns in _packed(symbols, timeframe, start, start + length * timeframe.duration):
        at = (_numbers(times, ">i8") // 1_000_000 - start_s) // timeframe.seconds
        for n, column in enumerate(columns):
            matrix[n, place, at] = _numbers(column, ">f8")
    return matrix


def _packed(
    symbols: Sequence[str], timeframe: Timeframe, start: datetime, end: datetime
) -> Iterator[tuple[int, bytes, bytes, bytes, bytes, bytes, bytes]]:
    with (
        connection.cursor() as cursor,
        # the driver's own cursor: Django's, while it logs queries (DEBUG), takes no parameters here
        cursor.cursor.copy(_PACKED, [list(symbols), timeframe.value, start, end]) as copy,
    ):
        copy.set_types(["int4"] + ["bytea"] * 6)
        yield from copy.rows()


def _numbers(packed: bytes, dtype: str) -> NDArray[np.generic]:
    return np.frombuffer(packed, dtype)
