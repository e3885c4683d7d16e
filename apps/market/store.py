"""What the venue lists, what was traded there, and how far it is stored."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import astuple, fields
from datetime import UTC, datetime
from typing import NamedTuple

from django.db import connection, transaction

from apps.db.bulk import Upsert, escape
from apps.engine.values import contract as values
from apps.engine.values.candle import Candle, Source
from apps.engine.values.errors import TradingError
from apps.engine.values.timeframe import Timeframe
from apps.market.models import Contract, VenueStamp

DELISTED = "Delisted"
RANK = {Source.REST: 4, Source.ROLLUP: 3, Source.WS: 2, Source.FILE: 1, Source.EMPTY: 0}
"""On conflict the same or a higher rank replaces what is stored; a file yields to the market."""

_COLUMNS = tuple(field.name for field in fields(values.Contract))
_CONTRACTS = Upsert(
    table="contracts",
    columns=(*_COLUMNS, "synced_at"),
    keys=("symbol",),
)
_SELECT_CANDLES = """
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
_TIMEFRAMES = {timeframe.value: timeframe for timeframe in Timeframe}
_SELECT_SERIES = """
SELECT symbol, timeframe::text,
       extract(epoch FROM first_open)::int8, extract(epoch FROM last_open)::int8, version
FROM market_series
"""
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


class VenueMismatch(TradingError):
    """The database holds another venue's market; not retryable: give this venue its own database."""


def save_contracts(contracts: Sequence[values.Contract], synced_at: datetime) -> int:
    """Store the venue's whole list; stored contracts that are not in it become "Delisted".

    Return how many rows were written. ValueError for an empty list: no venue lists nothing, and
    believing it would stop every symbol.
    """
    if not contracts:
        raise ValueError("the venue listed no contract at all; nothing was stored")
    with transaction.atomic():
        written = _CONTRACTS.write((*astuple(contract), synced_at) for contract in contracts)
        gone = Contract.objects.exclude(symbol__in=[contract.symbol for contract in contracts])
        return written + gone.exclude(status=DELISTED).update(status=DELISTED)


def contracts() -> list[Contract]:
    """Return every stored contract, by symbol."""
    return list(Contract.objects.order_by("symbol"))


def contract_values() -> list[values.Contract]:
    """Return every stored contract as last listed, by symbol; a delisted one says so in its status."""
    rows = Contract.objects.order_by("symbol").values(*_COLUMNS)
    return [values.Contract(**row) for row in rows]


def find_contract(symbol: str) -> values.Contract | None:
    """Return the contract as last listed; None for one that never was."""
    row = Contract.objects.filter(symbol=symbol).values(*_COLUMNS).first()
    return None if row is None else values.Contract(**row)


def stamp_venue(venue: str) -> None:
    """Claim the database for `venue` at the first start; VenueMismatch when it belongs to another."""
    stamp, _ = VenueStamp.objects.get_or_create(id=1, defaults={"venue": venue})
    if stamp.venue != venue:
        raise VenueMismatch(
            f"this database holds the market of {stamp.venue!r} (since {stamp.stamped_at:%Y-%m-%d}) "
            f"and VENUE is {venue!r}: give {venue!r} its own database, or set VENUE={stamp.venue}"
        )


def candles(symbol: str, timeframe: Timeframe, start: datetime, end: datetime) -> list[Candle]:
    """Return the stored candles with start <= open_time < end, rising."""
    return candles_by_symbol([symbol], timeframe, start, end).get(symbol, [])


def candles_by_symbol(
    symbols: Sequence[str], timeframe: Timeframe, start: datetime, end: datetime
) -> dict[str, list[Candle]]:
    """Return each symbol's stored candles with start <= open_time < end, rising; absent without any."""
    with connection.cursor() as cursor:
        cursor.execute(_SELECT_CANDLES, [list(symbols), timeframe, start, end])
        by_symbol: dict[str, list[Candle]] = {}
        for symbol, open_time, first, high, low, close, volume, source in cursor.fetchall():
            candle = Candle(symbol, timeframe, open_time, first, high, low, close, volume, Source(source))
            by_symbol.setdefault(symbol, []).append(candle)
        return by_symbol


def missing_open_times(
    symbols: Sequence[str], timeframe: Timeframe, start: datetime, end: datetime
) -> dict[str, list[datetime]]:
    """Return the open times in [start, end) without a stored candle, rising; a complete symbol is absent."""
    first = timeframe.floor(start)
    first = first if first == start else first + timeframe.duration
    with connection.cursor() as cursor:
        cursor.execute(_MISSING, [list(symbols), first, end, timeframe.seconds, timeframe, start, end])
        missing: dict[str, list[datetime]] = {}
        for symbol, open_time in cursor.fetchall():
            missing.setdefault(symbol, []).append(open_time)
        return missing


def save_candles(candles: Iterable[Candle]) -> int:
    """Store candles, and move their series on by the rows written, in one transaction; return how many
    rows.

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


class Series(NamedTuple):
    """Open times of the first and last stored candle, and how many rows were inserted or changed so far."""

    first_open: datetime
    last_open: datetime
    version: int


def series() -> dict[tuple[str, Timeframe], Series]:
    """Return every stored series. Read each minute: whole seconds cross the wire, cheaper than text times."""
    with connection.cursor() as cursor:
        cursor.execute(_SELECT_SERIES)
        return {
            (symbol, _TIMEFRAMES[timeframe]): Series(
                datetime.fromtimestamp(first, UTC), datetime.fromtimestamp(last, UTC), version
            )
            for symbol, timeframe, first, last, version in cursor.fetchall()
        }


def _line(candle: Candle) -> str:
    """Return a row for COPY in one f-string: the general `copy_line` costs more, and backfills come here."""
    symbol = candle.symbol if candle.symbol.isalnum() else escape(candle.symbol)
    return (
        f"{symbol}\t{candle.timeframe}\t{candle.open_time}\t{candle.open}\t"
        f"{candle.high}\t{candle.low}\t{candle.close}\t{candle.volume}\t{candle.source}\n"
    )
