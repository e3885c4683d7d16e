"""The slow numbers of a contract: its last 24 hours, open interest and funding."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from apps.exchange.simulator.market.archive import MINUTE_S
from apps.exchange.simulator.market.market import Market, symbol_key, uniform
from apps.exchange.simulator.market.path import Moment
from apps.exchange.simulator.tape.code import CLOSE, HIGH, LOW, OPEN, VOLUME

FUNDING_HOURS = 8
FUNDING_S = FUNDING_HOURS * 3600
FUNDING_LIMIT = Decimal("0.0375")
FUNDING_MEAN = Decimal("0.0001")
FUNDING_SWING = 0.0003
DAY_MINUTES = 1440


@dataclass(frozen=True, slots=True)
class DayStats:
    """The 24 hours up to a minute's open: prices in ticks, volume in contracts, turnover their product."""

    opened: int
    high: int
    low: int
    volume: int
    turnover: int


class TickerStats:
    """Computed once a minute and contract, and kept for the minute."""

    def __init__(self, market: Market) -> None:
        self._market = market
        self._minute = 0
        self._days: dict[str, DayStats] = {}

    def day(self, symbol: str, moment: Moment) -> DayStats:
        if moment.minute != self._minute:
            self._minute, self._days = moment.minute, {}
        if symbol not in self._days:
            first_s = (moment.minute - DAY_MINUTES) * MINUTE_S
            candles = self._market.archive.matrix(symbol, MINUTE_S, first_s, DAY_MINUTES)
            self._days[symbol] = DayStats(
                opened=int(candles[OPEN, 0]),
                high=int(candles[HIGH].max()),
                low=int(candles[LOW].min()),
                volume=int(candles[VOLUME].sum()),
                turnover=int((candles[CLOSE] * candles[VOLUME]).sum()),
            )
        return self._days[symbol]

    def open_interest(self, symbol: str, moment: Moment) -> int:
        """Contracts: about half a day's volume, another share of it each hour."""
        hour = moment.minute // 60
        swing = 0.4 + 0.2 * float(uniform(self._market.seed, symbol_key(symbol), hour, 1)[0])
        return max(1, int(self.day(symbol, moment).volume * swing))

    def funding_rate(self, symbol: str, settles_s: int) -> Decimal:
        """The rate of the 8 hours that end at `settles_s`, a ratio; longs pay when it is positive."""
        chance = float(uniform(self._market.seed, symbol_key(symbol), settles_s // FUNDING_S, 2)[0])
        return FUNDING_MEAN + Decimal(f"{(chance - 0.5) * 2 * FUNDING_SWING:.8f}")


def next_settlement_s(moment: Moment) -> int:
    """00, 08 or 16 o'clock UTC, after the moment."""
    return (int(moment.at_s) // FUNDING_S + 1) * FUNDING_S
