from __future__ import annotations

import os
import time
import uuid
from collections.abc import Iterator

import pytest

from apps.exchange.bitmart.broker import Broker
from apps.exchange.bitmart.order_client import OrderClient
from apps.exchange.bitmart.read_client import ReadClient
from apps.exchange.bitmart.signing import Credentials
from apps.exchange.transport.rate import Rate
from apps.exchange.transport.rate_limiter import RateLimiter
from apps.exchange.transport.retry import Patience
from tests.bitmart.scripted_exchange import Exchange, ok, running

WIDE = Rate(1000, 1000.0)
"""A ceiling nobody meets."""
CREDENTIALS = Credentials("our-key", "our-secret", "our-memo")


@pytest.fixture(scope="module")
def server() -> Iterator[Exchange]:
    with running() as exchange:
        yield exchange


@pytest.fixture
def exchange(server: Exchange) -> Exchange:
    """The module's exchange with its memory wiped."""
    port = server.port
    server.__init__()  # type: ignore[misc]  # the running server holds this very object
    server.port = port
    return server


@pytest.fixture
def redis_url() -> str:
    return os.environ["REDIS_URL"]


@pytest.fixture
def limiter(redis_url: str) -> Iterator[RateLimiter]:
    """A turnstile of its own, on the real server."""
    rate_limiter = RateLimiter(redis_url, uuid.uuid4().hex, ceiling=WIDE)
    yield rate_limiter
    rate_limiter.close()


@pytest.fixture
def client(exchange: Exchange, limiter: RateLimiter) -> Iterator[ReadClient]:
    patience = Patience(connect_s=0.5, read_s=0.3, limited_s=(0.02, 0.04), unavailable_s=(0.01, 0.02, 0.03))
    read_client = ReadClient(exchange.base_url, limiter, patience=patience)
    yield read_client
    read_client.close()


@pytest.fixture
def broker(exchange: Exchange, limiter: RateLimiter) -> Iterator[Broker]:
    patience = Patience(turn_s=5.0, connect_s=0.5, read_s=0.5, limited_s=(), unavailable_s=(0.01,))
    client = ReadClient(exchange.base_url, limiter, key=CREDENTIALS.key, patience=patience)
    exchange.answers["/system/time"] = [lambda _: ok({"server_time": time.time_ns() // 1_000_000})]
    adapter = Broker(client, OrderClient(exchange.base_url, limiter, CREDENTIALS))
    yield adapter
    adapter.close()
