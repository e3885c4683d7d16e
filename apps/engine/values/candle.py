"""One closed candle; one that cannot have happened cannot be built."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum

from apps.engine.values.errors import TradingError
from apps.engine.values.timeframe import Timeframe

BOUNDARY_TOLERANCE_S = 2
"""An open time this little after its boundary is floored: one exchange sent open + 1 s for years."""


class Source(StrEnum):
    """Where a candle came from; on conflict REST beats ROLLUP beats WS."""

    WS = "WS"
    REST = "REST"
    ROLLUP = "ROLLUP"
    EMPTY = "EMPTY"
    FILE = "FILE"


class ImpossibleCandle(TradingError):
    """A candle that breaks a law of candles; `law` is a short stable name for counting."""

    def __init__(self, law: str, detail: str) -> None:
        super().__init__(f"impossible candle ({law}): {detail}")
        self.law = law


def aligned_open_time(open_time: datetime, timeframe: Timeframe) -> datetime:
    """Return `open_time` on its boundary: up to 2 s late is floored, else ImpossibleCandle is raised."""
    boundary = timeframe.floor(open_time)
    if (open_time - boundary).total_seconds() > BOUNDARY_TOLERANCE_S:
        raise ImpossibleCandle("boundary", f"{open_time.isoformat()} is not a multiple of {timeframe}")
    return boundary


@dataclass(frozen=True, slots=True)
class Candle:
    """A closed candle: prices in quote currency, volume in base coins, `open_time` aware UTC on its boundary.

    Raises ImpossibleCandle when high < max(open, close), low > min(open, close), a price is not a positive
    finite number, the volume is negative or not finite, or the time is off its boundary.
    """

    symbol: str
    timeframe: Timeframe
    open_time: datetime
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: Decimal
    source: Source = Source.WS

    def __post_init__(self) -> None:
        where = f"{self.symbol} {self.timeframe} {self.open_time}"
        if self.open_time.tzinfo is not UTC or self.timeframe.floor(self.open_time) != self.open_time:
            raise ImpossibleCandle("boundary", f"{where} is not an aware UTC multiple of {self.timeframe}")
        prices = {"open": self.open, "high": self.high, "low": self.low, "close": self.close}
        for name, price in prices.items():
            if not price.is_finite() or price <= 0:
                raise ImpossibleCandle("price", f"{where} {name} {price} is not a positive number")
        if not self.volume.is_finite() or self.volume < 0:
            raise ImpossibleCandle("volume", f"{where} volume {self.volume} is negative or not finite")
        if self.high < max(self.open, self.close):
            raise ImpossibleCandle("high", f"{where} high {self.high} < max({self.open}, {self.close})")
        if self.low > min(self.open, self.close):
            raise ImpossibleCandle("low", f"{where} low {self.low} > min({self.open}, {self.close})")

    @property
    def close_time(self) -> datetime:
        return self.open_time + self.timeframe.duration


def flat_candle(previous: Candle, open_time: datetime) -> Candle:
    """Return the candle of a hole that the exchange confirms: flat at the previous close, volume 0."""
    price = previous.close
    return Candle(
        previous.symbol, previous.timeframe, open_time, price, price, price, price, Decimal(0), Source.EMPTY
    )
