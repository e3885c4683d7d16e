"""One contract's minute in plain numbers: the path of path.py, for those who ask for one price at a time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from apps.exchange.simulator.path import CLOSE_S, LEG, SHARE, TICKS, VERTEX_S
from apps.exchange.simulator.tape.code import CLOSE, HIGH, LOW, OPEN, VOLUME

SPREAD_BPS = 2

_LEGS: list[int] = LEG.tolist()
_SHARES: list[float] = SHARE.tolist()
_ALONG: list[float] = (VERTEX_S / CLOSE_S).tolist()
_TICKS_OF_LEG = {leg: [tick for tick in range(TICKS) if _LEGS[tick] == leg] for leg in (1, 2, 3)}


@dataclass(frozen=True, slots=True)
class Line:
    """`vertices`: prices in ticks at 0, 15, 40 and 59.9 s; straight between."""

    vertices: tuple[int, ...]

    def price(self, tick: int) -> int:
        leg = _LEGS[tick]
        start = self.vertices[leg - 1]
        return round(start + (self.vertices[leg] - start) * _SHARES[tick])

    def first_beyond(self, low: int, high: int, first: int) -> int | None:
        """The first tick from `first` on whose price is at or below `low`, or at or above `high`."""
        for leg, ticks in _TICKS_OF_LEG.items():
            start, end = self.vertices[leg - 1], self.vertices[leg]
            if low < min(start, end) and max(start, end) < high:
                continue
            for tick in ticks:
                if tick >= first and not low < self.price(tick) < high:
                    return tick
        return None

    def reach(self, first: int, last: int) -> tuple[int, int]:
        """The lowest and the highest price from one tick to another, both included."""
        prices = [self.price(tick) for tick in range(first, last + 1)]
        return min(prices), max(prices)


@dataclass(frozen=True, slots=True)
class Run:
    """`last` and `mark` price of a minute; `volume` of the whole minute in contracts."""

    last: Line
    mark: Line
    volume: int

    def book(self, tick: int) -> tuple[int, int]:
        """Best bid and ask at a tick."""
        return around(self.last.price(tick))


def run_of(candle: Sequence[int], coin: Callable[[], bool]) -> Run:
    """`coin` decides whether the high comes first when both extremes are equally near to the open."""
    opened, high, low, closed = (candle[at] for at in (OPEN, HIGH, LOW, CLOSE))
    up, down = high - opened, opened - low
    high_first = coin() if up == down else up < down
    last = (opened, *((high, low) if high_first else (low, high)), closed)
    line = (opened + (closed - opened) * along for along in _ALONG)
    mark = tuple(round((price + straight) / 2) for price, straight in zip(last, line, strict=True))
    return Run(Line(last), Line(mark), candle[VOLUME])


def around(last: int) -> tuple[int, int]:
    """Bid and ask lie max(1 tick, 2 bps) apart, around the last price."""
    spread = max(1, round(last * SPREAD_BPS / 10_000))
    bid = max(1, last - spread // 2)
    return bid, bid + spread
