"""COPY … FROM STDIN in the text format, its lines made here: cheaper than the driver's way."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from itertools import islice
from typing import Any

LINES_A_BLOCK = 2_000
_compact = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode


def copy_in(cursor: Any, table: str, columns: Sequence[str], lines: Iterable[str]) -> None:
    """Copy `lines` (of `line`, or equal to them) into `table`."""
    remaining = iter(lines)
    with cursor.copy(f"COPY {table} ({quote_columns(columns)}) FROM STDIN") as copy:
        while block := "".join(islice(remaining, LINES_A_BLOCK)):
            copy.write(block)


def copy_line(values: Sequence[Any]) -> str:
    """One row. None is NULL, a dict or list is compact JSON; datetimes must be aware.

    Anything else is its `str`, taken as free of the characters COPY escapes: numbers, UUIDs, our enums.
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
