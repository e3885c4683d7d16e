"""Numbers as PostgreSQL keeps them."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Context, Decimal, InvalidOperation
from typing import TypeVar

from django.db.models import DecimalField, Model

EXACT = Context(prec=200, rounding=ROUND_HALF_UP, traps=[InvalidOperation])
"""Wider than any number that is read or stored: what it adds or rounds loses nothing else."""

Number = TypeVar("Number", Decimal, Decimal | None)


def round_to_column(model: type[Model], column: str, value: Number) -> Number:
    """`value` to the decimal places of its column, half away from zero as `numeric` does; None stays None."""
    field = model._meta.get_field(column)
    assert isinstance(field, DecimalField), f"{model.__name__}.{column} is no decimal column"
    return None if value is None else value.quantize(Decimal(1).scaleb(-field.decimal_places), context=EXACT)
