"""Which candles a backtest asks for, what must be loaded before them, and which of them are not there."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol

import numpy as np

from apps.engine.frame import CLOSE, Ints, Windows
from apps.engine.values.errors import TradingError
from apps.engine.values.timeframe import WINDOW, Timeframe
from apps.exchange.simulator.market.archive import Archive


class SourceError(TradingError):
    """The candles asked for are not there; `faults` says everything that is wrong with the range."""

    def __init__(self, faults: Sequence[str]) -> None:
        super().__init__("\n".join(faults))
        self.faults = tuple(faults)


@dataclass(frozen=True, slots=True)
class CandleRange:
    """`symbols`, judged at every 1m close in [start, end). SourceError with every fault.

    `warm_up` is how many live windows of each timeframe are loaded before `start`.
    """

    symbols: tuple[str, ...]
    start: datetime
    end: datetime
    warm_up: int = 1

    def __post_init__(self) -> None:
        twice = sorted({symbol for symbol in self.symbols if self.symbols.count(symbol) > 1})
        faults = [f"{symbol} is named twice" for symbol in twice]
        if not self.symbols:
            faults.append("no symbol is named")
        faults += [
            f"{moment} is not a whole minute of UTC"
            for moment in (self.start, self.end)
            if moment.tzinfo is not UTC or Timeframe.M1.floor(moment) != moment
        ]
        if not faults and self.start >= self.end:
            faults.append(
                f"the range is empty: it ends at {minute_utc(self.end)} "
                f"and begins at {minute_utc(self.start)}"
            )
        if self.warm_up < 1:
            faults.append(f"a warm-up of {self.warm_up} windows is too short: live needs 1")
        if faults:
            raise SourceError(faults)

    @property
    def closes_ms(self) -> Ints:
        """Return the moments that are judged, Unix milliseconds."""
        first, stop = (int(moment.timestamp()) * 1000 for moment in (self.start, self.end))
        return np.arange(first, stop, Timeframe.M1.ms, dtype=np.int64)

    def axis(self, timeframe: Timeframe) -> tuple[datetime, int]:
        """Return the newest candle's close and how many candles lead up to it: the range and its warm-up."""
        until = timeframe.floor(self.end - Timeframe.M1.duration)
        judged = (until - timeframe.floor(self.start)) // timeframe.duration
        return until, judged + WINDOW[timeframe] * self.warm_up


class Source(Protocol):
    """Candles of a range, wherever they come from.

    `archive` lists the symbols of the range, in their order, with exact 1m candles over the whole of it.
    """

    @property
    def range(self) -> CandleRange: ...

    @property
    def archive(self) -> Archive: ...

    def windows(self, symbol: str, timeframes: Iterable[Timeframe]) -> dict[Timeframe, Windows]:
        """Return float64 candles (5, 1, N) of the range and its warm-up, each timeframe on its own axis."""


@dataclass(frozen=True, slots=True)
class Holes:
    """`missing` candles of `timeframe`, the first of them opening at `first_open_at`."""

    timeframe: Timeframe
    missing: int
    first_open_at: datetime


def find_holes(windows: Mapping[Timeframe, Windows], start: datetime) -> tuple[Holes, ...]:
    """Return the timeframes of one symbol that lack candles from `start` on, in the order of `windows`."""
    holes = []
    for timeframe, candles in windows.items():
        opens_ms = candles.close_ms - timeframe.ms
        missing = np.isnan(candles.candles[CLOSE, 0]) & (opens_ms >= start.timestamp() * 1000)
        if missing.any():
            first = datetime.fromtimestamp(int(opens_ms[missing.argmax()]) / 1000, UTC)
            holes.append(Holes(timeframe, int(missing.sum()), first))
    return tuple(holes)


def minute_utc(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC"
