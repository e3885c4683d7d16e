"""BitMart as the engine's Broker: one account, its reads and its orders. No order is ever sent twice."""

from __future__ import annotations

import math
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TypeVar

import structlog

from apps.engine.ports.account import BrokerRejected, BrokerUnavailable, BrokerUnknown, Listing
from apps.engine.values.contract import Contract
from apps.engine.values.order import Fill, OrderReport, OrderRequest, ProtectionKind, ProtectionReport
from apps.engine.values.position import (
    Account,
    Bracket,
    FeeRates,
    PositionMode,
    PositionReport,
    Quote,
    Side,
    Transaction,
)
from apps.exchange.bitmart import parse_account, parse_market, parse_orders, request_body, routes
from apps.exchange.bitmart.broker_reader import PATIENCE, BrokerReader, Page, read_span
from apps.exchange.bitmart.json_field import ParseError
from apps.exchange.bitmart.order_client import GUARDING_WAIT_S, OPENING_WAIT_S, OrderClient
from apps.exchange.bitmart.read_client import ReadClient
from apps.exchange.bitmart.request_body import Body
from apps.exchange.transport.rate import Route

log = structlog.get_logger("provider")

T = TypeVar("T")
Params = dict[str, str | int]

OPEN_ROWS = 100
"""Most rows of open and plan orders."""
HISTORY_ROWS = 200
"""Most rows of order-history and trades; a page with as many may lack some."""
LEDGER_ROWS = 1000
ALL_POSITIONS = 10_000
"""Positions come on one page, however many: more than there are contracts."""
LOOKED_BACK = timedelta(days=7)
"""How far an order is searched: what the exchange itself shows when no time is asked for."""
DATED_AHEAD = timedelta(minutes=1)
"""The exchange's clock may run ahead of what we measured last, within what its signatures bear: reads up to
now end so much later, else they lack the newest rows."""
MARK_AGE = timedelta(minutes=2)
"""The minute that forms and the one before it: one of them has the mark price of now."""
NO_SUCH_ORDER = ("40035", "40036", "40037")
"""Unknown, filled or cancelled already."""
NO_SUCH_SYMBOL = "40034"
"""A contract that is listed no more has no orders and no trades to read: nothing can happen there."""


