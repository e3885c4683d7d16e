"""The recorded market that is shipped, on its own calendar; the chained past is the warm-up."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np

from apps.backtest.source.candle_range import CandleRange, SourceError, minute_utc
from apps.engine.frame import Windows, windows
from apps.engine.values.contract import UnknownSymbol, require_listed
from apps.engine.values.timeframe import Timeframe
from apps.exchange.simulator.market.archive import Archive
from apps.exchange.simulator.market.state import State
from apps.exchange.simulator.tape.code import VOLUME
from apps.exchange.simulator.tape.read import FOLDER, extent, load


@dataclass(frozen=True)
class RecordedSource:
    """`archive` holds the symbols of the range in their order, in ticks and contracts, at their own dates."""

    range: CandleRange
    archive: Archive

    def windows(self, symbol: str, timeframes: Iterable[Timeframe]) -> dict[Timeframe, Windows]:
        """Return the candles (5, 1, N) of the range and its warm-up, as the database would give them.

        Each number is the float64 nearest to the exact decimal.
        """
        listing = self.archive.listing(symbol)
        result = {}
        for timeframe in timeframes:
            until, count = self.range.axis(timeframe)
            first_open_s = int(until.timestamp()) - count * timeframe.seconds
            matrix = self.archive.matrix(symbol, timeframe.seconds, first_open_s, count)
            candles = np.empty((5, 1, count))
            candles[:VOLUME, 0] = matrix[:VOLUME] / 10.0**listing.price_decimals
            candles[VOLUME, 0] = matrix[VOLUME] / 10.0**listing.volume_decimals
            result[timeframe] = windows((symbol,), timeframe, until, candles)
        return result


def open_recorded(range_: CandleRange, folder: Path = FOLDER) -> RecordedSource:
    """Return the recorded market of `range_`. SourceError for symbols or dates it has not; TapeError."""
    listed, first_minute, minutes = extent(folder)
    first = datetime.fromtimestamp(first_minute * 60, UTC)
    last = first + timedelta(minutes=minutes)
    faults = []
    try:
        require_listed(range_.symbols, listed, "are in the recorded market")
    except UnknownSymbol as fault:
        faults.append(str(fault))
    if range_.start < first or range_.end > last:
        faults.append(
            f"the recorded market has {minute_utc(first)} to {minute_utc(last)}, "
            f"not {minute_utc(range_.start)} to {minute_utc(range_.end)}"
        )
    if faults:
        raise SourceError(faults)
    tapes = {tape.listing.symbol: tape for tape in load(folder, only=range_.symbols)}
    ordered = [tapes[symbol] for symbol in range_.symbols]
    return RecordedSource(range_, Archive(ordered, len(ordered), State(first.date(), day=0)))
