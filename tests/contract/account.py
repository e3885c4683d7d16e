"""A broker, its exchange, and hands on the exchange's clock, faults and books."""

from __future__ import annotations

import contextlib
import os
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import requests

from apps.exchange.bitmart.account_stream import AccountStream
from apps.exchange.bitmart.broker import Broker
from apps.exchange.bitmart.broker_reader import PATIENCE
from apps.exchange.bitmart.order_client import OrderClient
from apps.exchange.bitmart.read_client import ReadClient
from apps.exchange.bitmart.signing import Credentials
from apps.exchange.simulator.broker import Broker as Simulated
from apps.exchange.simulator.exchange import Exchange
from apps.exchange.simulator.market.archive import Archive
from apps.exchange.simulator.market.market import Market
from apps.exchange.simulator.server import PLAY_KEYS, running
from apps.exchange.transport.rate import Rate
from apps.exchange.transport.rate_limiter import RateLimiter
from tests.contract.conftest import TIMINGS

PLAY = Credentials(PLAY_KEYS[0].key, PLAY_KEYS[0].secret, PLAY_KEYS[0].memo)


class Ahead:
    """The exchange's clock: ours, and as far ahead as it was pushed (a signature bears 60 s)."""

    def __init__(self) -> None:
        self._by = timedelta()

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self._by

    def push(self, seconds: float) -> None:
        self._by += timedelta(seconds=seconds)


class Account:
    """One account of a local exchange, seen by the adapter."""

    def __init__(self, address: str, clock: Ahead, credentials: Credentials = PLAY) -> None:
        self.address = address
        self.clock = clock
        self.credentials = credentials
        limiter = RateLimiter(os.environ["REDIS_URL"], uuid.uuid4().hex, ceiling=Rate(100, 100.0))
        client = ReadClient(address, limiter, key=credentials.key, patience=PATIENCE)
        self.broker = Broker(client, OrderClient(address, limiter, credentials))
        self._streams: list[AccountStream] = []

    def streams(self) -> AccountStream:
        url = self.address.replace("http", "ws")
        self._streams.append(AccountStream(url, self.credentials, timings=TIMINGS))
        return self._streams[-1]

    def switch(self, **faults: Any) -> None:
        requests.post(f"{self.address}/admin/faults", json=faults, timeout=30).raise_for_status()

    def close(self) -> None:
        for stream in self._streams:
            stream.close()
        self.broker.close()


class Clocked(Simulated):
    """The broker in process, at the exchange's time whenever it is asked."""

    def __init__(self, floor: Exchange, clock: Ahead) -> None:
        self._clock = clock
        super().__init__(floor, clock())

    @property
    def now(self) -> datetime:
        return self._clock()

    @now.setter
    def now(self, at: datetime) -> None:
        """The clock says when it is."""


class InProcess:
    """The same account of the same exchange without a wire between."""

    def __init__(self, archive: Archive) -> None:
        self.clock = Ahead()
        floor = Exchange.open(Market(archive, seed=1), int(self.clock().timestamp() * 1000))
        self.broker = Clocked(floor, self.clock)


@contextlib.contextmanager
def opened(archive: Archive) -> Iterator[Account]:
    """With 1,000 USDT and nothing else."""
    clock = Ahead()
    with running(archive, clock=clock) as address, contextlib.closing(Account(address, clock)) as account:
        yield account
