"""Rows of tables as plain JSON: decimals exact as text, times ISO 8601 in UTC ending in Z."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db.models import Model


def plain(value: Any) -> Any:
    """`value` as JSON holds it. TypeError for what has no place in the document."""
    if isinstance(value, Decimal):
        return exact(value)
    if isinstance(value, datetime):
        return moment(value)
    if isinstance(value, UUID | date):
        return str(value)
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, str):
        return str(value)  # an enum's member is its text
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, Mapping):
        return {str(key): plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [plain(one) for one in value]
    raise TypeError(f"{value!r} of type {type(value).__name__} has no plain form")


def exact(value: Decimal) -> str:
    """All digits, no exponent, no zeros at the end: 0.1, 1000."""
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def moment(value: datetime) -> str:
    """ISO 8601 in UTC with Z, microseconds only where there are any."""
    return value.astimezone(UTC).isoformat().replace("+00:00", "Z")


def row(one: Model, *, without: Iterable[str] = ()) -> dict[str, Any]:
    """The columns of a table's row by name, `without` those named."""
    left_out = set(without)
    return {
        field.attname: plain(getattr(one, field.attname))
        for field in one._meta.concrete_fields
        if field.attname not in left_out
    }


def rows(found: Iterable[Model], *, without: Iterable[str] = ()) -> list[dict[str, Any]]:
    return [row(one, without=without) for one in found]
