"""What is traded: one perpetual contract as the exchange describes it, in our units."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from apps.engine.values.errors import TradingError, nearest_name


@dataclass(frozen=True, slots=True)
class Contract:
    """Sizes in contracts, prices and turnover in quote currency; coins = contracts × contract_size.

    `market_max_volume` 0 is no maximum of its own: read `market_maximum`.

    Raises ValueError naming the field when a step, size or leverage is not positive or a pair is inverted.
    """

    symbol: str
    base: str
    quote: str
    contract_size: Decimal
    tick_size: Decimal
    volume_step: Decimal
    min_volume: Decimal
    max_volume: Decimal
    market_max_volume: Decimal
    min_leverage: Decimal
    max_leverage: Decimal
    status: str
    listed_at: datetime | None
    delist_at: datetime | None
    expires_at: datetime | None
    settles_at: datetime | None
    last_price: Decimal
    index_price: Decimal
    volume_24h: Decimal
    turnover_24h: Decimal
    high_24h: Decimal
    low_24h: Decimal
    change_24h_ratio: Decimal
    open_interest: Decimal
    open_interest_value: Decimal
    funding_rate_ratio: Decimal
    expected_funding_rate_ratio: Decimal
    funding_interval_hours: int
    funding_at: datetime | None

    def __post_init__(self) -> None:
        for name in ("contract_size", "tick_size", "volume_step", "min_volume", "min_leverage"):
            value = getattr(self, name)
            if not value.is_finite() or value <= 0:
                raise ValueError(f"contract {self.symbol}: {name} {value} is not positive")
        if self.max_volume < self.min_volume or self.max_leverage < self.min_leverage:
            raise ValueError(f"contract {self.symbol}: a maximum is below its minimum")

    @property
    def market_maximum(self) -> Decimal:
        """The most that one market order may take: `max_volume` where the exchange names no maximum (0)."""
        return self.market_max_volume if self.market_max_volume > 0 else self.max_volume

    @property
    def is_trading(self) -> bool:
        return self.status == "Trading"


class UnknownSymbol(TradingError):
    """Symbols that are not listed where they were looked for.

    `symbols` are the unknown ones, `nearest` the listed name most like each that has one.
    """

    def __init__(self, symbols: Iterable[str], listed: Collection[str], where: str) -> None:
        """Say each symbol, its nearest name, and how many contracts there are `where`."""
        self.symbols = tuple(symbols)
        matches = {symbol: nearest_name(symbol, listed) for symbol in self.symbols}
        self.nearest = {symbol: match for symbol, match in matches.items() if match}
        faults = [
            f"unknown symbol {symbol!r}" + (f"; nearest: {match!r}" if match else "")
            for symbol, match in matches.items()
        ]
        super().__init__(f"{'; '.join(faults)} ({len(listed)} contracts {where})")


def require_listed(
    symbols: Iterable[str],
    listed: Collection[str],
    where: str = "are stored; manage.py sync_contracts refreshes them",
) -> None:
    """Raise UnknownSymbol when any of `symbols` is not among those `listed`; `where` ends its message."""
    unknown = [symbol for symbol in dict.fromkeys(symbols) if symbol not in listed]
    if unknown:
        raise UnknownSymbol(unknown, listed, where)
