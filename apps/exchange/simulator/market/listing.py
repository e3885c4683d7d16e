"""A contract as the exchange lists it: its steps, limits and brackets, and how its numbers are written."""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any


@dataclass(frozen=True, slots=True)
class Listing:
    """Prices are whole ticks of 10^-price_decimals; a contract is 10^-volume_decimals coins.

    A `delisted` one opens no position any more; its market goes on, and what is held is closed there.
    """

    symbol: str
    base: str
    price_decimals: int
    volume_decimals: int
    max_leverage: int
    max_volume: int
    market_max_volume: int
    listed_at_ms: int
    brackets: tuple[dict[str, Any], ...]
    delisted: bool = False

    @property
    def status(self) -> str:
        return "Delisted" if self.delisted else "Trading"

    @property
    def tick(self) -> Decimal:
        return Decimal(1).scaleb(-self.price_decimals)

    @property
    def contract_size(self) -> Decimal:
        return Decimal(1).scaleb(-self.volume_decimals)

    def price(self, ticks: int) -> Decimal:
        return Decimal(int(ticks)).scaleb(-self.price_decimals)

    def coins(self, contracts: int) -> Decimal:
        return Decimal(int(contracts)).scaleb(-self.volume_decimals)

    def price_text(self, ticks: int) -> str:
        """As the wire writes it: plain digits, no zeros at the end ("39636", "39635.8")."""
        return scaled_text(int(ticks), self.price_decimals)

    def coins_text(self, contracts: int) -> str:
        return scaled_text(int(contracts), self.volume_decimals)

    def cloned(self, number: int) -> Listing:
        """The same contract under another name: the second BTCUSDT is BTC2USDT."""
        base = f"{self.base}{number}"
        return replace(self, symbol=f"{base}USDT", base=base)


def scaled_text(number: int, decimals: int) -> str:
    """`number` x 10^-decimals in plain digits without zeros at the end; `number` is not negative."""
    if not decimals:
        return str(number)
    digits = f"{number:0{decimals + 1}d}"
    fraction = digits[-decimals:].rstrip("0")
    return f"{digits[:-decimals]}.{fraction}" if fraction else digits[:-decimals]
