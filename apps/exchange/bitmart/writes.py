"""What a broker changes: orders, protections, leverage, mode. Nothing here is sent twice."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from apps.engine.ports import BrokerRejected, BrokerUnknown
from apps.engine.values.order import OrderRequest, ProtectionKind
from apps.engine.values.position import PositionMode
from apps.engine.values.side import Side
from apps.exchange.bitmart import bodies, parse_account, parse_orders
from apps.exchange.bitmart.bodies import Body
from apps.exchange.bitmart.fields import ParseError
from apps.exchange.bitmart.private_routes import (
    CANCEL_ALL_AFTER,
    CANCEL_ORDER,
    CANCEL_PLAN_ORDER,
    SET_POSITION_MODE,
    SUBMIT_LEVERAGE,
    SUBMIT_ORDER,
    SUBMIT_PROTECTION,
)
from apps.exchange.bitmart.routes import Route
from apps.exchange.bitmart.trading import GUARDING_WAIT_S, OPENING_WAIT_S, Trading

OVER_ALREADY = ("40035", "40036", "40037")


class Writes:
    _trading: Trading

    def prepare(self, request: OrderRequest) -> Body:
        """The body that `submit` would send."""
        return bodies.order(request)

    def submit(self, request: OrderRequest, before_sending: Callable[[], None] | None = None) -> str:
        answer = self._trading.send(
            SUBMIT_ORDER,
            self.prepare(request),
            longest_wait_s=OPENING_WAIT_S if request.opens else GUARDING_WAIT_S,
            before_sending=before_sending,
        )
        return _order_id(SUBMIT_ORDER, answer)

    def cancel(self, symbol: str, client_order_id: str) -> None:
        self._cancel(CANCEL_ORDER, bodies.cancel(symbol, client_order_id))

    def protect(
        self, symbol: str, side: Side, kind: ProtectionKind, trigger_price: Decimal, client_order_id: str
    ) -> str:
        body = bodies.protection(symbol, side, kind, trigger_price, client_order_id)
        return _order_id(SUBMIT_PROTECTION, self._trading.send(SUBMIT_PROTECTION, body))

    def unprotect(self, symbol: str, exchange_order_id: str) -> None:
        self._cancel(CANCEL_PLAN_ORDER, bodies.cancel_protection(symbol, exchange_order_id))

    def set_leverage(self, symbol: str, leverage: int) -> None:
        self._trading.send(SUBMIT_LEVERAGE, bodies.leverage(symbol, leverage))

    def set_position_mode(self, mode: PositionMode) -> None:
        self._trading.send(SET_POSITION_MODE, {"position_mode": parse_account.MODES[mode]})

    def cancel_after(self, symbol: str, timeout_s: int) -> None:
        self._trading.send(CANCEL_ALL_AFTER, {"timeout": timeout_s, "symbol": symbol})

    def _cancel(self, route: Route, body: Body) -> None:
        try:
            self._trading.send(route, body)
        except BrokerRejected as refusal:
            if refusal.code not in OVER_ALREADY:
                raise


def _order_id(route: Route, answer: Any) -> str:
    """BrokerUnknown for a success that names no order: it may exist."""
    try:
        return parse_orders.order_id(answer)
    except ParseError as fault:
        raise BrokerUnknown(f"{route.path}: a success without an order id: {fault}") from fault
