"""Reads over HTTP: waits its turn, retries what can heal, logs what fails or is slow, nothing secret."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import requests
import structlog
from requests.adapters import HTTPAdapter

from apps.exchange.bitmart import parse_market
from apps.exchange.bitmart.errors import OK, BitMartError, error_for, open_envelope
from apps.exchange.bitmart.routes import PRIVATE_PATHS, SERVER_TIME
from apps.exchange.transport import USER_AGENT
from apps.exchange.transport.clock import ClockReading
from apps.exchange.transport.rate import Route
from apps.exchange.transport.rate_limiter import RateLimiter
from apps.exchange.transport.retry import Patience, read_patiently

log = structlog.get_logger("provider")

LOOPBACK = ("127.0.0.1", "localhost", "::1")
THREADS = 16
SLOW_MS = 1000.0
"""A read that takes longer is told; others only to who listens at DEBUG, failures always."""
DEFAULT_RESET_S = 2.0


@dataclass(frozen=True, slots=True)
class Answer:
    """The data of a success, and our clock (Unix ms) when the request left and when the answer was here."""

    data: Any
    sent_at_ms: float
    received_at_ms: float


class ReadClient:
    """Safe to share between threads. `base_url` has no path; `key` is the API key private reads show."""

    def __init__(
        self,
        base_url: str,
        limiter: RateLimiter,
        *,
        key: str = "",
        patience: Patience | None = None,
        sleep: Callable[[float], object] = time.sleep,
    ) -> None:
        self._base_url = base_url.rstrip("/")
        self._limiter = limiter
        self._key = key
        self._patience = patience or Patience()
        self._sleep = sleep
        self._session = requests.Session()
        self._session.headers["User-Agent"] = USER_AGENT
        # a proxy cannot reach our loopback
        self._session.trust_env = urlsplit(base_url).hostname not in LOOPBACK
        self._session.mount("https://", HTTPAdapter(pool_connections=1, pool_maxsize=THREADS))
        self._session.mount("http://", HTTPAdapter(pool_connections=1, pool_maxsize=THREADS))

    def read(self, route: Route, params: Mapping[str, str | int] | None = None) -> Answer:
        """Return one answer of a GET route. Raises the last BitMartError when the attempts are used up."""

        def once() -> Answer:
            return self._read_once(route, params or {})

        return read_patiently(once, route, self._limiter, self._patience, sleep=self._sleep)

    def read_clock(self) -> ClockReading:
        answer = self.read(SERVER_TIME)
        server_ms = parse_market.server_time_ms(answer.data)
        return ClockReading(server_ms, answer.sent_at_ms, answer.received_at_ms)

    def close(self) -> None:
        self._session.close()
        self._limiter.close()

    def _read_once(self, route: Route, params: Mapping[str, str | int]) -> Answer:
        call = log.bind(endpoint=route.path, symbol=params.get("symbol"))
        sent_at, started = time.time(), time.perf_counter()
        try:
            try:
                response = self._session.get(
                    self._base_url + route.path,
                    params=params,
                    headers={"X-BM-KEY": self._key} if route.path.startswith(PRIVATE_PATHS) else None,
                    timeout=(self._patience.connect_s, self._patience.read_s),
                    allow_redirects=False,
                )
            except requests.RequestException as fault:
                raise error_for(route.path, 0, message=f"no answer: {type(fault).__name__}") from fault
            headers = rate_headers(response.headers)
            if response.status_code == 429 or headers.used_up:
                self._limiter.hold(route, headers.reset_s)
            envelope = open_envelope(route.path, response.status_code, response.content)
        except BitMartError as fault:
            call.warning(
                "http_call",
                ms=ms_since(started),
                error=type(fault).__name__,
                code=fault.code,
                status=fault.status,
                trace=fault.trace,
            )
            raise
        elapsed_ms = ms_since(started)
        write = call.info if elapsed_ms >= SLOW_MS else call.debug
        write(
            "http_call",
            ms=elapsed_ms,
            code=OK,
            trace=envelope.trace,
            used=headers.used,
            limit=headers.limit,
        )
        return Answer(envelope.data, sent_at * 1000, sent_at * 1000 + elapsed_ms)


@dataclass(frozen=True, slots=True)
class RateHeaders:
    """Calls used and allowed in the window, None where not sent; `reset_s` is the window's length."""

    used: int | None
    limit: int | None
    reset_s: float

    @property
    def used_up(self) -> bool:
        """Nothing may be sent before the window ends, whatever our own count says."""
        return self.used is not None and self.limit is not None and self.used >= self.limit > 0


def rate_headers(headers: Mapping[str, str]) -> RateHeaders:
    """Return what an answer says about its limit. `Remaining` counts the requests used, despite its name."""

    def whole(name: str) -> int | None:
        text = headers.get(f"X-BM-RateLimit-{name}")
        return int(text) if text is not None and text.isascii() and text.isdigit() else None

    return RateHeaders(whole("Remaining"), whole("Limit"), float(whole("Reset") or DEFAULT_RESET_S))


def ms_since(started: float) -> float:
    """Return the milliseconds since `started`, a moment of time.perf_counter."""
    return round((time.perf_counter() - started) * 1000, 1)
