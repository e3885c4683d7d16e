"""The adapter here, the local exchange there, real sockets between them, its clock moved by hand."""

from __future__ import annotations

import contextlib
import os
import uuid
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
import requests

from apps.exchange.bitmart.candle_stream import CandleStream
from apps.exchange.bitmart.history import History
from apps.exchange.bitmart.quote_stream import QuoteStream
from apps.exchange.bitmart.read_client import ReadClient
from apps.exchange.simulator.market.archive import Archive
from apps.exchange.simulator.market.state import State
from apps.exchange.simulator.server import running
from apps.exchange.transport.clock import ServerClock
from apps.exchange.transport.rate import Rate
from apps.exchange.transport.rate_limiter import RateLimiter
from apps.exchange.transport.retry import Patience
from apps.exchange.transport.websocket_session import Timings

NOON = datetime(2026, 11, 20, 12, 0, 30, tzinfo=UTC)
PATIENCE = Patience(limited_s=(), unavailable_s=(0.01, 0.02))
"""A single 429 is a fault here: the adapter's own limiter must have prevented it."""
TIMINGS = Timings(tick_s=0.01, ping_s=0.2, silent_s=0.6, ack_s=0.3, first_pause_s=0.02, longest_pause_s=0.1)


class Venue:
    """The adapter's public ports, and the hands on the exchange's clock and fault switches."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.limiter = RateLimiter(os.environ["REDIS_URL"], uuid.uuid4().hex, ceiling=Rate(5, 10.0))
        self.client = ReadClient(address, self.limiter, patience=PATIENCE)
        self.history = History(self.client)
        self._streams: list[CandleStream | QuoteStream] = []

    def streams(self) -> CandleStream:
        address = self.address.replace("http", "ws")
        stream = CandleStream(address, self.history.contract_size, timings=TIMINGS)
        self._streams.append(stream)
        return stream

    def quote_streams(self) -> QuoteStream:
        clock = ServerClock(self.client.read_clock)
        stream = QuoteStream(self.address.replace("http", "ws"), clock.at_least, timings=TIMINGS)
        self._streams.append(stream)
        return stream

    def switch(self, **faults: Any) -> None:
        requests.post(f"{self.address}/admin/faults", json=faults, timeout=30).raise_for_status()

    def close(self) -> None:
        for each in self._streams:
            each.close()
        self.client.close()


class Hand:
    """The exchange's clock: stands still until it is moved."""

    def __init__(self, at: datetime) -> None:
        self.at = at

    def __call__(self) -> datetime:
        return self.at

    def move(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)


@pytest.fixture(scope="session")
def archive() -> Archive:
    return Archive.open(State(date(2026, 11, 20)), symbols=16)


@pytest.fixture
def hand() -> Hand:
    return Hand(NOON)


@pytest.fixture
def venue(archive: Archive, hand: Hand) -> Iterator[Venue]:
    with running(archive, clock=hand) as address, contextlib.closing(Venue(address)) as opened_venue:
        yield opened_venue
