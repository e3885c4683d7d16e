"""The market as one contract's matching sees it at a moment."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal

Level = tuple[Decimal, int]
"""(price, contracts)."""


@dataclass(frozen=True, slots=True)
class Tick:
    """`low`, `high` and `volume` (contracts) are those of the whole minute. `levels(buys)` gives the side of
    the book that a buyer (or a seller) takes from, best first."""

    symbol: str
    minute: int
    at_ms: int
    last: Decimal
    mark: Decimal
    volume: int
    low: Decimal
    high: Decimal
    levels: Callable[[bool], list[Level]]

    def far(self, *, buys: bool) -> Decimal:
        """The best price a taker gets."""
        return self.levels(buys)[0][0]
