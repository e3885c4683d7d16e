"""Values as machines read them: exact decimals, ISO times with Z to the millisecond, durations in seconds."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

PLACES = 12
"""A quotient has no last digit: beyond these decimals it is rounded. What is paid never has so many."""


def plain(value: object) -> Any:
    """`value` for JSON and CSV. Raises TypeError for what has no plain form."""
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, str):
        return str(value)
    if isinstance(value, Decimal):
        return f"{(round(value, PLACES) + 0).normalize():f}"
    if isinstance(value, datetime):
        fraction = f".{value.microsecond // 1000:03d}" if value.microsecond else ""
        return f"{value:%Y-%m-%dT%H:%M:%S}{fraction}Z"
    if isinstance(value, timedelta):
        return value.total_seconds()
    raise TypeError(f"{type(value).__name__} has no plain form")
