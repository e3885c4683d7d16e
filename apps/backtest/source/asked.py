"""Which candles a backtest asks for, and what must be loaded before them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np

from apps.engine.frame import Ints
from apps.engine.values.errors import TradingError
from apps.engine.values.timeframe import WINDOW, Timeframe


class SourceError(TradingError):
    """The candles asked for are not there; `faults` says everything that is wrong with the asking."""

    def __init__(self, faults: Sequence[str]) -> None:
        super().__init__("\n".join(faults))
        self.faults = tuple(faults)


@dataclass(frozen=True, slots=True)
class Asked:
    """`symbols`, judged at every 1m close in [start, end). SourceError with every fault.

    `warm_up` is how many live windows of each timeframe are loaded before `start`.
    """

    symbols: tuple[str, ...]
    start: datetime
    end: datetime
    warm_up: int = 1

    def __post_init__(self) -> None:
        faults = [f"{symbol} is named twice" for symbol in _twice(self.symbols)]
        if not self.symbols:
            faults.append("no symbol is named")
        faults += [
            f"{moment} is not a whole minute of UTC"
            for moment in (self.start, self.end)
            if not _whole(moment)
        ]
        if not faults and self.start >= self.end:
            faults.append(
                f"the range is empty: it ends at {shown(self.end)} and begins at {shown(self.start)}"
            )
        if self.warm_up < 1:
            faults.append(f"a warm-up of {self.warm_up} windows is too short: live needs 1")
        if faults:
            raise SourceError(faults)

    @property
    def closes_ms(self) -> Ints:
        """The moments that are judged, Unix milliseconds."""
        first, stop = (int(moment.timestamp()) * 1000 for moment in (self.start, self.end))
        return np.arange(first, stop, Timeframe.M1.ms, dtype=np.int64)

    def axis(self, timeframe: Timeframe) -> tuple[datetime, int]:
        """Close of the newest candle looked at, and how many up to it: the range and its warm-up."""
        until = timeframe.floor(self.end - Timeframe.M1.duration)
        judged = (until - timeframe.floor(self.start)) // timeframe.duration
        return until, judged + WINDOW[timeframe] * self.warm_up


def shown(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC"


def _twice(symbols: Sequence[str]) -> list[str]:
    return sorted({symbol for symbol in symbols if symbols.count(symbol) > 1})


def _whole(moment: datetime) -> bool:
    return moment.tzinfo is UTC and Timeframe.M1.floor(moment) == moment
