"""One field of a JSON object: the value in our type, or a ParseError that names the field."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from dataclasses import field as dataclass_field
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any, Generic, TypeVar

from apps.engine.values.errors import TradingError

T = TypeVar("T")
Row = Mapping[str, Any]

LARGEST_MAGNITUDE = 24
"""Powers of ten, both ways: nothing traded is larger or finer, and our columns hold no more."""
FIRST_MS = 10**11
"""A stamp below this is seconds (until the year 5138), one above is milliseconds (since 1973)."""


class ParseError(TradingError):
    """An answer or push whose shape is not the documented one: `field` is missing or of the wrong type."""

    def __init__(self, field: str, value: object) -> None:
        shown = "nothing" if value is None else repr(value)
        shown = shown if len(shown) <= 60 else f"{shown[:60]}…"
        super().__init__(f"field {field}: {shown} is not what the exchange documents")
        self.field = field


@dataclass(frozen=True, slots=True)
class Rows(Generic[T]):
    """What could be read of a list, and why the other rows could not.

    `symbols` are those of the unreadable rows, in their order, "" where even that is not told.
    """

    values: list[T]
    faults: list[TradingError]
    symbols: list[str] = dataclass_field(default_factory=list)


def rows(data: object, field: str, read: Callable[[Row], T]) -> Rows[T]:
    """Read each row by itself: a bad one never takes the others down. ParseError when it is no list."""
    read_rows: Rows[T] = Rows([], [])
    for row in sequence(data, field):
        try:
            read_rows.values.append(read(mapping(row, field)))
        except TradingError as fault:
            symbol = row.get("symbol") if isinstance(row, dict) else None
            read_rows.faults.append(fault)
            read_rows.symbols.append(symbol if isinstance(symbol, str) else "")
    return read_rows


def sequence(data: object, field: str) -> Sequence[Any]:
    if not isinstance(data, list):
        raise ParseError(field, data)
    return data


def mapping(data: object, field: str) -> Row:
    if not isinstance(data, dict):
        raise ParseError(field, data)
    return data


def json_object(text: str, field: str) -> Row:
    """Return the object that `text` writes, fractions as Decimal."""
    try:
        return mapping(json.loads(text, parse_float=Decimal), field)
    except (ValueError, RecursionError):
        raise ParseError(field, text) from None


def text(row: Row, field: str) -> str:
    """Return a text that is not empty."""
    value = row.get(field)
    if not isinstance(value, str) or not value:
        raise ParseError(field, value)
    return value


def identifier(row: Row, field: str) -> str:
    """Return an id as text, whether it was sent as text or as an integer."""
    value = row.get(field)
    return str(value) if type(value) is int else text(row, field)


def number(row: Row, field: str) -> Decimal:
    """Return a finite number, sent as text or as a JSON number."""
    sent = row.get(field)
    if isinstance(sent, bool) or not isinstance(sent, str | int | Decimal):
        raise ParseError(field, sent)
    try:
        value = Decimal(sent)
    except (InvalidOperation, ValueError):
        raise ParseError(field, sent) from None
    if not value.is_finite() or (value and abs(value.adjusted()) > LARGEST_MAGNITUDE):
        raise ParseError(field, sent)
    return value


def readable_number(row: Row, field: str) -> Decimal | None:
    """Return a number that nothing of ours hangs on; None where it is absent or unreadable."""
    try:
        return number(row, field)
    except ParseError:
        return None


def whole(row: Row, field: str) -> int:
    """Return an integer, sent as one or as digits."""
    value = number(row, field)
    if value != value.to_integral_value():
        raise ParseError(field, row.get(field))
    return int(value)


def moment(row: Row, field: str) -> datetime:
    """Return a Unix stamp in seconds or milliseconds: the exchange mixes them, their size tells which."""
    stamp = whole(row, field)
    try:
        seconds, rest_ms = divmod(stamp if stamp >= FIRST_MS else stamp * 1000, 1000)
        return datetime.fromtimestamp(seconds, UTC).replace(microsecond=rest_ms * 1000)
    except (ValueError, OverflowError, OSError):
        raise ParseError(field, stamp) from None


def optional_moment(row: Row, field: str) -> datetime | None:
    """Return None where the stamp is absent or 0, which is how the exchange writes "never"."""
    return moment(row, field) if row.get(field) not in (None, 0, "0", "") else None
