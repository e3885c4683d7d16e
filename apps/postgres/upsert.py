"""Bulk upsert: COPY into a staging table, then one INSERT … ON CONFLICT."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection, transaction


@dataclass(frozen=True)
class Upsert:
    """One target table. `columns` are copied; rows that meet on `keys` update the rest where `only_if` holds.

    `sets` adds assignments to the update (`"updated_at = now()"`); `only_if` compares `old` (the stored row)
    with `excluded`. Both are our own SQL, never input.
    """

    table: str
    columns: Sequence[str]
    keys: Sequence[str]
    sets: Sequence[str] = ()
    only_if: str = ""

    def write(self, rows: Iterable[Sequence[Any]], *, returning: str = "") -> list[tuple[Any, ...]]:
        """Write `rows` (values in the order of `columns`, no key twice) in the open or its own transaction.

        Returns what `returning` names for every row inserted or changed; [] without it.
        """
        staging = f"staging_{self.table}"
        names = ", ".join(self.columns)
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(
                f"CREATE TEMP TABLE IF NOT EXISTS {staging} ON COMMIT DELETE ROWS "
                f"AS SELECT {names} FROM {self.table} WITH NO DATA"
            )
            cursor.execute(f"TRUNCATE {staging}")
            with cursor.copy(f"COPY {staging} ({names}) FROM STDIN") as copy:
                for row in rows:
                    copy.write_row(row)
            cursor.execute(self._merge(staging, names) + (f" RETURNING {returning}" if returning else ""))
            return cursor.fetchall() if returning else []

    def _merge(self, staging: str, names: str) -> str:
        updates = [f"{c} = excluded.{c}" for c in self.columns if c not in self.keys] + list(self.sets)
        where = f" WHERE {self.only_if}" if self.only_if else ""
        action = f"DO UPDATE SET {', '.join(updates)}{where}" if updates else "DO NOTHING"
        return (
            f"INSERT INTO {self.table} AS old ({names}) SELECT {names} FROM {staging} "  # noqa: S608 (our own names)
            f"ON CONFLICT ({', '.join(self.keys)}) {action}"
        )
