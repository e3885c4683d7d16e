"""Every candle of every contract at any moment: the tape, repeated both ways, and clones of it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from apps.engine.values.candle import Candle, Source
from apps.engine.values.contract import UnknownSymbol, require_listed
from apps.engine.values.timeframe import Timeframe
from apps.exchange.simulator.chain import Chain, chained, rolled_up
from apps.exchange.simulator.listing import Listing
from apps.exchange.simulator.state import State
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
        kept: Collection[str] = (),
        folder: Path | None = None,
    ) -> None:
        """List the first `symbols` contracts of the tapes and their clones, and those of `kept` as delisted.

        `folder` is where other tapes are, None when there are none. Raises UnknownSymbol.
        """
        self._traded, self._state, self._folder = symbols, state, folder
        self._listings: dict[str, Listing] = {}
        self._minutes: dict[str, Chain] = {}
        self._hours: dict[str, Chain] = {}
        originals = [chained(tape.candles, state.first_minute) for tape in tapes]
        for number in range(MAX_SYMBOLS if kept else symbols):
            generation, at = divmod(number, len(tapes))
            listing = tapes[at].listing if not generation else tapes[at].listing.cloned(generation + 1)
            if number >= symbols:
                if listing.symbol not in kept:
                    continue
                listing = replace(listing, delisted=True)
            minutes = tapes[at].candles.shape[1]
            self._listings[listing.symbol] = listing
            self._minutes[listing.symbol] = originals[at].shifted(int(generation * PHASE * minutes) % minutes)
        require_listed(sorted(kept), self._listings, IN_THE_MARKET)

    @classmethod
    def open(cls, state: State, *, symbols: int = 16, folder: Path = FOLDER) -> Archive:
        """Read what `symbols` contracts need. Raises TapeError, or ValueError for a number out of bounds."""
        if not 1 <= symbols <= MAX_SYMBOLS:
            raise ValueError(f"{symbols} symbols: the simulator lists 1 to {MAX_SYMBOLS}")
        return cls(load(folder, symbols), symbols, state, folder=folder)

    def keeping(self, symbols: Collection[str]) -> Archive:
        """This archive with these contracts too, delisted where it did not list them.

        Raises UnknownSymbol naming each that was never recorded, and TapeError.
        """
        missing = set(symbols) - set(self._listings)
        if not missing:
            return self
        if self._folder is None:
            raise UnknownSymbol(sorted(missing), self._listings, IN_THE_MARKET)
        kept = missing | set(self._listings)
        return Archive(load(self._folder), self._traded, self._state, kept=kept, folder=self._folder)

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
        chain = self._minutes[symbol] if fine_s == MINUTE_S else self._hourly(symbol)
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

    def _hourly(self, symbol: str) -> Chain:
        if symbol not in self._hours:
            self._hours[symbol] = self._minutes[symbol].rolled_up(HOUR_S // MINUTE_S)
        return self._hours[symbol]
