"""The audit of verdicts that changed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection

from apps.audit.models import MtfAudit, Severity
from apps.db.bulk import copy_in, copy_line
from apps.engine.values.timeframe import Timeframe

READY = "READY"
"""The cause of a row whose symbol may be traded: each run writes it anew."""
NOT_WATCHED = "not_watched"
"""The cause of a row that ends a symbol's verdicts: from here on no run judges it."""


@dataclass(frozen=True, slots=True)
class AuditRow:
    """One changed verdict. `cause` is the reason's exact string; `created_at` the run's moment."""

    symbol: str
    run_id: UUID
    step: str
    timeframe: Timeframe | None
    cause: str
    profile: str
    digest: str
    created_at: datetime
    severity: Severity = Severity.INFO
    details: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Cause:
    """The cause that stands for a symbol, with the side and timeframe it was ready on, without its trace.

    `refused` when a switch stood before the verdict, whose side is then not the symbol's.
    """

    symbol: str
    cause: str
    timeframe: str | None
    side: str | None
    created_at: datetime
    digest: str
    refused: bool


_COLUMNS = tuple(field.name for field in fields(AuditRow))
_ONE_LINE = (
    "symbol, cause, timeframe::text, details #>> '{verdict,side}', created_at, digest, "
    "(details ->> 'refusal') IS NOT NULL"
)
_STANDING_CAUSES = f"""
SELECT newest.* FROM unnest(%s::text[]) AS asked (symbol) CROSS JOIN LATERAL (
    SELECT {_ONE_LINE} FROM mtf_audit
    WHERE symbol = asked.symbol AND profile = %s AND created_at <= coalesce(%s, 'infinity'::timestamptz)
    ORDER BY created_at DESC, id DESC LIMIT 1
) AS newest
"""  # noqa: S608 (our own columns; every value is a parameter)
_CAUSES_BETWEEN = f"""
SELECT {_ONE_LINE} FROM mtf_audit
WHERE symbol = ANY(%s) AND profile = %s AND created_at > %s AND created_at <= %s
ORDER BY created_at, id
"""  # noqa: S608 (as above)


def save_rows(rows: Iterable[AuditRow]) -> int:
    """Append `rows` in the open transaction or their own; return how many."""
    with connection.cursor() as cursor:
        copy_in(
            cursor,
            MtfAudit._meta.db_table,
            _COLUMNS,
            (
                copy_line([*(getattr(row, column) for column in _COLUMNS[:-1]), dict(row.details)])
                for row in rows
            ),
        )
        return int(cursor.rowcount)


def row_at(symbol: str, profile: str, at: datetime) -> MtfAudit | None:
    """Return the row that stands at `at`: the newest of `symbol` and `profile` created no later."""
    rows = MtfAudit.objects.filter(symbol=symbol, profile=profile, created_at__lte=at)
    return rows.order_by("-created_at", "-id").first()


def newest_rows(profile: str, symbols: Sequence[str], at: datetime | None = None) -> dict[str, MtfAudit]:
    """Return symbol → the row of `profile` that stands at `at` (default: now); absent without any."""
    rows = MtfAudit.objects.raw(
        "SELECT newest.* FROM unnest(%s::text[]) AS asked (symbol) CROSS JOIN LATERAL ("
        "SELECT * FROM mtf_audit WHERE symbol = asked.symbol AND profile = %s "
        "AND created_at <= coalesce(%s, 'infinity'::timestamptz) ORDER BY created_at DESC, id DESC LIMIT 1"
        ") AS newest",
        [list(symbols), profile, at],
    )
    return {row.symbol: row for row in rows}


def ready_symbols(run_id: UUID) -> list[str]:
    """Return the symbols this run found READY, in the order it wrote them."""
    rows = MtfAudit.objects.filter(run_id=run_id, cause=READY)
    return list(rows.order_by("id").values_list("symbol", flat=True))


def ready_rows(run_id: UUID) -> list[MtfAudit]:
    """Return the rows of the symbols this run found READY, in the order it wrote them."""
    return list(MtfAudit.objects.filter(run_id=run_id, cause=READY).order_by("id"))


def find_run_row(run_id: UUID, symbol: str) -> MtfAudit | None:
    """Return what this run wrote of `symbol`; None when nothing changed."""
    return MtfAudit.objects.filter(run_id=run_id, symbol=symbol).first()


def newest_causes(profile: str, symbols: Sequence[str], at: datetime | None = None) -> dict[str, Cause]:
    """As `newest_rows`, but only what one line shows."""
    with connection.cursor() as cursor:
        cursor.execute(
            _STANDING_CAUSES,
            [list(symbols), profile, at],
        )
        return {row[0]: Cause(*row) for row in cursor.fetchall()}


def causes_between(profile: str, symbols: Sequence[str], after: datetime, until: datetime) -> list[Cause]:
    """Return every row of `profile` and `symbols` with after < created_at <= until, rising, as one line."""
    with connection.cursor() as cursor:
        cursor.execute(
            _CAUSES_BETWEEN,
            [list(symbols), profile, after, until],
        )
        return [Cause(*row) for row in cursor.fetchall()]
