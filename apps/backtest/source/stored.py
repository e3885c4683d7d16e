"""The candles of the market room, and a market over them that can be traded on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any

import numpy as np

from apps.backtest.source.candle_range import CandleRange, SourceError, minute_utc
from apps.engine.frame import CLOSE, OPEN, VOLUME, Floats, Windows
from apps.engine.values.contract import Contract, UnknownSymbol, require_listed
from apps.engine.values.timeframe import Timeframe
from apps.exchange.simulator.market.archive import Archive
from apps.exchange.simulator.market.listing import Listing
from apps.exchange.simulator.market.state import State
from apps.exchange.simulator.tape.read import Tape
from apps.market import store
from apps.market.table import CandleTable

DAY = timedelta(days=1)
MOST_DECIMALS = 12
"""Of a stored price."""
NO_CAP = "1000000000000"


@dataclass(frozen=True)
class StoredSource:
    """`archive` holds the 1m candles of the days of the range, a minute without one flat and without volume.

    Its ticks are the finest decimal digit of the contract's tick or of any price.
    """

    range: CandleRange
    archive: Archive

    def windows(self, symbol: str, timeframes: Iterable[Timeframe]) -> dict[Timeframe, Windows]:
        """Return the candles (5, 1, N) of the range and its warm-up as they are stored, NaN in holes."""
        result = {}
        for timeframe in timeframes:
            until, count = self.range.axis(timeframe)
            result[timeframe] = CandleTable().windows([symbol], timeframe, until=until, length=count)
        return result


def open_stored(range_: CandleRange) -> StoredSource:
    """Return the market room's candles of `range_`. SourceError for symbols and dates that are not stored."""
    stored = {key[0]: series for key, series in store.series().items() if key[1] is Timeframe.M1}
    faults = []
    try:
        require_listed(range_.symbols, stored, "have candles here; manage.py backfill_klines fetches them")
    except UnknownSymbol as fault:
        faults.append(str(fault))
    contracts: dict[str, Contract] = {}
    for symbol in range_.symbols:
        if symbol not in stored:
            continue
        first, last = stored[symbol].first_open, stored[symbol].last_open + Timeframe.M1.duration
        if range_.start < first or range_.end > last:
            faults.append(
                f"{symbol} is stored from {minute_utc(first)} to {minute_utc(last)}, "
                f"not from {minute_utc(range_.start)} to {minute_utc(range_.end)}"
            )
        contract = store.find_contract(symbol)
        if contract is None:
            faults.append(
                f"{symbol} has candles but its contract is not stored: "
                "start the stream, it lists the contracts"
            )
        else:
            contracts[symbol] = contract
    if faults:
        raise SourceError(faults)
    return StoredSource(range_, _archive_of_whole_days(range_, contracts))


def _archive_of_whole_days(range_: CandleRange, contracts: Mapping[str, Contract]) -> Archive:
    """Return whole days, as the simulator's calendar has them. SourceError for a symbol without a candle."""
    first = Timeframe.D1.floor(range_.start)
    until = first + -(-(range_.end - first) // DAY) * DAY
    count = (until - first) // Timeframe.M1.duration
    minutes = {
        symbol: CandleTable().windows([symbol], Timeframe.M1, until=until, length=count)
        for symbol in contracts
    }
    faults = [
        f"{symbol} has not one 1m candle from {minute_utc(first)} to {minute_utc(until)}: "
        "backfill_klines fetches what the exchange has"
        for symbol, windows in minutes.items()
        if np.isnan(windows.candles[CLOSE]).all()
    ]
    if faults:
        raise SourceError(faults)
    tapes = [tape_of(contract, minutes[symbol]) for symbol, contract in contracts.items()]
    return Archive(tapes, len(tapes), State(first.date(), day=0))


def tape_of(contract: Contract, minutes: Windows) -> Tape:
    """Return one symbol's 1m candles as a tape the simulator plays. ValueError when there is not one candle.

    A minute without a candle stands still at the close before it (the first ones at the first open) without
    volume: nothing fills in it. Prices are whole ticks of the contract's tick, or finer where a stored price
    has more digits. The venue's brackets are not stored: one bracket stands for them, with the contract's
    highest leverage and half of its initial margin as maintenance.
    """
    candles = _flat_where_missing(minutes.candles[:, 0])
    prices, decimals = candles[:VOLUME], _decimals(contract.tick_size)
    while decimals < MOST_DECIMALS and (np.rint(prices * 10.0**decimals) / 10.0**decimals != prices).any():
        decimals += 1
    size_decimals = _decimals(contract.contract_size)
    matrix = np.empty(candles.shape, dtype=np.int64)
    matrix[:VOLUME] = np.rint(prices * 10.0**decimals)
    matrix[VOLUME] = np.rint(candles[VOLUME] * 10.0**size_decimals)

    per_contract = contract.contract_size * 10**size_decimals
    leverage = max(1, int(contract.max_leverage))
    bracket: dict[str, Any] = {
        "bracket": 1,
        "initial_leverage": leverage,
        "notional_cap": NO_CAP,
        "notional_floor": "0",
        "maint_margin_ratio": str(Decimal(1) / (2 * leverage)),
        "cum": "0",
    }
    listing = Listing(
        symbol=contract.symbol,
        base=contract.base,
        price_decimals=decimals,
        volume_decimals=size_decimals,
        max_leverage=leverage,
        max_volume=int(contract.max_volume * per_contract),
        market_max_volume=int(contract.market_max_volume * per_contract),
        listed_at_ms=0 if contract.listed_at is None else int(contract.listed_at.timestamp() * 1000),
        brackets=(bracket,),
    )
    first_minute = (int(minutes.close_ms[0]) - minutes.timeframe.ms) // minutes.timeframe.ms
    return Tape(listing, first_minute, matrix)


def _flat_where_missing(candles: Floats) -> Floats:
    present = ~np.isnan(candles[CLOSE])
    if not present.any():
        raise ValueError("no candle at all")
    if present.all():
        return candles
    newest = np.maximum.accumulate(np.where(present, np.arange(len(present)), -1))
    flat = np.where(newest < 0, candles[OPEN, present.argmax()], candles[CLOSE, newest])
    filled = np.where(present, candles, flat)
    filled[VOLUME] = np.where(present, candles[VOLUME], 0)
    return filled


def _decimals(step: Decimal) -> int:
    exponent = step.normalize().as_tuple().exponent
    assert isinstance(exponent, int)  # a contract's steps are finite
    return max(0, -exponent)
