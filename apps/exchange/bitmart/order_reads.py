"""What a broker reads of orders, fills and protections."""

from __future__ import annotations

import math
from datetime import datetime, timedelta
from typing import TypeVar

from apps.engine.ports import BrokerRejected, BrokerUnavailable
from apps.engine.values.order import Fill, OrderReport, ProtectionReport
from apps.exchange.bitmart import pages, parse_orders
from apps.exchange.bitmart.account_reads import asked
from apps.exchange.bitmart.private_routes import OPEN_ORDERS, ORDER, ORDER_HISTORY, PLAN_ORDERS, TRADES
from apps.exchange.bitmart.reader import Page, Reader

T = TypeVar("T")

OPEN_ROWS = 100
"""Most rows of open and plan orders."""
LOOKED_BACK = timedelta(days=7)
"""How far an order is searched: what the exchange itself shows when no time is asked for."""
NO_SUCH_ORDER = ("40035", "40036", "40037")


class OrderReads:
    _reader: Reader

    def orders(self, symbol: str | None = None) -> list[OrderReport]:
        params = {**asked(symbol), "limit": OPEN_ROWS}
        page = self._reader.read_page(OPEN_ORDERS, params, parse_orders.orders, full=OPEN_ROWS)
        return [order for order in _whole(page, symbol) if order.open]

    def protections(self, symbol: str | None = None) -> list[ProtectionReport]:
        params = {**asked(symbol), "plan_type": "profit_loss", "limit": OPEN_ROWS}
        page = self._reader.read_page(PLAN_ORDERS, params, parse_orders.protections, full=OPEN_ROWS)
        return _whole(page, symbol)

    def fills(self, symbol: str, since: datetime) -> list[Fill]:
        found = self._trades({"symbol": symbol}, since)
        return sorted((fill for fill in found if fill.at >= since), key=lambda fill: (fill.at, fill.trade_id))

    def order(self, symbol: str, client_order_id: str) -> OrderReport | None:
        """Open orders first: an order that ends in between is in the history read after them."""
        wanted = {"symbol": symbol, "client_order_id": client_order_id}
        for found in (self.orders(symbol), self._history(wanted)):
            for order in found:
                if order.client_order_id == client_order_id:
                    return order
        return self._by_its_trades(wanted)

    def _by_its_trades(self, wanted: dict[str, str]) -> OrderReport | None:
        """Trades do not carry our id: each order they belong to is read and compared."""
        trades = self._trades(wanted, self._reader.server_time() - LOOKED_BACK)
        for order_id in dict.fromkeys(fill.exchange_order_id for fill in trades):
            order = self._by_exchange_id(wanted["symbol"], order_id)
            if order is not None and order.client_order_id == wanted["client_order_id"]:
                return order
        return None

    def _by_exchange_id(self, symbol: str, order_id: str) -> OrderReport | None:
        try:
            return self._reader.read(ORDER, {"symbol": symbol, "order_id": order_id}, parse_orders.one_order)
        except BrokerRejected as refusal:
            if refusal.code in NO_SUCH_ORDER:
                return None
            raise

    def _history(self, wanted: dict[str, str]) -> list[OrderReport]:
        def read(start: datetime, end: datetime) -> Page[OrderReport]:
            params = {**wanted, **_span(start, end)}
            return self._reader.read_page(ORDER_HISTORY, params, parse_orders.orders, full=pages.ROWS)

        now = self._reader.server_time()
        return pages.in_span(read, now - LOOKED_BACK, now + timedelta(seconds=1))

    def _trades(self, wanted: dict[str, str], since: datetime) -> list[Fill]:
        def read(start: datetime, end: datetime) -> Page[Fill]:
            params = {**wanted, **_span(start, end)}
            return self._reader.read_page(TRADES, params, parse_orders.trades, full=pages.ROWS)

        return pages.in_span(read, since, self._reader.server_time() + timedelta(seconds=1))


def _span(start: datetime, end: datetime) -> dict[str, str | int]:
    """Whole seconds that contain the span, and at least one."""
    first = math.floor(start.timestamp())
    return {"start_time": first, "end_time": max(math.ceil(end.timestamp()), first + 1)}


def _whole(page: Page[T], symbol: str | None) -> list[T]:
    if page.full:
        remedy = "ask per symbol" if symbol is None else f"too many rest on {symbol}: cancel some by hand"
        raise BrokerUnavailable(f"a page of {OPEN_ROWS} orders came back full and may lack some; {remedy}")
    return page.values
