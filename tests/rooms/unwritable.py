"""Tables that PostgreSQL lets nobody write for a while."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection


@contextmanager
def unwritable(table: str) -> Iterator[None]:
    """Every new row of `table` breaks a constraint."""
    _alter(table, "ADD CONSTRAINT no_row CHECK (false) NOT VALID")
    yield
    _alter(table, "DROP CONSTRAINT no_row")


def _alter(table: str, change: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")  # nothing may be pending on a table that is altered
        cursor.execute(f'ALTER TABLE "{table}" {change}')
