"""The klines table as wide float64 arrays.

One COPY brings each symbol's stretch as six packed columns (open times as PostgreSQL's own int64, prices and
volume as big-endian float64), which numpy reads in place. A row a candle would cost three times as much: the
wire's price is per row.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import numpy as np
from django.db import connection

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


class CandleTable:
    """The port `Candles` over the klines table."""

    def windows(
        self, symbols: Sequence[str], timeframe: Timeframe, *, until: datetime, length: int
    ) -> Windows:
        """Return the `length` closed candles up to the one that closes at `until`, a timeframe's boundary."""
        start = until - length * timeframe.duration
        start_s = int(start.timestamp()) - _POSTGRES_EPOCH_S
        matrix: Floats = np.full((5, len(symbols), length), np.nan)  # NaN where a candle is absent
        with (
            connection.cursor() as cursor,
            # the driver's own cursor: Django's, while it logs queries (DEBUG), takes no parameters here
            cursor.cursor.copy(_PACKED, [list(symbols), timeframe.value, start, until]) as copy,
        ):
            copy.set_types(["int4"] + ["bytea"] * 6)
            for place, times, *columns in copy.rows():
                opened_s = np.frombuffer(times, ">i8") // 1_000_000 - start_s
                at = opened_s // timeframe.seconds
                for n, column in enumerate(columns):
                    matrix[n, place, at] = np.frombuffer(column, ">f8")
        return windows(tuple(symbols), timeframe, until, matrix)
