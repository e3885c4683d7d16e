"""What a broker reads of the account: balance, positions, ledger, fees, mode."""

from __future__ import annotations

import math
from datetime import datetime, timedelta

from apps.engine.values.position import Account, FeeRates, PositionMode, PositionReport, Transaction
from apps.exchange.bitmart import pages, parse_account
from apps.exchange.bitmart.private_routes import (
    ASSETS,
    FEE_RATE,
    GET_POSITION_MODE,
    POSITIONS,
    TRANSACTIONS,
)
from apps.exchange.bitmart.reader import Page, Reader


class AccountReads:
    _reader: Reader

    def account(self) -> Account:
        return self._reader.read(ASSETS, {}, parse_account.account)

    def fee_rates(self, symbol: str) -> FeeRates:
        return self._reader.read(FEE_RATE, {"symbol": symbol}, parse_account.fee_rates)

    def position_mode(self) -> PositionMode:
        return self._reader.read(GET_POSITION_MODE, {}, parse_account.position_mode)

    def positions(self, symbol: str | None = None) -> list[PositionReport]:
        return self._reader.read_all(POSITIONS, asked(symbol), parse_account.positions)

    def transactions(self, since: datetime) -> list[Transaction]:
        end = self._reader.server_time() + timedelta(seconds=1)
        found = pages.in_span(self._ledger, since, end)
        return sorted((each for each in found if each.at >= since), key=lambda each: each.at)

    def _ledger(self, start: datetime, end: datetime) -> Page[Transaction]:
        span = {"start_time": _ms(start), "end_time": _ms(end), "page_size": pages.LEDGER_ROWS}
        return self._reader.read_page(TRANSACTIONS, span, parse_account.transactions, full=pages.LEDGER_ROWS)


def asked(symbol: str | None) -> dict[str, str | int]:
    return {} if symbol is None else {"symbol": symbol}


def _ms(at: datetime) -> int:
    return math.floor(at.timestamp() * 1000)
