"""Reading a request's fields: each refused with the exchange's own code. null is absent."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from apps.exchange.simulator.account.rows import ZERO, Presets
from apps.exchange.simulator.codes import Code, Refused
from apps.exchange.simulator.market.archive import Archive

Fields = Mapping[str, Any]
"""A query's texts, or a body's values."""

LONGEST_NUMBER = 40


def symbol(fields: Fields, archive: Archive) -> str:
    named = fields.get("symbol")
    if named not in archive.symbols:
        raise Refused(Code.BAD_SYMBOL)
    return str(named)


def symbol_or_all(fields: Fields, archive: Archive) -> str | None:
    return symbol(fields, archive) if fields.get("symbol") else None


def text(fields: Fields, name: str, default: str = "") -> str:
    value = fields.get(name)
    return default if value is None else str(value)


def one_of(fields: Fields, name: str, choices: tuple[str, ...], refusal: Code, default: str = "") -> str:
    value = text(fields, name) or default
    if value not in choices:
        raise Refused(refusal)
    return value


def whole(
    fields: Fields, name: str, *, default: int | None = None, refusal: Code = Code.BAD_PARAMETER
) -> int:
    """An integer, or its digits. Absent without a default: refused."""
    value = fields.get(name)
    if value is None and default is not None:
        return default
    if isinstance(value, str) and value.isascii() and value.isdecimal() and len(value) <= LONGEST_NUMBER:
        return int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        raise Refused(refusal)
    return value


def within(fields: Fields, name: str, lowest: int, highest: int, default: int | None = None) -> int:
    value = whole(fields, name, default=default)
    if not lowest <= value <= highest:
        raise Refused(Code.BAD_PARAMETER)
    return value


def size(fields: Fields) -> int:
    """Contracts: a JSON integer, nothing else."""
    value = fields.get("size")
    if value is None:
        raise Refused(Code.BAD_PARAMETER)
    if isinstance(value, bool) or not isinstance(value, int):
        raise Refused(Code.BAD_PRECISION)
    return value


def decimal(
    fields: Fields, name: str, default: Decimal | None = None, refusal: Code = Code.BAD_PARAMETER
) -> Decimal:
    value = fields.get(name)
    if (value is None or value == "") and default is not None:
        return default
    if (
        isinstance(value, bool)
        or not isinstance(value, str | int | float)
        or len(str(value)) > LONGEST_NUMBER
    ):
        raise Refused(refusal)
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        raise Refused(refusal) from None
    if not number.is_finite() or abs(number.adjusted()) > LONGEST_NUMBER:
        raise Refused(refusal)
    return number


def leverage(fields: Fields) -> int | None:
    """A whole number; None when it is absent."""
    if fields.get("leverage") in (None, ""):
        return None
    number = decimal(fields, "leverage", refusal=Code.BAD_LEVERAGE)
    if number != int(number):
        raise Refused(Code.BAD_LEVERAGE)
    return int(number)


def price_type(fields: Fields, name: str, default: int | None = None) -> int:
    return within(fields, name, 1, 2, default)


def presets(fields: Fields) -> Presets:
    take_profit = decimal(fields, "preset_take_profit_price", ZERO)
    stop_loss = decimal(fields, "preset_stop_loss_price", ZERO)
    return Presets(
        take_profit,
        price_type(fields, "preset_take_profit_price_type", 1) if take_profit else 0,
        stop_loss,
        price_type(fields, "preset_stop_loss_price_type", 1) if stop_loss else 0,
    )
