"""How the price runs through a minute: from the candle alone, the same for every reader.

Open at 0 s, the extreme nearer to the open at 15 s, the other at 40 s, close at 59.9 s, straight between;
a tick at each second and one at 59.9 s.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from apps.exchange.simulator.tape.code import CLOSE, HIGH, LOW, OPEN, VOLUME, Matrix

TICKS = 61
"""Ticks of a minute: at 0, 1, ... 59 s, and the last at 59.9 s."""

LAST_TICK = TICKS - 1
CLOSE_S = 59.9
VERTEX_S = np.array([0.0, 15.0, 40.0, CLOSE_S])

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

Row = NDArray[np.int64]

SECONDS = np.array([*range(TICKS - 1), CLOSE_S])
LEG = np.minimum(np.searchsorted(VERTEX_S, SECONDS, side="right"), 3)
SHARE = (SECONDS - VERTEX_S[LEG - 1]) / (VERTEX_S[LEG] - VERTEX_S[LEG - 1])
"""Of each tick: the vertex its straight line runs to, and how far along it lies, 0 ... 1."""


@dataclass(frozen=True, slots=True, order=True)
class Moment:
    """A tick of the market: minutes since 1970, and the tick within the minute (0 ... 60)."""

    minute: int
    tick: int

    @property
    def at_s(self) -> float:
        return self.minute * 60 + second(self.tick)

    @property
    def number(self) -> int:
        """Counts every tick since 1970."""
        return self.minute * TICKS + self.tick

    @property
    def at_ms(self) -> int:
        return round(self.at_s * 1000)

    def earlier(self, ticks: int) -> Moment:
        return Moment(*divmod(self.number - ticks, TICKS))


def moment(at: datetime) -> Moment:
    """The last tick at or before `at`."""
    return moment_at(at.timestamp())


def moment_at(at_s: float) -> Moment:
    """The same for seconds since 1970."""
    minute, inside = divmod(at_s, 60)
    return Moment(int(minute), LAST_TICK if inside >= CLOSE_S else int(inside))


def next_tick(at: datetime) -> datetime:
    """The time of the first tick after `at`."""
    return EPOCH + timedelta(milliseconds=moment(at).earlier(-1).at_ms)


def second(tick: int) -> float:
    return CLOSE_S if tick == LAST_TICK else float(tick)


def milliseconds(at: datetime) -> int:
    """Since 1970, exactly."""
    return (at - EPOCH) // timedelta(milliseconds=1)


@dataclass(frozen=True, slots=True)
class Path:
    """The run of one minute for n contracts: `vertices` int64 (4, n) in ticks at 0, 15, 40 and 59.9 s."""

    vertices: Matrix
    volume: Row

    def price(self, tick: int) -> Row:
        """The last price at a tick, in ticks of price."""
        start, end = self.vertices[LEG[tick] - 1], self.vertices[LEG[tick]]
        return _ticks(start + (end - start) * SHARE[tick])

    def traded(self, tick: int) -> Row:
        """Contracts traded from the minute's open to this tick, included; all of the candle's at the last."""
        return self.volume * (tick + 1) // TICKS

    def forming(self, tick: int) -> Matrix:
        """The candle as it stands at a tick, int64 (5, n)."""
        price = self.price(tick)
        passed = np.concatenate([self.vertices[second(tick) >= VERTEX_S], price[np.newaxis]])
        return np.stack([self.vertices[0], passed.max(axis=0), passed.min(axis=0), price, self.traded(tick)])

    def straight(self, tick: int) -> Row:
        """The straight line from open to close: what other exchanges trade at, our index price."""
        opened, closed = self.vertices[0], self.vertices[-1]
        return _ticks(opened + (closed - opened) * (second(tick) / CLOSE_S))

    def damped(self) -> Path:
        """The mark price's run: halfway between last price and index, so wicks count half; no volume."""
        opened, closed = self.vertices[[0]], self.vertices[[-1]]
        line = opened + (closed - opened) * (VERTEX_S / CLOSE_S)[:, np.newaxis]
        return Path(_ticks((self.vertices + line) / 2), np.zeros_like(self.volume))


def paths(candles: Matrix, coin: NDArray[np.bool_]) -> Path:
    """The path of each candle; `coin` (n,): does the high come first when both extremes are equally near?"""
    opened, high, low, closed = candles[[OPEN, HIGH, LOW, CLOSE]]
    up, down = high - opened, opened - low
    high_first = np.where(up == down, coin, up < down)
    nearer, farther = np.where(high_first, high, low), np.where(high_first, low, high)
    return Path(np.stack([opened, nearer, farther, closed]), candles[VOLUME])


def _ticks(prices: NDArray[np.float64]) -> Row:
    return np.rint(prices).astype(np.int64)


SPREAD_BPS = 2

_LEGS: list[int] = LEG.tolist()
_SHARES: list[float] = SHARE.tolist()
_ALONG: list[float] = (VERTEX_S / CLOSE_S).tolist()
_TICKS_OF_LEG = {leg: [tick for tick in range(TICKS) if _LEGS[tick] == leg] for leg in (1, 2, 3)}


@dataclass(frozen=True, slots=True)
class PricePath:
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
class MinutePath:
    """`last` and `mark` price of a minute; `volume` of the whole minute in contracts."""

    last: PricePath
    mark: PricePath
    volume: int

    def book(self, tick: int) -> tuple[int, int]:
        """Best bid and ask at a tick."""
        return bid_ask(self.last.price(tick))


def minute_path(candle: Sequence[int], coin: Callable[[], bool]) -> MinutePath:
    """`coin` decides whether the high comes first when both extremes are equally near to the open."""
    opened, high, low, closed = (candle[at] for at in (OPEN, HIGH, LOW, CLOSE))
    up, down = high - opened, opened - low
    high_first = coin() if up == down else up < down
    last = (opened, *((high, low) if high_first else (low, high)), closed)
    line = (opened + (closed - opened) * along for along in _ALONG)
    mark = tuple(round((price + straight) / 2) for price, straight in zip(last, line, strict=True))
    return MinutePath(PricePath(last), PricePath(mark), candle[VOLUME])


def bid_ask(last: int) -> tuple[int, int]:
    """Bid and ask lie max(1 tick, 2 bps) apart, around the last price."""
    spread = max(1, round(last * SPREAD_BPS / 10_000))
    bid = max(1, last - spread // 2)
    return bid, bid + spread
