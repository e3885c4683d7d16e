"""Rows of tables as plain JSON: decimals exact as text, times ISO 8601 in UTC ending in Z."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db.models import Model

from apps.admin_base.format import plain


def json_value(value: Any) -> Any:
    """Return `value` as JSON holds it. Raises TypeError for what has no place in the document."""
    if isinstance(value, Decimal):
        return plain(value)
    if isinstance(value, datetime):
        return json_time(value)
    if isinstance(value, UUID | date):
        return str(value)
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, str):
        return str(value)  # an enum's member is its text
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, Mapping):
        return {str(key): json_value(child) for key, child in value.items()}
    if isinstance(value, list | tuple):
        return [json_value(child) for child in value]
    raise TypeError(f"{value!r} of type {type(value).__name__} has no plain form")


def json_time(value: datetime) -> str:
    """Return ISO 8601 in UTC with Z, microseconds only where there are any."""
    return value.astimezone(UTC).isoformat().replace("+00:00", "Z")


def json_row(row: Model, *, without: Iterable[str] = ()) -> dict[str, Any]:
    """Return the columns of a table's row by name, `without` those named."""
    left_out = set(without)
    return {
        field.attname: json_value(getattr(row, field.attname))
        for field in row._meta.concrete_fields
        if field.attname not in left_out
    }


def json_rows(rows: Iterable[Model]) -> list[dict[str, Any]]:
    return [json_row(row) for row in rows]
