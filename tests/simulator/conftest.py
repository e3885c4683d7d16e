"""The recorded market for tests: read once, standing still or moved by hand."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
import requests
import websocket

from apps.exchange.simulator.market.archive import Archive
from apps.exchange.simulator.market.state import State
from apps.exchange.simulator.server import Patience, running

STATE = State(date(2026, 11, 20))
NOON = datetime(2026, 11, 20, 12, 0, 30, tzinfo=UTC)


class Hand:
    """A clock moved by hand: it answers the same moment until it is moved."""

    def __init__(self, at: datetime) -> None:
        self.at = at

    def __call__(self) -> datetime:
        return self.at

    def move(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)


class Client:
    """A small client of the exchange under test."""

    def __init__(self, address: str, hand: Hand) -> None:
        self.address = address
        self.hand = hand
        self._sockets: list[websocket.WebSocket] = []

    def close(self) -> None:
        for socket in self._sockets:
            socket.shutdown()

    def get(self, path: str, **parameters: Any) -> requests.Response:
        return requests.get(self.address + path, params=parameters, timeout=30)

    def data(self, path: str, **parameters: Any) -> Any:
        answer = self.get(path, **parameters)
        assert answer.json()["code"] == 1000, answer.text
        return answer.json()["data"]

    def switch(self, **faults: Any) -> requests.Response:
        return requests.post(self.address + "/admin/faults", json=faults, timeout=30)

    def socket(self, *topics: str) -> websocket.WebSocket:
        """A connection on which `topics` are acknowledged and their first pushes read."""
        socket = self._connected("/api")
        if topics:
            socket.send(json.dumps({"action": "subscribe", "args": list(topics)}))
            expect(socket, 2 * len(topics))
        return socket

    def private_socket(self) -> websocket.WebSocket:
        return self._connected("/user")

    def _connected(self, path: str) -> websocket.WebSocket:
        address = self.address.replace("http", "ws") + path + "?protocol=1.1"
        socket = websocket.create_connection(address, timeout=30)
        self._sockets.append(socket)
        return socket


def expect(socket: websocket.WebSocket, count: int) -> list[Any]:
    """The next `count` messages."""
    return [json.loads(socket.recv()) for _ in range(count)]


@pytest.fixture(scope="session")
def archive() -> Archive:
    return Archive.open(STATE, symbols=20)


@pytest.fixture(scope="session")
def still_address(archive: Archive) -> Iterator[str]:
    with running(archive, clock=Hand(NOON), limits=False) as address:
        yield address


@pytest.fixture
def still(still_address: str) -> Iterator[Client]:
    """An exchange at noon and 30 seconds, for ever; no limits."""
    with contextlib.closing(Client(still_address, Hand(NOON))) as client:
        yield client


Serve = Callable[..., Client]


@pytest.fixture
def exchange(archive: Archive) -> Iterator[Serve]:
    """Start exchanges of one's own: serve(at=..., limits=..., patience=..., books=..., keys=...)."""
    with contextlib.ExitStack() as stack:

        def serve(
            at: datetime = NOON, *, limits: bool = False, patience: Patience | None = None, **more: Any
        ) -> Client:
            hand = Hand(at)
            address = stack.enter_context(
                running(archive, clock=hand, limits=limits, patience=patience, **more)
            )
            return stack.enter_context(contextlib.closing(Client(address, hand)))

        yield serve
