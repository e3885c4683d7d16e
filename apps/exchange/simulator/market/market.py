"""The market at a moment: candles that form, quotes, trades and order book.

A pure function of archive, seed and time: what the recorded minutes leave open is decided by `noise`,
repeatable chance that gives the same numbers for the same place in the market at every start.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from apps.exchange.simulator.market.archive import MINUTE_S, Archive, rolled_up
from apps.exchange.simulator.market.path import (
    SPREAD_BPS,
    TICKS,
    MinutePath,
    Moment,
    Path,
    Row,
    minute_path,
    paths,
    second,
)
from apps.exchange.simulator.tape.code import Matrix

KEPT_MINUTES = 4
KEPT_RUNS = 64
BLOCK_MINUTES = 240
"""Candles of one contract are read so many at a time."""


@dataclass(frozen=True, slots=True)
class Quotes:
    """Prices of all contracts at a tick, each int64 (contracts,) in ticks, in the archive's order."""

    last: Row
    bid: Row
    ask: Row
    mark: Row
    index: Row


@dataclass(frozen=True, slots=True)
class Trade:
    """`price` in ticks, `contracts` above 0; `number` rises by one with every tick of the market."""

    number: int
    at_s: float
    price: int
    contracts: int
    buyer_is_maker: bool
    """A falling price was sold into: the buyer was the maker. Chance decides where the price stood still."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """Consecutive candles of `step_s`, int64 (5, n); the last may still be forming."""

    first_open_s: int
    step_s: int
    candles: Matrix


class Market:
    """What trades at a moment. Two markets of one archive and seed agree on everything."""

    def __init__(self, archive: Archive, seed: int) -> None:
        self.archive = archive
        self.seed = seed
        self.symbols = archive.symbols
        self.row = {symbol: at for at, symbol in enumerate(self.symbols)}
        self.keys = np.array([symbol_key(symbol) for symbol in self.symbols], dtype=np.int64)
        self._paths: dict[int, Path] = {}
        self._marks: dict[int, Path] = {}
        self._minute_paths: dict[tuple[str, int], MinutePath] = {}
        self._blocks: dict[str, tuple[int, list[list[int]]]] = {}
        self._quoted: tuple[Moment, Quotes] | None = None

    def path(self, minute: int) -> Path:
        """The run of a minute for all contracts."""
        if minute not in self._paths:
            _forget_far_minutes(self._paths, minute)
            first_s = minute * MINUTE_S
            candles = [self.archive.matrix(symbol, MINUTE_S, first_s, 1) for symbol in self.symbols]
            self._paths[minute] = self._run(np.concatenate(candles, axis=1), minute, self.keys)
        return self._paths[minute]

    def mark_path(self, minute: int) -> Path:
        """The run of the mark price."""
        if minute not in self._marks:
            _forget_far_minutes(self._marks, minute)
            self._marks[minute] = self.path(minute).damped()
        return self._marks[minute]

    def minute_path(self, symbol: str, minute: int) -> MinutePath:
        """One contract alone: what `path` and `mark_path` say of it, at a fraction of their cost."""
        run = self._minute_paths.get((symbol, minute))
        if run is None:
            first, block = self._blocks.get(symbol, (0, []))
            if not first <= minute < first + len(block):
                first = minute - minute % BLOCK_MINUTES
                block = self.archive.matrix(symbol, MINUTE_S, first * MINUTE_S, BLOCK_MINUTES).T.tolist()
                self._blocks[symbol] = first, block
            symbol_bits = self.keys[self.row[symbol]]
            run = minute_path(
                block[minute - first],
                lambda: bool(noise(self.seed, symbol_bits, minute)[0] % np.uint64(2) == 1),
            )
            if len(self._minute_paths) >= KEPT_RUNS:
                del self._minute_paths[next(iter(self._minute_paths))]
            self._minute_paths[symbol, minute] = run
        return run

    def quotes(self, moment: Moment) -> Quotes:
        """Bid and ask lie max(1 tick, 2 bps) apart, around the last price."""
        if self._quoted is None or self._quoted[0] != moment:
            path = self.path(moment.minute)
            last = path.price(moment.tick)
            spread = np.maximum(1, np.rint(last * SPREAD_BPS / 10_000).astype(np.int64))
            bid = np.maximum(1, last - spread // 2)
            mark = self.mark_path(moment.minute).price(moment.tick)
            quotes = Quotes(last, bid, bid + spread, mark, path.straight(moment.tick))
            self._quoted = (moment, quotes)
        return self._quoted[1]

    def trades(self, symbol: str, moment: Moment, ticks: int) -> list[Trade]:
        """One trade for each of the last `ticks` ticks at which something traded, newest first."""
        oldest, row = moment.earlier(ticks - 1), self.row[symbol]
        trades: list[Trade] = []
        for minute in range(moment.minute, oldest.minute - 1, -1):
            newest_tick = moment.tick if minute == moment.minute else TICKS - 1
            oldest_tick = oldest.tick if minute == oldest.minute else 0
            path = self.path(minute)
            coins = noise(self.seed, self.keys[row], minute, np.arange(TICKS)) % np.uint64(2) == 1
            for tick in range(newest_tick, oldest_tick - 1, -1):
                price, before = (int(path.price(each)[row]) for each in (tick, max(0, tick - 1)))
                contracts = int(path.traded(tick)[row]) - (int(path.traded(tick - 1)[row]) if tick else 0)
                if contracts:
                    sold = bool(coins[tick]) if price == before else price < before
                    number, at_s = minute * TICKS + tick, minute * 60 + second(tick)
                    trades.append(Trade(number, at_s, price, contracts, sold))
        return trades

    def closed(
        self, symbol: str, step_s: int, first_open_s: int, count: int, *, mark: bool = False
    ) -> Matrix:
        """`count` candles of the past, of the last price or of the mark price; int64 (5, count)."""
        if not mark:
            return self.archive.matrix(symbol, step_s, first_open_s, count)
        minutes = self.archive.matrix(symbol, MINUTE_S, first_open_s, count * step_s // MINUTE_S)
        first = first_open_s // MINUTE_S
        numbers = np.arange(first, first + minutes.shape[1])
        marks = self._run(minutes, numbers, symbol_key(symbol)).damped().forming(TICKS - 1)
        return rolled_up(marks, step_s // MINUTE_S)

    def forming(self, symbol: str, step_s: int, moment: Moment, *, mark: bool = False) -> Matrix:
        """The candle of `step_s` that is open at a moment, int64 (5, 1)."""
        path = (self.mark_path if mark else self.path)(moment.minute)
        newest = path.forming(moment.tick)[:, [self.row[symbol]]]
        open_minute = moment.minute - moment.minute % (step_s // MINUTE_S)
        passed = moment.minute - open_minute
        if not passed:
            return newest
        before = self.closed(symbol, MINUTE_S, open_minute * MINUTE_S, passed, mark=mark)
        return rolled_up(np.concatenate([before, newest], axis=1), passed + 1)

    def stretch(
        self,
        symbol: str,
        step_s: int,
        first_open_s: int,
        last_open_s: int,
        moment: Moment,
        *,
        mark: bool = False,
    ) -> Stretch:
        """The candles that open from `first_open_s` to `last_open_s` (boundaries), none after `moment`."""
        now_s = moment.minute * MINUTE_S
        open_s = now_s - now_s % step_s
        closed = (min(last_open_s, open_s - step_s) - first_open_s) // step_s + 1
        parts = [self.closed(symbol, step_s, first_open_s, max(0, closed), mark=mark)]
        if first_open_s <= open_s <= last_open_s:
            parts.append(self.forming(symbol, step_s, moment, mark=mark))
        return Stretch(first_open_s, step_s, np.concatenate(parts, axis=1))

    def _run(self, candles: Matrix, minutes: Row | int, keys: Row | int) -> Path:
        return paths(candles, noise(self.seed, keys, minutes) % np.uint64(2) == 1)


def _forget_far_minutes(minutes: dict[int, Path], newest: int) -> None:
    """Keep the minutes nearest to the newest request: time runs forward, with a look back for trades."""
    for minute in sorted(minutes, key=lambda each: -abs(each - newest))[
        : max(0, len(minutes) - KEPT_MINUTES + 1)
    ]:
        del minutes[minute]


def symbol_key(symbol: str) -> int:
    return zlib.crc32(symbol.encode())


def noise(*place: ArrayLike) -> NDArray[np.uint64]:
    """Return 64 bits for each place (integers, broadcast): splitmix64 (Steele, Lea, Flood 2014), chained."""
    parts = np.broadcast_arrays(*(np.atleast_1d(np.asarray(part, dtype=np.int64)) for part in place))
    bits = np.zeros(parts[0].shape, dtype=np.uint64)
    for part in parts:
        bits = (bits ^ part.astype(np.uint64)) + np.uint64(0x9E3779B97F4A7C15)
        bits = (bits ^ (bits >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        bits = (bits ^ (bits >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        bits ^= bits >> np.uint64(31)
    return bits


def uniform(*place: ArrayLike) -> NDArray[np.float64]:
    """The same as a number from 0 up to 1."""
    return (noise(*place) >> np.uint64(11)) / float(2**53)


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
    bid, ask = market.minute_path(symbol, moment.minute).book(moment.tick)
    hour = moment.minute - moment.minute % BUSY_MINUTES
    volume = market.closed(symbol, 3600, (hour - BUSY_MINUTES) * 60, 1)[-1, 0]
    typical = max(10, int(volume) // BUSY_MINUTES // 5)
    gap = max(1, (ask - bid) // 2)
    bids = _side(market, row, moment, levels, side=0, typical=typical, gap=gap)
    asks = _side(market, row, moment, levels, side=1, typical=typical, gap=gap)
    return Book(
        [(bid - away, size) for away, size in bids if away == 0 or bid > away],
        [(ask + away, size) for away, size in asks],
    )


def _side(
    market: Market, row: int, moment: Moment, levels: int, *, side: int, typical: int, gap: int
) -> list[tuple[int, int]]:
    """(distance from the best price in ticks, contracts), nearest first."""
    bits = noise(market.seed, market.keys[row], moment.number, side, np.arange(levels))
    gaps = 1 + (bits % np.uint64(2 * gap)).astype(np.int64)
    gaps[0] = 0
    sizes = 1 + ((bits >> np.uint64(32)) % np.uint64(2 * typical)).astype(np.int64)
    return list(zip(np.cumsum(gaps).tolist(), sizes.tolist(), strict=True))
