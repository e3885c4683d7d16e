"""The recorded market that is shipped, on its own calendar; the chained past is the warm-up."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np

from apps.backtest.source.asked import Asked, SourceError, shown
from apps.engine.frame import Floats, Windows, windows
from apps.engine.values.contract import UnknownSymbol, require_listed
from apps.engine.values.timeframe import Timeframe
from apps.exchange.simulator.market.archive import Archive
from apps.exchange.simulator.market.listing import Listing
from apps.exchange.simulator.market.state import State
from apps.exchange.simulator.tape.code import VOLUME, Matrix
from apps.exchange.simulator.tape.read import FOLDER, extent, load


@dataclass(frozen=True)
class Recorded:
    """`archive` holds the symbols asked for, in their order, in ticks and contracts, at their own dates."""

    asked: Asked
    archive: Archive

    def stretch(self, symbol: str, timeframes: Iterable[Timeframe]) -> dict[Timeframe, Windows]:
        """The candles (5, 1, N) of the range and its warm-up, as the database would give them."""
        return {timeframe: self._windows(symbol, timeframe) for timeframe in timeframes}

    def _windows(self, symbol: str, timeframe: Timeframe) -> Windows:
        until, count = self.asked.axis(timeframe)
        first_open_s = int(until.timestamp()) - count * timeframe.seconds
        matrix = self.archive.matrix(symbol, timeframe.seconds, first_open_s, count)
        return windows((symbol,), timeframe, until, _floats(matrix, self.archive.listing(symbol)))


def recorded(asked: Asked, folder: Path = FOLDER) -> Recorded:
    """The recorded market of `asked`. SourceError when it has not these symbols or dates; TapeError."""
    known, first_minute, minutes = extent(folder)
    first = datetime.fromtimestamp(first_minute * 60, UTC)
    last = first + timedelta(minutes=minutes)
    faults = []
    try:
        require_listed(asked.symbols, known, "are in the recorded market")
    except UnknownSymbol as fault:
        faults.append(str(fault))
    if asked.start < first or asked.end > last:
        faults.append(
            f"the recorded market has {shown(first)} to {shown(last)}, "
            f"not {shown(asked.start)} to {shown(asked.end)}"
        )
    if faults:
        raise SourceError(faults)
    tapes = {tape.listing.symbol: tape for tape in load(folder, only=asked.symbols)}
    ordered = [tapes[symbol] for symbol in asked.symbols]
    return Recorded(asked, Archive(ordered, len(ordered), State(first.date(), day=0)))


def _floats(matrix: Matrix, listing: Listing) -> Floats:
    """(5, 1, N): each number the float64 nearest to the exact decimal."""
    candles = np.empty((5, 1, matrix.shape[1]))
    candles[:VOLUME, 0] = matrix[:VOLUME] / 10.0**listing.price_decimals
    candles[VOLUME, 0] = matrix[VOLUME] / 10.0**listing.volume_decimals
    return candles
