"""Stored numbers as people write them."""

from __future__ import annotations

from decimal import Decimal


def plain(value: Decimal | str | None) -> str:
    """A Decimal, or one kept as text in JSON, without the zeros that pad it; – where there is none."""
    return "–" if value is None or value == "" else f"{Decimal(value).normalize():f}"
