"""Many rows at once: COPY, and the bulk upsert of a staging table merged by one INSERT … ON CONFLICT."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from django.db import connection, transaction

LINES_A_BLOCK = 2_000
_compact = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode


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

        Return how many rows were inserted or changed. They are written in the order of their keys, so that
        two writers of the same rows wait for each other instead of deadlocking.
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
        """Return the statement from staging into the table.

        Where a batch may hold a key twice, `best` orders the rows of one key, the one to keep first.
        """
        keys = quote_columns(self.keys)
        distinct = f"DISTINCT ON ({keys}) " if best else ""
        order = f"{keys}, {best}" if best else keys
        others = [column for column in self.columns if column not in self.keys]
        updates = [f'"{column}" = excluded."{column}"' for column in others] + list(self.sets)
        where = f" WHERE {self.only_if}" if self.only_if else ""
        action = f"DO UPDATE SET {', '.join(updates)}{where}" if updates else "DO NOTHING"
        return (
            f"INSERT INTO {self.table} AS old ({quote_columns(self.columns)}) "  # noqa: S608 (our own names)
            f"SELECT {distinct}{quote_columns(self.columns)} FROM {self.staging} ORDER BY {order} "
            f"ON CONFLICT ({keys}) {action}"
        )


def copy_in(cursor: Any, table: str, columns: Sequence[str], lines: Iterable[str]) -> None:
    """Copy `lines` into `table`, each as of `copy_line`: text made here is cheaper than the driver's rows."""
    remaining = iter(lines)
    with cursor.copy(f"COPY {table} ({quote_columns(columns)}) FROM STDIN") as copy:
        while block := "".join(islice(remaining, LINES_A_BLOCK)):
            copy.write(block)


def copy_line(values: Sequence[Any]) -> str:
    """Return one row in COPY's text format. None is NULL, a dict or list is compact JSON.

    Datetimes must be aware. Anything else is its `str`, taken as free of the characters COPY escapes:
    numbers, UUIDs, our enums.
    """
    return "\t".join([_WRITERS.get(type(value), str)(value) for value in values]) + "\n"


def escape(text: str) -> str:
    """`text` as a COPY field. ValueError for a NUL, which PostgreSQL cannot store."""
    if "\0" in text:
        raise ValueError(f"text with a NUL character cannot be stored: {text!r}")
    text = text.replace("\\", "\\\\")
    return text.replace("\t", "\\t").replace("\n", "\\n").replace("\r", "\\r")


def quote_columns(columns: Sequence[str]) -> str:
    return ", ".join(f'"{column}"' for column in columns)


_WRITERS: dict[type, Callable[[Any], str]] = {
    type(None): lambda _: "\\N",
    str: escape,
    bool: lambda value: "t" if value else "f",
    dict: lambda value: escape(_compact(value)),
    list: lambda value: escape(_compact(value)),
}