class Broker:
    """See the port. Safe to share between threads. What is read of the market needs no keys."""

    def __init__(self, reads: ReadClient, orders: OrderClient) -> None:
        self._read_client = reads
        self._reader = BrokerReader(reads)
        self._order_client = orders

    def close(self) -> None:
        self._read_client.close()
        self._order_client.close()

    # the market

    def server_offset_ms(self) -> float:
        return self._reader.server_offset_ms()

    def contracts(self) -> list[Contract]:
        rows = self._reader.read(routes.DETAILS, {}, parse_market.contracts)
        if rows.faults:
            log.error("contracts_unreadable", count=len(rows.faults), first=str(rows.faults[0]))
        if rows.faults and not rows.values:
            raise BrokerUnavailable(f"none of {len(rows.faults)} contracts is readable: {rows.faults[0]}")
        return rows.values

    def brackets(self, symbol: str) -> list[Bracket]:
        return self._reader.read_all(
            routes.LEVERAGE_BRACKET, {"symbol": symbol}, parse_account.brackets(symbol)
        )

    def quote(self, symbol: str) -> Quote:
        """See the port. As old as its oldest part: each as of when its request left, and the book as of when
        the exchange made it, if that is longer ago. BrokerUnavailable for a book that is no book."""
        now = self._reader.server_time()
        ends = int(now.timestamp() + PATIENCE.turn_s) + 1  # the minute may be over when its turn has come
        span = {"start_time": int((now - MARK_AGE).timestamp()), "end_time": ends}
        mark_span: Params = {"symbol": symbol, "step": 1, **span}
        last_one: Params = {"symbol": symbol, "limit": 1}
        read = self._reader.read_dated
        with ThreadPoolExecutor(max_workers=2) as beside:  # each waits for its own turn: one way, not three
            marks = beside.submit(
                copy_context().run,
                lambda: read(routes.MARKPRICE_KLINE, mark_span, parse_market.mark_price(now - MARK_AGE)),
            )
            lasts = beside.submit(
                copy_context().run, lambda: read(routes.MARKET_TRADE, last_one, parse_market.last_price)
            )
            (bid, ask, made_at), asked_at = read(routes.DEPTH, {"symbol": symbol}, parse_market.best_prices)
        made_at = datetime.now(UTC) - (self._reader.server_time() - made_at)  # by our clock
        (mark, mark_at), (last, last_at) = marks.result(), lasts.result()
        try:
            return Quote(symbol, bid, ask, mark, last, min(made_at, asked_at, mark_at, last_at))
        except ValueError as fault:
            raise BrokerUnavailable(str(fault)) from fault

    # the account

    def account(self) -> Account:
        return self._reader.read(routes.ASSETS, {}, parse_account.account)

    def fee_rates(self, symbol: str) -> FeeRates:
        return self._reader.read(routes.FEE_RATE, {"symbol": symbol}, parse_account.fee_rates)

    def position_mode(self) -> PositionMode:
        return self._reader.read(routes.GET_POSITION_MODE, {}, parse_account.position_mode)

    def set_position_mode(self, mode: PositionMode) -> None:
        self._order_client.send(routes.SET_POSITION_MODE, {"position_mode": parse_account.MODES[mode]})

    def set_leverage(self, symbol: str, leverage: int) -> None:
        self._order_client.send(routes.SUBMIT_LEVERAGE, request_body.leverage(symbol, leverage))

    def all_positions(self) -> Listing[PositionReport]:
        return self._reader.read_listing(routes.POSITIONS, {}, parse_account.positions, full=ALL_POSITIONS)

    def positions(self, symbol: str) -> list[PositionReport]:
        return self._reader.read_all(routes.POSITIONS, {"symbol": symbol}, parse_account.positions)

    def transactions(self, since: datetime) -> list[Transaction]:
        def read(start: datetime, end: datetime) -> Page[Transaction]:
            span = {
                "start_time": math.floor(start.timestamp() * 1000),
                "end_time": math.floor(end.timestamp() * 1000),
                "page_size": LEDGER_ROWS,
            }
            return self._reader.read_readable(
                routes.TRANSACTIONS, span, parse_account.transactions, full=LEDGER_ROWS
            )

        lines = read_span(read, since, self._reader.server_time() + DATED_AHEAD)
        return sorted((line for line in lines if line.at >= since), key=lambda line: line.at)

    # its orders

    def prepare(self, request: OrderRequest) -> Body:
        """Return the body that `submit` would send."""
        return request_body.order(request)

    def submit(self, request: OrderRequest, before_sending: Callable[[], None] | None = None) -> str:
        answer = self._order_client.send(
            routes.SUBMIT_ORDER,
            self.prepare(request),
            longest_wait_s=OPENING_WAIT_S if request.opens else GUARDING_WAIT_S,
            before_sending=before_sending,
        )
        return _order_id(routes.SUBMIT_ORDER, answer)

    def cancel(self, symbol: str, client_order_id: str) -> None:
        self._cancel(routes.CANCEL_ORDER, request_body.cancel(symbol, client_order_id))

    def cancel_after(self, symbol: str, timeout_s: int) -> None:
        body = {"timeout": timeout_s, "symbol": symbol}
        self._order_client.send(routes.CANCEL_ALL_AFTER, body, longest_wait_s=0)

    def all_orders(self) -> Listing[OrderReport]:
        listing = self._reader.read_listing(
            routes.OPEN_ORDERS, {"limit": OPEN_ROWS}, parse_orders.orders, full=OPEN_ROWS
        )
        return replace(listing, rows=[order for order in listing.rows if order.open])

    def orders(self, symbol: str) -> list[OrderReport]:
        params: Params = {"symbol": symbol, "limit": OPEN_ROWS}
        page = self._reader.read_page(routes.OPEN_ORDERS, params, parse_orders.orders, full=OPEN_ROWS)
        return [order for order in _whole_page(page, symbol) if order.open]

    def order(self, symbol: str, client_order_id: str) -> OrderReport | None:
        return _read_listed(lambda: self._find_order(symbol, client_order_id), None)

    def _find_order(self, symbol: str, client_order_id: str) -> OrderReport | None:
        """Return the order, read open ones first: one that ends in between is in the history read after.

        Trades come last. They do not carry our id: each order they belong to is read and compared.
        """
        wanted = {"symbol": symbol, "client_order_id": client_order_id}
        for order in (*self.orders(symbol), *self._past_orders(wanted)):
            if order.client_order_id == client_order_id:
                return order
        trades = self._trades(wanted, self._reader.server_time() - LOOKED_BACK)
        for order_id in dict.fromkeys(fill.exchange_order_id for fill in trades):
            try:
                order = self._reader.read(
                    routes.ORDER, {"symbol": symbol, "order_id": order_id}, parse_orders.order
                )
            except BrokerRejected as refusal:
                if refusal.code not in NO_SUCH_ORDER:
                    raise
            else:
                if order.client_order_id == client_order_id:
                    return order
        return None

    def fills(self, symbol: str, since: datetime) -> list[Fill]:
        nothing: list[Fill] = []
        fills = _read_listed(lambda: self._trades({"symbol": symbol}, since), nothing)
        return sorted((fill for fill in fills if fill.at >= since), key=lambda fill: (fill.at, fill.trade_id))

    # its stops and targets

    def all_protections(self) -> Listing[ProtectionReport]:
        params: Params = {"plan_type": "profit_loss", "limit": OPEN_ROWS}
        return self._reader.read_listing(routes.PLAN_ORDERS, params, parse_orders.protections, full=OPEN_ROWS)

    def protections(self, symbol: str) -> list[ProtectionReport]:
        params: Params = {"symbol": symbol, "plan_type": "profit_loss", "limit": OPEN_ROWS}
        page = self._reader.read_page(routes.PLAN_ORDERS, params, parse_orders.protections, full=OPEN_ROWS)
        return _whole_page(page, symbol)

    def protect(
        self,
        symbol: str,
        side: Side,
        kind: ProtectionKind,
        trigger_price: Decimal,
        client_order_id: str,
        size: Decimal | None = None,
    ) -> str:
        body = request_body.protection(symbol, side, kind, trigger_price, client_order_id, size)
        answer = self._order_client.send(routes.SUBMIT_PROTECTION, body)
        return _order_id(routes.SUBMIT_PROTECTION, answer)

    def unprotect(self, symbol: str, exchange_order_id: str) -> None:
        self._cancel(routes.CANCEL_PLAN_ORDER, request_body.cancel_protection(symbol, exchange_order_id))

    def _cancel(self, route: Route, body: Body) -> None:
        try:
            self._order_client.send(route, body)
        except BrokerRejected as refusal:
            if refusal.code not in NO_SUCH_ORDER:
                raise

    def _past_orders(self, wanted: dict[str, str]) -> list[OrderReport]:
        def read(start: datetime, end: datetime) -> Page[OrderReport]:
            params = {**wanted, **_whole_seconds(start, end)}
            return self._reader.read_page(
                routes.ORDER_HISTORY, params, parse_orders.orders, full=HISTORY_ROWS
            )

        now = self._reader.server_time()
        return read_span(read, now - LOOKED_BACK, now + DATED_AHEAD)

    def _trades(self, wanted: dict[str, str], since: datetime) -> list[Fill]:
        def read(start: datetime, end: datetime) -> Page[Fill]:
            params = {**wanted, **_whole_seconds(start, end)}
            return self._reader.read_page(routes.TRADES, params, parse_orders.trades, full=HISTORY_ROWS)

        return read_span(read, since, self._reader.server_time() + DATED_AHEAD)


def _read_listed(read: Callable[[], T], otherwise: T) -> T:
    """Return what `read` gives; `otherwise` where the exchange lists no such contract."""
    try:
        return read()
    except BrokerRejected as refusal:
        if refusal.code == NO_SUCH_SYMBOL:
            return otherwise
        raise


def _whole_seconds(start: datetime, end: datetime) -> dict[str, str | int]:
    """Return whole seconds that contain the span, and at least one."""
    first = math.floor(start.timestamp())
    return {"start_time": first, "end_time": max(math.ceil(end.timestamp()), first + 1)}


def _whole_page(page: Page[T], symbol: str) -> list[T]:
    if page.full:
        raise BrokerUnavailable(
            f"a page of {OPEN_ROWS} orders came back full and may lack some; too many rest on {symbol}: "
            "cancel some by hand"
        )
    return page.values


def _order_id(route: Route, answer: object) -> str:
    """Return the id. BrokerUnknown for a success that names no order: it may exist."""
    try:
        return parse_orders.order_id(answer)
    except ParseError as fault:
        raise BrokerUnknown(f"{route.path}: a success without an order id: {fault}") from fault
