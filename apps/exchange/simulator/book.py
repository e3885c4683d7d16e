"""The order book at a moment: levels around the quote, the same for every reader."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from apps.exchange.simulator.market import Market
from apps.exchange.simulator.noise import noise
from apps.exchange.simulator.path import Moment

MAX_LEVELS = 50
BUSY_MINUTES = 60
"""Sizes follow the mean volume of the last hour's minutes."""

Levels = list[tuple[int, int]]
"""(price in ticks, contracts above 0), best first."""


@dataclass(frozen=True, slots=True)
class Book:
    bids: Levels
    asks: Levels


def book(market: Market, symbol: str, moment: Moment, levels: int = MAX_LEVELS) -> Book:
    """At most `levels` (up to 50) a side; bids fall, asks rise, prices stay above 0."""
    row = market.row[symbol]
    bid, ask = market.run(symbol, moment.minute).book(moment.tick)
    typical = _typical_contracts(market, symbol, moment)
    gap = max(1, (ask - bid) // 2)
    bids = _side(market, row, moment, levels, side=0, typical=typical, gap=gap)
    asks = _side(market, row, moment, levels, side=1, typical=typical, gap=gap)
    return Book(
        [(bid - away, size) for away, size in bids if away == 0 or bid > away],
        [(ask + away, size) for away, size in asks],
    )


def _typical_contracts(market: Market, symbol: str, moment: Moment) -> int:
    hour = moment.minute - moment.minute % BUSY_MINUTES
    volume = market.closed(symbol, 3600, (hour - BUSY_MINUTES) * 60, 1)[-1, 0]
    return max(10, int(volume) // BUSY_MINUTES // 5)


def _side(
    market: Market, row: int, moment: Moment, levels: int, *, side: int, typical: int, gap: int
) -> list[tuple[int, int]]:
    """(distance from the best price in ticks, contracts), nearest first."""
    bits = noise(market.seed, market.keys[row], moment.number, side, np.arange(levels))
    gaps = 1 + (bits % np.uint64(2 * gap)).astype(np.int64)
    gaps[0] = 0
    sizes = 1 + ((bits >> np.uint64(32)) % np.uint64(2 * typical)).astype(np.int64)
    return list(zip(np.cumsum(gaps).tolist(), sizes.tolist(), strict=True))
