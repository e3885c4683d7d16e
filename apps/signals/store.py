"""The signals room's door: snapshots, signals, and the standing outcome of each timeframe."""

from __future__ import annotations

from collections.abc import Iterable

from django.db import connection

from apps.db.upsert import Upsert
from apps.engine.profile import Phase
from apps.engine.values.timeframe import Timeframe
from apps.signals.models import SignalSide
from apps.signals.rows import OutcomeRow, SignalRow, SnapshotRow
from apps.signals.snapshots import save_snapshots

__all__ = [
    "OutcomeRow",
    "SignalRow",
    "SnapshotRow",
    "newest_signals",
    "save_outcomes",
    "save_signals",
    "save_snapshots",
]

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
_STANDING = """
WITH RECURSIVE standing AS (
    (SELECT symbol, timeframe, phase, side FROM signals WHERE profile = %(profile)s
     ORDER BY profile DESC, symbol DESC, timeframe DESC, phase DESC, kline_time DESC LIMIT 1)
    UNION ALL
    SELECT earlier.* FROM standing CROSS JOIN LATERAL (
        SELECT symbol, timeframe, phase, side FROM signals
        WHERE profile = %(profile)s AND (symbol, timeframe, phase)
              < (standing.symbol, standing.timeframe, standing.phase)
        ORDER BY profile DESC, symbol DESC, timeframe DESC, phase DESC, kline_time DESC LIMIT 1
    ) AS earlier
)
SELECT symbol, timeframe::text, phase::text, side::text FROM standing
"""


def save_signals(rows: Iterable[SignalRow]) -> int:
    """Store signals; a later judgement of the same candle replaces the earlier. The rows changed."""
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
    """Replace the standing outcomes by `rows`; the rows written."""
    return _OUTCOMES.write((row.cache_key, _payload(row), row.expires_at) for row in rows)


def newest_signals(profile: str) -> dict[tuple[str, Timeframe, Phase], SignalSide]:
    """The side of the newest signal of every symbol, timeframe and phase that ever had one."""
    with connection.cursor() as cursor:
        cursor.execute(_STANDING, {"profile": profile})
        return {
            (symbol, Timeframe(timeframe), Phase(phase)): SignalSide(side)
            for symbol, timeframe, phase, side in cursor.fetchall()
        }


def _payload(row: OutcomeRow) -> dict[str, object]:
    return dict(row.details) | {
        "profile": row.profile,
        "kline_time": row.kline_time.isoformat() if row.kline_time else None,
        "side": row.side,
        "outcome": row.outcome,
        "reason": row.reason,
    }
