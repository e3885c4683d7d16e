"""Rounding to a grid, exactly. Values are not negative, steps positive."""

from __future__ import annotations

from decimal import Decimal

from apps.engine.values.side import Side


def down(value: Decimal, step: Decimal) -> Decimal:
    return value // step * step


def up(value: Decimal, step: Decimal) -> Decimal:
    lower = down(value, step)
    return lower if lower == value else lower + step


def toward_loss(price: Decimal, tick: Decimal, side: Side) -> Decimal:
    """Down for a long, up for a short."""
    return down(price, tick) if side == Side.LONG else up(price, tick)
