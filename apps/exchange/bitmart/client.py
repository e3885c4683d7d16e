"""Reads over HTTP: waits its turn, retries what can heal, logs what fails or is slow, nothing secret."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import requests
import structlog
from requests.adapters import HTTPAdapter

from apps.exchange.bitmart.envelope import Envelope, opened
from apps.exchange.bitmart.errors import BitMartError, Blocked, RateLimited, error_for
from apps.exchange.bitmart.limits import LONGEST_WAIT_S, Limits
from apps.exchange.bitmart.rate_headers import RateHeaders, rate_headers
from apps.exchange.bitmart.routes import Route

log = structlog.get_logger("provider")

USER_AGENT = "TradingV3/0.1"
"""Any name of our own: the proxy in front of the exchange refuses those of HTTP libraries."""
LOOPBACK = ("127.0.0.1", "localhost", "::1")
THREADS = 16
SLOW_MS = 1000.0
"""A read that takes longer is told; others only to who listens at DEBUG, failures always."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a read waits for its turn and its answer, and before each further attempt (before jitter)."""

    turn_s: float = LONGEST_WAIT_S
    connect_s: float = 3.0
    read_s: float = 10.0
    limited_s: tuple[float, ...] = (2, 4, 8, 16, 32)
    unavailable_s: tuple[float, ...] = (0.5, 1, 2, 4)


@dataclass(frozen=True, slots=True)
class Answer:
    """The data of a success, and our clock (Unix ms) when the request left and when the answer was here."""

    data: Any
    sent_at_ms: float
    received_at_ms: float


class Client:
    """Safe to share between threads. `base_url` has no path; `key` is the API key private reads show."""

    def __init__(
        self,
        base_url: str,
        limits: Limits,
        *,
        key: str = "",
        patience: Patience | None = None,
        sleep: Callable[[float], object] = time.sleep,
    ) -> None:
        self._base_url = base_url.rstrip("/")
        self._limits = limits
        self._keyed = {"X-BM-KEY": key}
        self._patience = patience or Patience()
        self._sleep = sleep
        self._session = _session(self._base_url)

    def read(self, route: Route, params: Mapping[str, str | int] | None = None) -> Answer:
        """One answer of a GET route. Raises the last BitMartError when the attempts are used up."""
        failures: dict[bool, int] = {True: 0, False: 0}
        while True:
            self._limits.wait_turn(route, self._patience.turn_s)
            try:
                return self._once(route, params or {})
            except BitMartError as fault:
                limited = isinstance(fault, RateLimited)
                if not self._wait_after(route, fault, failures[limited]):
                    raise
                failures[limited] += 1

    def close(self) -> None:
        self._session.close()
        self._limits.close()

    def _wait_after(self, route: Route, fault: BitMartError, failures: int) -> bool:
        """Wait before the next attempt; False when there shall be none."""
        if isinstance(fault, Blocked):
            self._limits.block()
            log.critical("blocked_by_exchange", endpoint=route.path, remedy=fault.remedy)
            return False
        limited = isinstance(fault, RateLimited)
        steps = self._patience.limited_s if limited else self._patience.unavailable_s
        if not fault.retryable or failures >= len(steps):
            return False
        pause_s = steps[failures] * random.uniform(0.5, 1.0)  # noqa: S311 - spreads retries, guards nothing
        if limited:
            self._limits.hold(route, pause_s)  # the next turn comes after it, for every process
        else:
            self._sleep(pause_s)
        return True

    def _once(self, route: Route, params: Mapping[str, str | int]) -> Answer:
        call = {"endpoint": route.path, "symbol": params.get("symbol")}
        sent_at, started = time.time(), time.perf_counter()
        try:
            envelope, headers = self._exchange(route, params)
        except BitMartError as fault:
            kind = type(fault).__name__
            log.warning(
                "http_call",
                **call,
                ms=_ms_since(started),
                error=kind,
                code=fault.code,
                status=fault.status,
                trace=fault.trace,
            )
            raise
        elapsed_ms = _ms_since(started)
        tell = log.info if elapsed_ms >= SLOW_MS else log.debug
        tell(
            "http_call",
            **call,
            ms=elapsed_ms,
            code=1000,
            trace=envelope.trace,
            used=headers.used,
            limit=headers.limit,
        )
        return Answer(envelope.data, sent_at * 1000, sent_at * 1000 + elapsed_ms)

    def _exchange(self, route: Route, params: Mapping[str, str | int]) -> tuple[Envelope, RateHeaders]:
        timeout = (self._patience.connect_s, self._patience.read_s)
        try:
            response = self._session.get(
                self._base_url + route.path,
                params=params,
                headers=self._keyed if route.keyed else None,
                timeout=timeout,
                allow_redirects=False,
            )
        except requests.RequestException as fault:
            raise error_for(route.path, 0, message=f"no answer: {type(fault).__name__}") from fault
        headers = rate_headers(response.headers)
        if response.status_code == 429 or headers.used_up:
            self._limits.hold(route, headers.reset_s)
        return opened(route.path, response.status_code, response.content), headers


def _session(base_url: str) -> requests.Session:
    session = requests.Session()
    session.headers["User-Agent"] = USER_AGENT
    session.trust_env = urlsplit(base_url).hostname not in LOOPBACK  # a proxy cannot reach our loopback
    adapter = HTTPAdapter(pool_connections=1, pool_maxsize=THREADS)
    session.mount("https://", adapter)
    session.mount("http://", adapter)
    return session


def _ms_since(started: float) -> float:
    return round((time.perf_counter() - started) * 1000, 1)
