"""The candles of the market room, and a market over them that can be traded on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np

from apps.backtest.source.asked import Asked, SourceError, shown
from apps.backtest.source.taping import taped
from apps.engine.frame import CLOSE, Windows
from apps.engine.values.contract import Contract, UnknownSymbol, require_listed
from apps.engine.values.timeframe import Timeframe
from apps.exchange.simulator.market.archive import Archive
from apps.exchange.simulator.market.state import State
from apps.market import store

DAY = timedelta(days=1)


@dataclass(frozen=True)
class Stored:
    """`archive` holds the 1m candles of the days asked for, a minute without one flat and without volume.

    Its ticks are the finest decimal digit of the contract's tick or of any price.
    """

    asked: Asked
    archive: Archive

    def stretch(self, symbol: str, timeframes: Iterable[Timeframe]) -> dict[Timeframe, Windows]:
        """The candles (5, 1, N) of the range and its warm-up as they are stored, NaN in holes."""
        return {timeframe: self._windows(symbol, timeframe) for timeframe in timeframes}

    def _windows(self, symbol: str, timeframe: Timeframe) -> Windows:
        until, count = self.asked.axis(timeframe)
        return store.CandleTable().windows([symbol], timeframe, until=until, length=count)


def stored(asked: Asked) -> Stored:
    """The market room's candles of `asked`. SourceError for symbols and dates that are not stored."""
    reach = {symbol: one for (symbol, timeframe), one in store.series().items() if timeframe is Timeframe.M1}
    faults = []
    try:
        require_listed(asked.symbols, reach, "have candles here; manage.py backfill_klines fetches them")
    except UnknownSymbol as fault:
        faults.append(str(fault))
    faults += [_too_far(asked, one, reach[one]) for one in asked.symbols if one in reach]
    contracts = {one: store.find_contract(one) for one in asked.symbols if one in reach}
    faults += [
        f"{symbol} has candles but its contract is not stored: start the stream, it lists the contracts"
        for symbol, contract in contracts.items()
        if contract is None
    ]
    faults = [fault for fault in faults if fault]
    if faults:
        raise SourceError(faults)
    return Stored(asked, _archive(asked, {s: one for s, one in contracts.items() if one is not None}))


def _too_far(asked: Asked, symbol: str, reach: store.Series) -> str:
    last = reach.last_open + Timeframe.M1.duration
    if reach.first_open <= asked.start and asked.end <= last:
        return ""
    return (
        f"{symbol} is stored from {shown(reach.first_open)} to {shown(last)}, "
        f"not from {shown(asked.start)} to {shown(asked.end)}"
    )


def _archive(asked: Asked, contracts: Mapping[str, Contract]) -> Archive:
    """Whole days, because the simulator's calendar is made of them. SourceError where one has no candle."""
    first = Timeframe.D1.floor(asked.start)
    until = first + -(-(asked.end - first) // DAY) * DAY
    minutes = (until - first) // Timeframe.M1.duration
    found = {
        symbol: store.CandleTable().windows([symbol], Timeframe.M1, until=until, length=minutes)
        for symbol in contracts
    }
    empty = [symbol for symbol, windows in found.items() if np.isnan(windows.candles[CLOSE]).all()]
    if empty:
        raise SourceError([_empty(symbol, first, until) for symbol in empty])
    tapes = [taped(contract, found[symbol]) for symbol, contract in contracts.items()]
    return Archive(tapes, len(tapes), State(first.date(), day=0))


def _empty(symbol: str, first: datetime, until: datetime) -> str:
    return (
        f"{symbol} has not one 1m candle from {shown(first)} to {shown(until)}: "
        "backfill_klines fetches what the exchange has"
    )
