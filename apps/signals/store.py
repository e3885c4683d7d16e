"""Snapshots, signals and the newest outcome of each timeframe, written in bulk."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from typing import Any
from uuid import UUID

from django.db import connection

from apps.db.bulk import Upsert
from apps.engine.profile import Phase
from apps.engine.values.timeframe import Timeframe
from apps.signals.models import SignalSide

_SNAPSHOTS = Upsert(
    table="indicator_snapshots",
    columns=("symbol", "timeframe", "kline_time", "values"),
    keys=("symbol", "timeframe", "kline_time"),
    sets=("updated_at = now()",),
    only_if='excluded."values" IS DISTINCT FROM old."values"',
)
_SIGNALS = Upsert(
    table="signals",
    columns=(
        "profile",
        "symbol",
        "timeframe",
        "phase",
        "kline_time",
        "side",
        "score",
        "digest",
        "run_id",
        "meta",
    ),
    keys=("profile", "symbol", "timeframe", "phase", "kline_time"),
    sets=("updated_at = now()",),
    only_if="(excluded.side, excluded.score, excluded.digest, excluded.meta) "
    "IS DISTINCT FROM (old.side, old.score, old.digest, old.meta)",
)
_OUTCOMES = Upsert(
    table="validation_cache",
    columns=("cache_key", "payload", "expires_at"),
    keys=("cache_key",),
    sets=("updated_at = now()",),
)
# Walks the unique key from one (symbol, timeframe, phase) to the next: as many steps as there are of them,
# however long the history is.
_NEWEST_SIGNALS = """
WITH RECURSIVE newest AS (
    (SELECT symbol, timeframe, phase, side FROM signals WHERE profile = %(profile)s
     ORDER BY profile DESC, symbol DESC, timeframe DESC, phase DESC, kline_time DESC LIMIT 1)
    UNION ALL
    SELECT earlier.* FROM newest CROSS JOIN LATERAL (
        SELECT symbol, timeframe, phase, side FROM signals
        WHERE profile = %(profile)s AND (symbol, timeframe, phase)
              < (newest.symbol, newest.timeframe, newest.phase)
        ORDER BY profile DESC, symbol DESC, timeframe DESC, phase DESC, kline_time DESC LIMIT 1
    ) AS earlier
)
SELECT symbol, timeframe::text, phase::text, side::text FROM newest
"""


@dataclass(frozen=True, slots=True)
class SnapshotRow:
    """Indicator values at one candle close. `kline_time` is the candle's open time; NaN is stored as null."""

    symbol: str
    timeframe: Timeframe
    kline_time: datetime
    values: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class SignalRow:
    """A LONG or SHORT of one timeframe and phase, or the NONE that ends it."""

    profile: str
    symbol: str
    timeframe: Timeframe
    phase: Phase
    kline_time: datetime
    side: SignalSide
    digest: str
    run_id: UUID
    score: float | None = None
    meta: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class OutcomeRow:
    """The newest outcome of one timeframe and phase, valid until `expires_at`.

    `side` is LONG, SHORT or NONE; `outcome` and `reason` are the engine's words; `details` joins the payload.
    """

    digest: str
    profile: str
    symbol: str
    timeframe: Timeframe
    phase: Phase
    kline_time: datetime | None
    side: SignalSide
    outcome: str
    reason: str | None
    expires_at: datetime
    details: Mapping[str, Any] = field(default_factory=dict)

    @property
    def cache_key(self) -> str:
        return f"{self.digest}|{self.symbol}|{self.timeframe}|{self.phase}"


def save_snapshots(rows: Iterable[SnapshotRow]) -> int:
    """Store snapshots; a later judgement of the same candle replaces the earlier. Return how many changed.

    ValueError for an infinite value, which JSON cannot hold.
    """
    return _SNAPSHOTS.write((row.symbol, row.timeframe, row.kline_time, _json(row)) for row in rows)


def save_signals(rows: Iterable[SignalRow]) -> int:
    """Store signals; a later judgement of the same candle replaces the earlier. Return how many changed."""
    return _SIGNALS.write(
        (
            row.profile,
            row.symbol,
            row.timeframe,
            row.phase,
            row.kline_time,
            row.side,
            row.score,
            row.digest,
            row.run_id,
            dict(row.meta),
        )
        for row in rows
    )


def save_outcomes(rows: Iterable[OutcomeRow]) -> int:
    """Replace the newest outcomes by `rows`; return how many were written."""
    return _OUTCOMES.write(
        (
            row.cache_key,
            {
                **row.details,
                "profile": row.profile,
                "kline_time": row.kline_time.isoformat() if row.kline_time else None,
                "side": row.side,
                "outcome": row.outcome,
                "reason": row.reason,
            },
            row.expires_at,
        )
        for row in rows
    )


def newest_signals(profile: str) -> dict[tuple[str, Timeframe, Phase], SignalSide]:
    """Return the side of the newest signal of every symbol, timeframe and phase that ever had one."""
    with connection.cursor() as cursor:
        cursor.execute(_NEWEST_SIGNALS, {"profile": profile})
        return {
            (symbol, Timeframe(timeframe), Phase(phase)): SignalSide(side)
            for symbol, timeframe, phase, side in cursor.fetchall()
        }


def _json(row: SnapshotRow) -> str:
    text = _template(tuple(row.values)) % tuple(row.values.values())
    if "inf" in text:
        raise ValueError(f"{row.symbol} {row.timeframe} {row.kline_time}: a snapshot value is infinite")
    return text.replace(":nan", ":null")


@cache
def _template(names: tuple[str, ...]) -> str:
    """Return `{"rsi":%.7g,…}`: twice as fast as json.dumps, and it rounds on the way."""
    return (
        "{" + ",".join(f"{json.dumps(name)}:%.7g".replace("%", "%%", name.count("%")) for name in names) + "}"
    )
