"""Figures in words for people: signs, units, and a dash for what is unknown."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal

UNKNOWN = "–"
Number = Decimal | float | int


def money(value: Number | None) -> str:
    """Return a gain or a loss in settle currency, with its sign."""
    return UNKNOWN if value is None else f"{signed(value)} USDT"


def signed(value: Number | None) -> str:
    if value is None:
        return UNKNOWN
    plus = "+" if round(float(value), 2) > 0 else ""  # nothing where rounding leaves 0
    return f"{_minus(value, 2) or plus}{abs(value):,.2f}"


def amount(value: Number) -> str:
    """Return what an account holds, without a sign."""
    return f"{value:,.2f} USDT"


def change_pct(value: Number) -> str:
    return f"{signed(value)} %"


def share_pct(value: Number | None) -> str:
    return UNKNOWN if value is None else f"{value:.1f} %"


def multiple(value: Number | None) -> str:
    """Return an R multiple, with its sign."""
    return UNKNOWN if value is None else f"{signed(value)} R"


def ratio(value: Number | None) -> str:
    return UNKNOWN if value is None else f"{_minus(value, 2)}{abs(value):.2f}"


def price(value: Decimal) -> str:
    return f"{value.normalize():f}"


def duration(value: timedelta | None) -> str:
    """Return the two largest units of `value`."""
    if value is None:
        return UNKNOWN
    minutes = round(value.total_seconds() / 60)
    days, hours = minutes // 1440, minutes % 1440 // 60
    if days:
        return f"{days} d {hours} h" if hours else f"{days} d"
    if hours:
        return f"{hours} h {minutes % 60} min" if minutes % 60 else f"{hours} h"
    return f"{minutes} min"


def day(value: datetime) -> str:
    return f"{value:%Y-%m-%d}"


def minute(value: datetime) -> str:
    return f"{value:%Y-%m-%d %H:%M}"


def count_of(number: int, word: str) -> str:
    return f"{number:,} {word}" if number == 1 else f"{number:,} {word}s"


def _minus(value: Number, digits: int) -> str:
    return "−" if round(float(value), digits) < 0 else ""
