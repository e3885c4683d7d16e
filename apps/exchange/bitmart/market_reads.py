"""What a broker reads of the market: contracts, brackets, the quote."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import structlog

from apps.engine.ports import BrokerUnavailable
from apps.engine.values.contract import Contract
from apps.engine.values.position import Bracket, Quote
from apps.exchange.bitmart import parse, parse_account, parse_quote
from apps.exchange.bitmart.reader import Reader
from apps.exchange.bitmart.routes import DEPTH, DETAILS, LEVERAGE_BRACKET, MARKET_TRADE, MARKPRICE_KLINE

log = structlog.get_logger("provider")

MARK_AGE = timedelta(minutes=2)
"""The minute that forms and the one before it: one of them has the mark price of now."""


class MarketReads:
    """Needs no keys."""

    _reader: Reader

    def server_offset_ms(self) -> float:
        return self._reader.server_offset_ms()

    def contracts(self) -> list[Contract]:
        read = self._reader.read(DETAILS, {}, parse.contracts)
        if read.faults:
            log.error("contracts_unreadable", count=len(read.faults), first=str(read.faults[0]))
        if read.faults and not read.values:
            raise BrokerUnavailable(f"none of {len(read.faults)} contracts is readable: {read.faults[0]}")
        return read.values

    def brackets(self, symbol: str) -> list[Bracket]:
        return self._reader.read_all(LEVERAGE_BRACKET, {"symbol": symbol}, parse_account.brackets(symbol))

    def quote(self, symbol: str) -> Quote:
        """Of the moment before the first of its three reads; BrokerUnavailable for a book that is no book."""
        at = datetime.now(UTC)
        bid, ask = self._reader.read(DEPTH, {"symbol": symbol}, parse_quote.top)
        mark = self._mark(symbol)
        last = self._reader.read(MARKET_TRADE, {"symbol": symbol, "limit": 1}, parse_quote.last)
        try:
            return Quote(symbol, bid, ask, mark, last, at)
        except ValueError as fault:
            raise BrokerUnavailable(str(fault)) from fault

    def _mark(self, symbol: str) -> Decimal:
        now = self._reader.server_time()
        span = {"start_time": int((now - MARK_AGE).timestamp()), "end_time": int(now.timestamp()) + 1}
        return self._reader.read(
            MARKPRICE_KLINE, {"symbol": symbol, "step": 1, **span}, parse_quote.mark(now - MARK_AGE)
        )
