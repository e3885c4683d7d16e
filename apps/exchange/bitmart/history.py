"""BitMart's past candles and contracts: the engine's CandleHistory."""

from __future__ import annotations

import threading
import time
from collections import Counter
from datetime import UTC, datetime
from decimal import Decimal

import structlog

from apps.engine.ports.market import CandlePage
from apps.engine.values.candle import ImpossibleCandle
from apps.engine.values.contract import Contract, require_listed
from apps.engine.values.timeframe import Timeframe
from apps.exchange.bitmart import parse_market
from apps.exchange.bitmart.json_field import ParseError
from apps.exchange.bitmart.read_client import ReadClient
from apps.exchange.bitmart.routes import DETAILS, KLINE
from apps.exchange.transport.clock import ServerClock
from apps.exchange.transport.rate import Route

log = structlog.get_logger("provider")

PAGE = 499
"""Candles a request may ask for: one less than the documented 500, as both ends of a range count."""
ASK_AGAIN_S = 60.0
"""An unknown symbol makes us read the contracts again, at most this often."""


class History:
    """Safe to share between threads. `klines`: the route candles are read by, KLINE or KLINE_NOW."""

    def __init__(self, client: ReadClient, klines: Route = KLINE) -> None:
        self._client = client
        self._klines = klines
        self._clock = ServerClock(client.read_clock)
        self._lock = threading.Lock()
        self._contract_sizes: dict[str, Decimal] = {}
        self._contracts_at = -ASK_AGAIN_S

    def server_offset_ms(self) -> float:
        return self._clock.measure_ms()

    def contracts(self) -> list[Contract]:
        """See the port. ParseError when no row can be read: then the shape changed, not the market."""
        rows = parse_market.contracts(self._client.read(DETAILS).data)
        if rows.faults:
            log.error("contracts_unreadable", count=len(rows.faults), first=str(rows.faults[0]))
        if rows.faults and not rows.values:
            raise ParseError("symbols", f"none of {len(rows.faults)} contracts; the first: {rows.faults[0]}")
        self._contract_sizes = {contract.symbol: contract.contract_size for contract in rows.values}
        self._contracts_at = time.monotonic()
        return rows.values

    def candles(self, symbol: str, timeframe: Timeframe, start: datetime, end: datetime) -> CandlePage:
        if start.tzinfo is not UTC or end.tzinfo is not UTC:
            raise ValueError(f"{symbol} {timeframe}: {start!r} … {end!r} are not aware UTC times")
        count = (end - start) / timeframe.duration
        if not 0 < count <= PAGE:
            raise ValueError(f"{symbol} {timeframe}: {count:g} candles from {start} to {end}, not 1 … {PAGE}")
        closed_by = self._clock.at_least()  # before asking: what closes meanwhile may be answered unfinished
        contract_size = self.contract_size(symbol)
        answer = self._client.read(
            self._klines,
            {
                "symbol": symbol,
                "step": timeframe.seconds // 60,
                "start_time": int(start.timestamp()),
                "end_time": int(end.timestamp()) - 1,  # both ends count
            },
        )
        rows = parse_market.klines(
            answer.data,
            symbol=symbol,
            timeframe=timeframe,
            contract_size=contract_size,
            closed_by=closed_by,
        )
        if rows.faults:
            laws = Counter(
                fault.law if isinstance(fault, ImpossibleCandle) else "shape" for fault in rows.faults
            )
            log.error(
                "candles_dropped",
                symbol=symbol,
                timeframe=timeframe,
                count=len(rows.faults),
                laws=dict(laws),
                first=str(rows.faults[0]),
            )
        inside = [candle for candle in rows.values if start <= candle.open_time < end]
        return CandlePage(inside, refused=len(rows.faults))

    def contract_size(self, symbol: str) -> Decimal:
        """Return the coins of one contract. UnknownSymbol when the venue lists no such perpetual."""
        with self._lock:
            stale = time.monotonic() - self._contracts_at >= ASK_AGAIN_S
            if symbol not in self._contract_sizes and stale:
                self.contracts()
        sizes = self._contract_sizes
        require_listed([symbol], sizes, "are listed by the exchange")
        return sizes[symbol]
