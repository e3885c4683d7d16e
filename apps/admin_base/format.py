"""Numbers, durations and roles as people read them, in the admin and in terminals."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

UNKNOWN = "–"
SELECTION = {"stay": "stay if all", "drop": "drop if any", "forbid": "no drop if any"}
"""What a condition without a side decides, by its role: whether its timeframe is left for a faster one."""


def plain(value: Decimal | str | None) -> str:
    """Return a Decimal, or one that JSON holds as text: all its digits, without the zeros that pad it."""
    if value is None or value == "":
        return UNKNOWN
    text = f"{Decimal(value):f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def significant(value: float | None) -> str:
    """Return seven significant digits, as many as the snapshots keep."""
    return UNKNOWN if value is None else f"{value:.7g}"


def rounded(value: Decimal | float | None) -> str:
    """Return two decimals: money and R multiples."""
    return UNKNOWN if value is None else f"{value:.2f}"


def duration(value: timedelta) -> str:
    """Return whole seconds as 0:05:12 or `2 days, 0:00:00`."""
    return str(timedelta(seconds=int(value.total_seconds())))
