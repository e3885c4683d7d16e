"""Reading one field of a JSON object: the value in our type, or a ParseError that names the field."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
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

    def __init__(self, field: str, found: object) -> None:
        super().__init__(f"field {field}: {_shown(found)} is not what the exchange documents")
        self.field = field


@dataclass(frozen=True, slots=True)
class Rows(Generic[T]):
    """What could be read of a list, and why the other rows could not."""

    values: list[T]
    faults: list[TradingError]


def rows(found: object, field: str, read: Callable[[Row], T]) -> Rows[T]:
    """Each row by itself: a bad one never takes the others down. ParseError when there is no list at all."""
    values: list[T] = []
    faults: list[TradingError] = []
    for row in sequence(found, field):
        try:
            values.append(read(mapping(row, field)))
        except TradingError as fault:
            faults.append(fault)
    return Rows(values, faults)


def sequence(found: object, field: str) -> Sequence[Any]:
    if not isinstance(found, list):
        raise ParseError(field, found)
    return found


def mapping(found: object, field: str) -> Row:
    if not isinstance(found, dict):
        raise ParseError(field, found)
    return found


def text(row: Row, field: str) -> str:
    found = row.get(field)
    if not isinstance(found, str) or not found:
        raise ParseError(field, found)
    return found


def identifier(row: Row, field: str) -> str:
    """An id as text, whether it was sent as text or as an integer."""
    found = row.get(field)
    return str(found) if type(found) is int else text(row, field)


def number(row: Row, field: str) -> Decimal:
    """A finite number, sent as text or as a JSON number."""
    found = row.get(field)
    if isinstance(found, bool) or not isinstance(found, str | int | Decimal):
        raise ParseError(field, found)
    try:
        value = Decimal(found)
    except (InvalidOperation, ValueError):
        raise ParseError(field, found) from None
    if not value.is_finite() or (value and abs(value.adjusted()) > LARGEST_MAGNITUDE):
        raise ParseError(field, found)
    return value


def whole(row: Row, field: str) -> int:
    """An integer, sent as one or as digits."""
    value = number(row, field)
    if value != value.to_integral_value():
        raise ParseError(field, row.get(field))
    return int(value)


def moment(row: Row, field: str) -> datetime:
    """A Unix stamp in seconds or milliseconds: the exchange mixes them, their size tells which."""
    stamp = whole(row, field)
    try:
        seconds, rest_ms = divmod(stamp if stamp >= FIRST_MS else stamp * 1000, 1000)
        return datetime.fromtimestamp(seconds, UTC).replace(microsecond=rest_ms * 1000)
    except (ValueError, OverflowError, OSError):
        raise ParseError(field, stamp) from None


def optional_moment(row: Row, field: str) -> datetime | None:
    """None where the stamp is absent or 0, which is how the exchange writes "never"."""
    return moment(row, field) if row.get(field) not in (None, 0, "0", "") else None


def _shown(found: object) -> str:
    shown = "nothing" if found is None else repr(found)
    return shown if len(shown) <= 60 else f"{shown[:60]}…"
