"""One private request and its fields: each is refused with the exchange's own code; null is absent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from apps.exchange.simulator.account.account import Account
from apps.exchange.simulator.account.rows import ZERO, Presets
from apps.exchange.simulator.codes import FAIR_PRICE, LAST_PRICE, Code, Refused
from apps.exchange.simulator.exchange import Exchange
from apps.exchange.simulator.market.listing import Listing
from apps.exchange.simulator.market.path import Moment
from apps.exchange.simulator.matching.matching import Tick
from apps.exchange.simulator.server.faults import Faults


@dataclass(frozen=True, slots=True)
class PrivateCall:
    """`fields` are the query's or the body's; `now_ms` is the server's clock, `stamp_ms` what was signed.

    `account` and `moment` are of `as_of_ms`: now, or earlier where a list lags.
    """

    fields: Fields
    exchange: Exchange
    account: Account
    faults: Faults
    moment: Moment
    as_of_ms: int
    now_ms: int
    stamp_ms: int = 0

    @property
    def symbol(self) -> str:
        named = self.fields.get("symbol")
        if named not in self.exchange.market.row:
            raise Refused(Code.BAD_SYMBOL)
        return str(named)

    @property
    def symbol_or_all(self) -> str | None:
        return self.symbol if self.fields.get("symbol") else None

    @property
    def listing(self) -> Listing:
        return self.account.listing(self.symbol)

    @property
    def tick(self) -> Tick:
        """The contract as it is quoted now."""
        return self.exchange.tick_at(self.symbol, self.now_ms)


Fields = Mapping[str, Any]
"""A query's texts, or a body's values."""

LONGEST_NUMBER = 40


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
    return within(fields, name, LAST_PRICE, FAIR_PRICE, default)


def presets(fields: Fields) -> Presets:
    take_profit = decimal(fields, "preset_take_profit_price", ZERO)
    stop_loss = decimal(fields, "preset_stop_loss_price", ZERO)
    return Presets(
        take_profit,
        price_type(fields, "preset_take_profit_price_type", 1) if take_profit else 0,
        stop_loss,
        price_type(fields, "preset_stop_loss_price_type", 1) if stop_loss else 0,
    )
