"""What there is to replay: the symbols of a source, and the time that all of them share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from apps.engine.values.timeframe import Timeframe
from apps.exchange.simulator.tape.read import extent
from apps.market import store


@dataclass(frozen=True, slots=True)
class Reach:
    """`symbols` have 1m candles, all of them from `start` up to `end`; None where there are no candles."""

    symbols: tuple[str, ...]
    start: datetime | None
    end: datetime | None


def recorded_reach() -> Reach:
    """The shipped tape. TapeError when it is damaged."""
    symbols, first_minute, minutes = extent()
    start = datetime.fromtimestamp(first_minute * 60, UTC)
    return Reach(symbols, start, start + timedelta(minutes=minutes))


def stored_reach(symbols: Sequence[str]) -> Reach:
    """The market room's: of `symbols` where any are named, else of all that are stored."""
    minutes = {
        symbol: one for (symbol, timeframe), one in store.series().items() if timeframe is Timeframe.M1
    }
    found = [minutes[symbol] for symbol in symbols or minutes if symbol in minutes]
    return Reach(
        symbols=tuple(symbols or sorted(minutes)),
        start=max((one.first_open for one in found), default=None),
        end=min((one.last_open + Timeframe.M1.duration for one in found), default=None),
    )
