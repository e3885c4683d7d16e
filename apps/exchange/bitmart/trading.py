"""Signed calls, each sent once: the slot first, then a connection, the caller's last check, the bytes."""

from __future__ import annotations

import json
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.client import HTTPMessage
from typing import Any

import structlog

from apps.engine.ports import BrokerRateLimited, BrokerUnavailable
from apps.engine.values.errors import TradingError
from apps.exchange.bitmart import signing
from apps.exchange.bitmart.errors import BitMartError, RateLimited
from apps.exchange.bitmart.limits import Limits
from apps.exchange.bitmart.line import Line
from apps.exchange.bitmart.rate_headers import rate_headers
from apps.exchange.bitmart.routes import Route
from apps.exchange.bitmart.signing import Credentials
from apps.exchange.bitmart.verdict import BLOCKED, TOO_MANY, outcome

log = structlog.get_logger("provider")

OPENING_WAIT_S = 0.5
"""An opening order whose slot is further away is not sent: what it was decided on would be old."""
GUARDING_WAIT_S = 5.0
"""What protects, cancels or closes may wait so long for its slot."""


class Trading:
    """Safe to share between threads: a call has a connection to itself while it lasts."""

    def __init__(self, base_url: str, limits: Limits, credentials: Credentials) -> None:
        self._base_url = base_url
        self._limits = limits
        self._credentials = credentials
        self._idle: deque[Line] = deque()

    def send(
        self,
        route: Route,
        body: Mapping[str, object],
        *,
        longest_wait_s: float = GUARDING_WAIT_S,
        before_sending: Callable[[], None] | None = None,
    ) -> Any:
        """The data of the success. What `before_sending` raises stops the call, unsent, and passes on."""
        self._take_slot(route, longest_wait_s)
        with self._line() as line:
            line.connect()
            if before_sending is not None:
                before_sending()
            return self._send(route, body, line)

    def close(self) -> None:
        while self._idle:
            self._idle.pop().close()

    @contextmanager
    def _line(self) -> Iterator[Line]:
        try:
            line = self._idle.pop()
        except IndexError:
            line = Line(self._base_url)
        try:
            yield line
        finally:
            self._idle.append(line)

    def _take_slot(self, route: Route, longest_wait_s: float) -> None:
        try:
            self._limits.wait_turn(route, longest_wait_s)
        except RateLimited as fault:
            raise BrokerRateLimited(str(fault)) from fault
        except BitMartError as fault:
            raise BrokerUnavailable(str(fault)) from fault

    def _send(self, route: Route, body: Mapping[str, object], line: Line) -> Any:
        text = json.dumps(body, separators=(",", ":"))
        headers = signing.headers(self._credentials, time.time_ns() // 1_000_000, text)
        call = log.bind(
            endpoint=route.path, symbol=body.get("symbol"), client_order_id=body.get("client_order_id")
        )
        started = time.perf_counter()
        try:
            status, answered, answer = line.post(route.path, text, headers)
            self._heed(route, status, answered)
            data = outcome(route.path, status, answer)
        except TradingError as fault:
            call.warning("http_call", ms=_ms_since(started), error=type(fault).__name__, message=str(fault))
            raise
        call.info("http_call", ms=_ms_since(started), code=1000)
        return data

    def _heed(self, route: Route, status: int, answered: HTTPMessage) -> None:
        """What the exchange says about its limits holds for every process."""
        limit = rate_headers(dict(answered.items()))
        if status == BLOCKED:
            self._limits.block()
            log.critical("blocked_by_exchange", endpoint=route.path)
        elif status == TOO_MANY or limit.used_up:
            self._limits.hold(route, limit.reset_s)


def _ms_since(started: float) -> float:
    return round((time.perf_counter() - started) * 1000, 1)
