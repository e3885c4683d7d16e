"""Writes that protect nothing: one that fails is undone and logged, and whoever protects goes on."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeVar

import structlog
from django.db import Error, InterfaceError, OperationalError, connection, transaction

from apps.db.deadline import deadline

log = structlog.get_logger("positions")
Row = TypeVar("Row")

LONGEST_WAIT_MS = 200
"""For a lock that others hold."""
LONGEST_STATEMENT_MS = 1000
"""A stop is asked for again each second while a position has none: no statement holds that up for longer."""
CUT_AFTER_S = 3.0
"""A server that does not even end its statement by then has stopped."""
ONE_BY_ONE_S = 1.0
"""Rows are written one by one for no longer at a time."""


@dataclass(slots=True)
class Attempt:
    """`fault` is why nothing was written, None when all of it was."""

    fault: Exception | None = None

    @property
    def busy(self) -> bool:
        """The database had no time or room, whatever the row: the next one will fare no better."""
        return isinstance(self.fault, OperationalError | InterfaceError)


@contextmanager
def bookkeeping(what: str, **numbers: object) -> Iterator[Attempt]:
    """Run the block in its own transaction or savepoint; what fails in it is undone and logged, not raised.

    `what` and `numbers` name the write in the log; to try it again later is the caller's. A lost connection
    is raised: no statement that protects would work either, and locks that were held are gone with it.
    """
    attempt = Attempt()
    connection.ensure_connection()
    is_inner = connection.in_atomic_block
    session = connection.connection
    try:
        with deadline(CUT_AFTER_S), transaction.atomic():
            before = _limit(str(LONGEST_WAIT_MS), str(LONGEST_STATEMENT_MS))
            yield attempt
            if is_inner:  # else they end with the transaction
                _limit(*before)
    except Exception as fault:  # whatever is wrong with a figure for people, a position comes first
        if session.closed or connection.connection is not session:
            raise
        attempt.fault = fault
        text = " ".join(str(fault).split())
        error = text if isinstance(fault, Error) else f"{type(fault).__name__}: {text}"
        shown = {name: str(value) for name, value in numbers.items()}
        effect = "the rest goes on; tried again later"
        log.error("bookkeeping_failed", what=what, error=error, effect=effect, numbers=shown)


def write_rows(
    what: str,
    rows: Sequence[Row],
    write: Callable[[Sequence[Row]], None],
    *,
    shown: Callable[[Row], Mapping[str, object]],
) -> tuple[list[Row], Attempt]:
    """Write `rows` together or, when that fails, one by one; return those that were not, and how it ended.

    `shown` returns what the log shows of a row that fails; to write what is left again is the caller's.
    """
    attempt = Attempt()
    if not rows:
        return [], attempt
    with bookkeeping(what, rows=len(rows)) as attempt:
        write(rows)
    if attempt.fault is None:
        return [], attempt
    left: list[Row] = []
    ends_at = time.monotonic() + ONE_BY_ONE_S
    for number, row in enumerate(rows):
        if attempt.busy or time.monotonic() > ends_at:
            return left + list(rows[number:]), attempt
        with bookkeeping(what, **shown(row)) as attempt:
            write([row])
        if attempt.fault is not None:
            left.append(row)
    return left, attempt


def _limit(wait: str, statement: str) -> tuple[str, str]:
    """Set both limits for the rest of the transaction; return what they were."""
    with connection.cursor() as cursor:
        cursor.execute(
            "WITH before AS MATERIALIZED (SELECT current_setting('lock_timeout') AS wait, "
            "current_setting('statement_timeout') AS statement) SELECT wait, statement, "
            "set_config('lock_timeout', %s, true), set_config('statement_timeout', %s, true) FROM before",
            [wait, statement],
        )
        wait, statement, *_ = cursor.fetchone()
    return wait, statement
