"""Bulk upsert: COPY into a staging table, then one INSERT … ON CONFLICT."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection, transaction

from apps.db.copy import copy_in, copy_line, quote_columns


@dataclass(frozen=True)
class Upsert:
    """One target table. `columns` are copied; a row that meets a stored one on `keys` updates the rest.

    `sets` adds assignments to the update (`"updated_at = now()"`); `only_if` says when an update happens and
    compares `old` (the stored row) with `excluded`. Both are our own SQL, never input.
    """

    table: str
    columns: Sequence[str]
    keys: Sequence[str]
    sets: Sequence[str] = ()
    only_if: str = ""

    def write(self, rows: Iterable[Sequence[Any]]) -> int:
        """Write `rows` (values in the order of `columns`, no key twice) in the open or its own transaction.

        Rows inserted or changed. Rows are written in the order of their keys, so that two writers of the
        same rows wait for each other instead of deadlocking.
        """
        with transaction.atomic(), connection.cursor() as cursor:
            self.stage(cursor, map(copy_line, rows))
            cursor.execute(self.merge())
            return int(cursor.rowcount)

    @property
    def staging(self) -> str:
        return f"staging_{self.table}"

    def stage(self, cursor: Any, lines: Iterable[str]) -> None:
        """Fill the staging table, which this connection keeps and every transaction finds empty."""
        cursor.execute(
            f"CREATE TEMP TABLE IF NOT EXISTS {self.staging} ON COMMIT DELETE ROWS "  # noqa: S608 (our own names)
            f"AS SELECT {quote_columns(self.columns)} FROM {self.table} WITH NO DATA"
        )
        cursor.execute(f"TRUNCATE {self.staging}")
        copy_in(cursor, self.staging, self.columns, lines)

    def merge(self, *, best: str = "") -> str:
        """The statement from staging into the table.

        Where a batch may hold a key twice, `best` orders the rows of one key, the one to keep first.
        """
        keys = quote_columns(self.keys)
        distinct = f"DISTINCT ON ({keys}) " if best else ""
        order = f"{keys}, {best}" if best else keys
        return (
            f"INSERT INTO {self.table} AS old ({quote_columns(self.columns)}) "  # noqa: S608 (our own names)
            f"SELECT {distinct}{quote_columns(self.columns)} FROM {self.staging} ORDER BY {order} "
            f"ON CONFLICT ({keys}) {self._action()}"
        )

    def _action(self) -> str:
        others = [column for column in self.columns if column not in self.keys]
        updates = [f'"{column}" = excluded."{column}"' for column in others] + list(self.sets)
        where = f" WHERE {self.only_if}" if self.only_if else ""
        return f"DO UPDATE SET {', '.join(updates)}{where}" if updates else "DO NOTHING"
