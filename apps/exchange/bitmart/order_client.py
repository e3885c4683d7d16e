"""Signed calls, each sent once: the slot, a connection, the signature, the caller's last check, the bytes."""

from __future__ import annotations

import json
import time
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any

import structlog

from apps.engine.ports.account import BrokerRateLimited, BrokerUnavailable
from apps.engine.values.errors import TradingError
from apps.exchange.bitmart import signing
from apps.exchange.bitmart.call_outcome import BLOCKED, TOO_MANY, outcome
from apps.exchange.bitmart.errors import OK
from apps.exchange.bitmart.read_client import ms_since, rate_headers
from apps.exchange.bitmart.signing import Credentials
from apps.exchange.transport.order_connection import OrderConnection
from apps.exchange.transport.rate import Route
from apps.exchange.transport.rate_limiter import Blocked, RateLimited, RateLimiter

log = structlog.get_logger("provider")

OPENING_WAIT_S = 0.5
"""An opening order whose slot is further away is not sent: what it was decided on would be old."""
GUARDING_WAIT_S = 5.0
"""What protects, cancels or closes may wait so long for its slot."""


class OrderClient:
    """Safe to share between threads: a call has a connection to itself while it lasts."""

    def __init__(self, base_url: str, limiter: RateLimiter, credentials: Credentials) -> None:
        self._base_url = base_url
        self._limiter = limiter
        self._credentials = credentials
        self._idle: deque[OrderConnection] = deque()

    def send(
        self,
        route: Route,
        body: Mapping[str, object],
        *,
        longest_wait_s: float = GUARDING_WAIT_S,
        before_sending: Callable[[], None] | None = None,
    ) -> Any:
        """Return the data of the success. What `before_sending` raises stops the call, unsent, and passes on.

        BrokerRateLimited or BrokerUnavailable: nothing was sent. BrokerRejected, BrokerUnknown: see the port.
        """
        try:
            self._limiter.wait_turn(route, longest_wait_s)
        except RateLimited as fault:
            raise BrokerRateLimited(str(fault)) from fault
        except Blocked as fault:
            raise BrokerUnavailable(str(fault)) from fault
        try:
            connection = self._idle.pop()
        except IndexError:
            connection = OrderConnection(self._base_url)
        try:
            connection.connect()
            # Signed before the last look: whoever is halted after it sends a signature that has grown old,
            # and the exchange refuses what would otherwise be a decision of long ago.
            text = json.dumps(body, separators=(",", ":"))
            headers = signing.headers(self._credentials, time.time_ns() // 1_000_000, text)
            if before_sending is not None:
                before_sending()
            return self._post(route, body, text, headers, connection)
        finally:
            self._idle.append(connection)

    def close(self) -> None:
        while self._idle:
            self._idle.pop().close()

    def _post(
        self,
        route: Route,
        body: Mapping[str, object],
        text: str,
        headers: Mapping[str, str],
        connection: OrderConnection,
    ) -> Any:
        call = log.bind(
            endpoint=route.path, symbol=body.get("symbol"), client_order_id=body.get("client_order_id")
        )
        started = time.perf_counter()
        try:
            status, answer_headers, answer = connection.post(route.path, text, headers)
            # what the exchange says about its limits holds for every process
            limit = rate_headers(dict(answer_headers.items()))
            if status == BLOCKED:
                self._limiter.block()
                log.critical("blocked_by_exchange", endpoint=route.path)
            elif status == TOO_MANY or limit.used_up:
                self._limiter.hold(route, limit.reset_s)
            data = outcome(route.path, status, answer)
        except TradingError as fault:
            call.warning("http_call", ms=ms_since(started), error=type(fault).__name__, message=str(fault))
            raise
        call.info("http_call", ms=ms_since(started), code=OK)
        return data
