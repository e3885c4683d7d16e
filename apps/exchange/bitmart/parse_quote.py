"""From BitMart's depth, mark-price klines and public trades to the prices of a quote."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal

from apps.exchange.bitmart import fields
from apps.exchange.bitmart.fields import ParseError


def top(data: object) -> tuple[Decimal, Decimal]:
    """Best bid and ask of a depth. ParseError for an empty side: then there is no market to quote."""
    row = fields.mapping(data, "data")
    return max(_prices(row.get("bids"), "bids")), min(_prices(row.get("asks"), "asks"))


def mark(not_before: datetime) -> Callable[[object], Decimal]:
    """The close of the newest mark-price bar; ParseError when none opened after `not_before`."""

    def read(data: object) -> Decimal:
        bars = [fields.mapping(row, "data") for row in fields.sequence(data, "data")]
        newest = max(bars, key=lambda bar: fields.moment(bar, "timestamp"), default={})
        if fields.moment(newest, "timestamp") < not_before:
            raise ParseError("timestamp", newest["timestamp"])
        return fields.number(newest, "close_price")

    return read


def last(data: object) -> Decimal:
    """The price of the newest trade."""
    trades = fields.sequence(data, "data")
    return fields.number(fields.mapping(trades[0] if trades else None, "data"), "price")


def _prices(levels: object, side: str) -> list[Decimal]:
    found = [
        fields.number({side: level[0]}, side)
        for level in fields.sequence(levels, side)
        if isinstance(level, list) and level
    ]
    if not found:
        raise ParseError(side, levels)
    return found
