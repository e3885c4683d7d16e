"""Rounding to a grid, exactly, and numbers as people read them. Values are not negative, steps positive."""

from __future__ import annotations

from decimal import Decimal

from apps.engine.values.position import Side


def round_down(value: Decimal, step: Decimal) -> Decimal:
    return value // step * step


def round_up(value: Decimal, step: Decimal) -> Decimal:
    lower = round_down(value, step)
    return lower if lower == value else lower + step


def round_toward_loss(price: Decimal, tick: Decimal, side: Side) -> Decimal:
    """Round down for a long, up for a short."""
    return round_down(price, tick) if side == Side.LONG else round_up(price, tick)


def plain(number: Decimal) -> str:
    """Return it without trailing zeros and exponent."""
    return f"{number.normalize():f}"
