"""The market_series rows: how far each symbol and timeframe is stored, and the version every row moves."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import NamedTuple

from django.db import connection

from apps.engine.values.timeframe import Timeframe

_TIMEFRAMES = {timeframe.value: timeframe for timeframe in Timeframe}
_SELECT = """
SELECT symbol, timeframe::text,
       extract(epoch FROM first_open)::int8, extract(epoch FROM last_open)::int8, version
FROM market_series
"""


class Series(NamedTuple):
    """Open times of the first and last stored candle, and how many rows were inserted or changed so far."""

    first_open: datetime
    last_open: datetime
    version: int


def series() -> dict[tuple[str, Timeframe], Series]:
    """Every stored series. Read each minute: whole seconds cross the wire, cheaper than text times."""
    with connection.cursor() as cursor:
        cursor.execute(_SELECT)
        return {
            (symbol, _TIMEFRAMES[timeframe]): Series(_moment(first), _moment(last), version)
            for symbol, timeframe, first, last, version in cursor.fetchall()
        }


def _moment(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
