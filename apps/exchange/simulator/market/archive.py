"""Every candle of every contract at any moment: the tape without end, and clones of it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from apps.engine.values.candle import Candle, Source
from apps.engine.values.contract import UnknownSymbol, require_listed
from apps.engine.values.timeframe import Timeframe
from apps.exchange.simulator.market.listing import Listing
from apps.exchange.simulator.market.state import State
from apps.exchange.simulator.tape.code import CLOSE, HIGH, LOW, OPEN, VOLUME, Matrix
from apps.exchange.simulator.tape.read import FOLDER, Tape, load

MINUTE_S, HOUR_S = 60, 3600
MAX_SYMBOLS = 2000
PHASE = 0.6180339887
"""Clones are spread over the tape by the golden ratio: any number of them lies evenly."""
IN_THE_MARKET = "are in the recorded market"


class Archive:
    """The recorded market that plays from `state` on. Prices are in ticks, volumes in contracts."""

    def __init__(
        self,
        tapes: Sequence[Tape],
        symbols: int,
        state: State,
        *,
        required: Collection[str] = (),
        folder: Path | None = None,
    ) -> None:
        """List the first `symbols` contracts of the tapes and clones, and those of `required` as delisted.

        `folder` is where other tapes are, None when there are none. Raises UnknownSymbol.
        """
        self._traded, self._state, self._folder = symbols, state, folder
        self._listings: dict[str, Listing] = {}
        self._minutes: dict[str, Chain] = {}
        self._hours: dict[str, Chain] = {}
        originals = [endless_chain(tape.candles, state.first_minute) for tape in tapes]
        for number in range(MAX_SYMBOLS if required else symbols):
            generation, at = divmod(number, len(tapes))
            listing = tapes[at].listing if not generation else tapes[at].listing.cloned(generation + 1)
            if number >= symbols:
                if listing.symbol not in required:
                    continue
                listing = replace(listing, delisted=True)
            minutes = tapes[at].candles.shape[1]
            self._listings[listing.symbol] = listing
            self._minutes[listing.symbol] = originals[at].shifted(int(generation * PHASE * minutes) % minutes)
        require_listed(sorted(required), self._listings, IN_THE_MARKET)

    @classmethod
    def open(cls, state: State, *, symbols: int = 16, folder: Path = FOLDER) -> Archive:
        """Read what `symbols` contracts need. Raises TapeError, or ValueError for a number out of bounds."""
        if not 1 <= symbols <= MAX_SYMBOLS:
            raise ValueError(f"{symbols} symbols: the simulator lists 1 to {MAX_SYMBOLS}")
        return cls(load(folder, symbols), symbols, state, folder=folder)

    def with_symbols(self, symbols: Collection[str]) -> Archive:
        """Return this archive with these contracts too, delisted where it did not list them.

        Raises UnknownSymbol naming each that was never recorded, and TapeError.
        """
        missing = set(symbols) - set(self._listings)
        if not missing:
            return self
        if self._folder is None:
            raise UnknownSymbol(sorted(missing), self._listings, IN_THE_MARKET)
        required = missing | set(self._listings)
        return Archive(load(self._folder), self._traded, self._state, required=required, folder=self._folder)

    @property
    def symbols(self) -> tuple[str, ...]:
        return tuple(self._listings)

    def listing(self, symbol: str) -> Listing:
        try:
            return self._listings[symbol]
        except KeyError:
            raise UnknownSymbol([symbol], self._listings, IN_THE_MARKET) from None

    def matrix(self, symbol: str, step_s: int, first_open_s: int, count: int) -> Matrix:
        """int64 (5, count): consecutive candles of `step_s` (whole minutes), the first at `first_open_s`.

        Raises UnknownSymbol; ValueError when the time is not on a boundary of the step.
        """
        self.listing(symbol)
        if step_s % MINUTE_S or first_open_s % step_s:
            raise ValueError(f"{first_open_s} s is not a boundary of {step_s} s")
        fine_s = MINUTE_S if step_s % HOUR_S else HOUR_S
        chain = self._minutes[symbol]
        if fine_s == HOUR_S:
            if symbol not in self._hours:
                self._hours[symbol] = chain.rolled_up(HOUR_S // MINUTE_S)
            chain = self._hours[symbol]
        factor = step_s // fine_s
        fine = chain.candles(first_open_s // fine_s, count * factor)
        return fine if factor == 1 else rolled_up(fine, factor)

    def candles(self, symbol: str, timeframe: Timeframe, start: datetime, end: datetime) -> list[Candle]:
        """The candles with start <= open_time < end, rising, at any moment of the past or the future.

        Prices are exact decimals, volumes base coins. Raises UnknownSymbol.
        """
        step_s = timeframe.seconds
        first, stop = (-(-int(moment.timestamp()) // step_s) for moment in (start, end))
        listing = self.listing(symbol)
        columns = self.matrix(symbol, step_s, first * step_s, max(0, stop - first)).T.tolist()
        return [
            Candle(
                symbol=symbol,
                timeframe=timeframe,
                open_time=datetime.fromtimestamp((first + at) * step_s, UTC),
                open=listing.price(column[OPEN]),
                high=listing.price(column[HIGH]),
                low=listing.price(column[LOW]),
                close=listing.price(column[CLOSE]),
                volume=listing.coins(column[VOLUME]),
                source=Source.FILE,
            )
            for at, column in enumerate(columns)
        ]


@dataclass(frozen=True, slots=True)
class Chain:
    """Candles of one length at any index: `middle` begins at `first`, `before` and `after` repeat."""

    before: Matrix
    middle: Matrix
    after: Matrix
    first: int

    def candles(self, first: int, count: int) -> Matrix:
        """int64 (5, count), from index `first` on (candles since 1970)."""
        at = np.arange(first - self.first, first - self.first + count)
        length = self.middle.shape[1]
        head, tail = np.searchsorted(at, [0, length])
        return np.concatenate(
            [
                np.take(self.before, at[:head], axis=1, mode="wrap"),
                self.middle[:, at[head:tail]],
                np.take(self.after, at[tail:] - length, axis=1, mode="wrap"),
            ],
            axis=1,
        )

    def rolled_up(self, factor: int) -> Chain:
        """The chain of candles `factor` times as long. Raises ValueError unless it divides a period."""
        period = self.before.shape[1]
        if period % factor or self.after.shape[1] != period:
            raise ValueError(f"{factor} candles do not divide a period of {period}")
        first = self.first // factor
        end = -(-(self.first + self.middle.shape[1]) // factor)
        return Chain(
            before=rolled_up(self.candles(first * factor - period, period), factor),
            middle=rolled_up(self.candles(first * factor, (end - first) * factor), factor),
            after=rolled_up(self.candles(end * factor, period), factor),
            first=first,
        )

    def shifted(self, count: int) -> Chain:
        """The same candles, `count` indexes earlier."""
        return Chain(self.before, self.middle, self.after, self.first - count)


def endless_chain(tape: Matrix, first: int) -> Chain:
    """The endless chain of a tape that begins at index `first`.

    A repeat has the tape's mean log return taken out minute by minute from all four prices, so it ends where
    it began: every repeat before ends at the tape's first open, every repeat after begins at its last close.
    Prices are snapped to the tick; one factor for all four keeps low <= open, close <= high. Volumes repeat.
    """
    minutes = tape.shape[1]
    growth = tape[CLOSE, -1] / tape[OPEN, 0]
    detrend = growth ** (-np.arange(1, minutes + 1) / minutes)
    return Chain(_scaled(tape, detrend), tape, _scaled(tape, detrend * growth), first)


def rolled_up(candles: Matrix, factor: int) -> Matrix:
    """Each `factor` candles as one: first open, highest, lowest, last close, total volume."""
    groups = candles.reshape(5, -1, factor)
    return np.stack(
        [
            groups[OPEN, :, 0],
            groups[HIGH].max(axis=1),
            groups[LOW].min(axis=1),
            groups[CLOSE, :, -1],
            groups[VOLUME].sum(axis=1),
        ]
    )


def _scaled(tape: Matrix, factor: np.ndarray[tuple[int], np.dtype[np.float64]]) -> Matrix:
    prices = np.maximum(np.rint(tape[:VOLUME] * factor), 1).astype(np.int64)
    return np.concatenate([prices, tape[VOLUME:]])
