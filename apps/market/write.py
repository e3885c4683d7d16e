"""Candles into the klines table, in bulk, their series bumped in the same transaction."""

from __future__ import annotations

from collections.abc import Iterable

from django.db import connection, transaction

from apps.db.copy import escape
from apps.db.upsert import Upsert
from apps.engine.values.candle import Candle, Source

RANK = {Source.REST: 4, Source.ROLLUP: 3, Source.WS: 2, Source.FILE: 1, Source.EMPTY: 0}
"""On conflict the same or a higher rank replaces what is stored; a file yields to the market."""

_VALUES = ("open_price", "high_price", "low_price", "close_price", "volume", "source")


def _rank(column: str) -> str:
    cases = " ".join(f"WHEN '{source}' THEN {rank}" for source, rank in RANK.items())
    return f"CASE {column} {cases} END"


def _record(row: str) -> str:
    return "(" + ", ".join(f"{row}.{column}" for column in _VALUES) + ")"


_KLINES = Upsert(
    table="klines",
    columns=("symbol", "timeframe", "open_time", *_VALUES),
    keys=("symbol", "timeframe", "open_time"),
    sets=("updated_at = now()",),
    only_if=(
        f"{_rank('excluded.source')} >= {_rank('old.source')} "
        f"AND {_record('excluded')} IS DISTINCT FROM {_record('old')}"
    ),
)
_ADD_SERIES = f"""
INSERT INTO market_series (symbol, timeframe, first_open, last_open, version)
SELECT symbol, timeframe, min(open_time), max(open_time), 0
FROM {_KLINES.staging} GROUP BY symbol, timeframe ORDER BY symbol, timeframe
ON CONFLICT (symbol, timeframe) DO NOTHING
"""  # noqa: S608 (our own names)
_LOCK_SERIES = f"""
SELECT 1 FROM market_series
WHERE (symbol, timeframe) IN (SELECT symbol, timeframe FROM {_KLINES.staging})
ORDER BY symbol, timeframe FOR UPDATE
"""  # noqa: S608
_WRITE = f"""
WITH written AS (
        {_KLINES.merge(best=f"{_rank('source')} DESC, ctid DESC")} RETURNING symbol, timeframe, open_time
     ),
     spans AS (
        SELECT symbol, timeframe, min(open_time) AS first_open, max(open_time) AS last_open, count(*) AS rows
        FROM written GROUP BY symbol, timeframe
     ),
     bumped AS (
        UPDATE market_series AS series
        SET version = version + spans.rows,  -- rows, not writes: an append hides no correction beside it
            first_open = least(series.first_open, spans.first_open),
            last_open = greatest(series.last_open, spans.last_open)
        FROM spans WHERE series.symbol = spans.symbol AND series.timeframe = spans.timeframe
     )
SELECT coalesce(sum(rows), 0)::bigint FROM spans
"""  # noqa: S608


def save_candles(candles: Iterable[Candle]) -> int:
    """Store candles, and move their series on by the rows written, in one transaction; how many rows.

    A candle of a weaker source (RANK) never replaces a stronger one, and a write that changes nothing writes
    and moves nothing. Of two candles with one key in a batch the stronger, then the later one counts. Series
    are locked in symbol order before any candle is written: concurrent writers wait, they do not deadlock.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        _KLINES.stage(cursor, map(_line, candles))
        cursor.execute(_ADD_SERIES)
        cursor.execute(_LOCK_SERIES)
        cursor.execute(_WRITE)
        return int(cursor.fetchone()[0])


def _line(candle: Candle) -> str:
    """A row for COPY in one f-string: the general `line` costs more, and backfills come here."""
    return (
        f"{_symbol(candle.symbol)}\t{candle.timeframe.value}\t{candle.open_time}\t{candle.open}\t"
        f"{candle.high}\t{candle.low}\t{candle.close}\t{candle.volume}\t{candle.source.value}\n"
    )


def _symbol(symbol: str) -> str:
    return symbol if symbol.isalnum() else escape(symbol)
