"""What left the machine and what did not, against servers that end a call in every phase of it."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from apps.engine.ports.account import BrokerUnavailable, BrokerUnknown
from apps.exchange.transport import order_connection
from apps.exchange.transport.order_connection import OrderConnection

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"
Behaviour = Callable[[socket.socket], None]


class Server:
    """Accepts connections for ever; each is handed to `behaviour` in a thread of its own."""

    def __init__(self, behaviour: Behaviour) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._behaviour = behaviour
        self.connections = 0
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                peer, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self._serve, args=(peer,), daemon=True).start()

    def _serve(self, peer: socket.socket) -> None:
        with peer, contextlib.suppress(OSError):
            self._behaviour(peer)

    def close(self) -> None:
        self._listener.close()


Serve = Callable[[Behaviour], Server]


@pytest.fixture
def serve() -> Iterator[Serve]:
    servers: list[Server] = []

    def start(behaviour: Behaviour) -> Server:
        servers.append(Server(behaviour))
        return servers[-1]

    yield start
    for server in servers:
        server.close()


def answers(peer: socket.socket) -> None:
    while peer.recv(65536):
        peer.sendall(OK)


def answers_once(peer: socket.socket) -> None:
    peer.recv(65536)
    peer.sendall(OK)


def hangs_up(peer: socket.socket) -> None:
    peer.recv(65536)


def talks_nonsense(peer: socket.socket) -> None:
    peer.recv(65536)
    peer.sendall(b"what?\r\n\r\n")


def breaks_off(peer: socket.socket) -> None:
    peer.recv(65536)
    peer.sendall(OK[:-1])


def stays_silent(peer: socket.socket) -> None:
    while peer.recv(65536):
        pass


def post(connection: OrderConnection) -> tuple[int, bytes]:
    connection.connect()
    status, _, body = connection.post("/x", '{"a":1}', {})
    return status, body


def test_an_answer_has_its_status_and_body(serve: Serve) -> None:
    connection = OrderConnection(serve(answers).url)
    assert post(connection) == (200, b"{}")
    connection.close()


def test_calls_in_quick_succession_share_a_connection(serve: Serve) -> None:
    server = serve(answers)
    connection = OrderConnection(server.url)
    assert [post(connection) for _ in range(3)] == [(200, b"{}")] * 3
    assert server.connections == 1
    connection.close()


def test_a_connection_that_rested_is_made_anew(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(order_connection, "IDLE_S", 0.0)
    server = serve(answers)
    connection = OrderConnection(server.url)
    post(connection)
    post(connection)
    assert server.connections == 2
    connection.close()


def test_a_connection_the_other_end_closed_is_noticed_before_anything_is_sent(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(order_connection, "IDLE_S", 60.0)
    server = serve(answers_once)
    connection = OrderConnection(server.url)
    post(connection)
    deadline = time.monotonic() + 5
    while connection.is_fresh:
        assert time.monotonic() < deadline
        time.sleep(0.005)
    assert post(connection) == (200, b"{}")
    assert server.connections == 2
    connection.close()


def test_nobody_there_is_unavailable_and_nothing_was_sent() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        connection = OrderConnection(f"http://127.0.0.1:{unused.getsockname()[1]}")
        with pytest.raises(BrokerUnavailable, match="ConnectionRefusedError"):
            connection.connect()


def test_a_connection_that_is_never_accepted_is_unavailable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(order_connection, "CONNECT_S", 0.1)
    with socket.create_server(("127.0.0.1", 0), backlog=0) as full, contextlib.ExitStack() as stack:
        address = full.getsockname()
        for _ in range(3):  # nobody accepts: the queue is full after one or two
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(address)
        with pytest.raises(BrokerUnavailable, match="TimeoutError"):
            OrderConnection(f"http://127.0.0.1:{address[1]}").connect()


def test_a_certificate_nobody_signed_is_unavailable(serve: Serve) -> None:
    connection = OrderConnection(serve(talks_nonsense).url.replace("http:", "https:"))
    with pytest.raises(BrokerUnavailable, match="SSL"):
        connection.connect()


@pytest.mark.parametrize("behaviour", [hangs_up, talks_nonsense, breaks_off, stays_silent])
def test_whatever_ends_a_call_after_its_first_byte_leaves_it_unknown(
    serve: Serve, behaviour: Behaviour, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(order_connection, "READ_S", 0.1)
    connection = OrderConnection(serve(behaviour).url)
    with pytest.raises(BrokerUnknown, match="/x: no answer"):
        post(connection)
    connection.close()


def test_after_an_unknown_the_next_call_has_a_connection_of_its_own(serve: Serve) -> None:
    calls: list[int] = []

    def first_hangs_up(peer: socket.socket) -> None:
        calls.append(1)
        (hangs_up if len(calls) == 1 else answers)(peer)

    connection = OrderConnection(serve(first_hangs_up).url)
    with pytest.raises(BrokerUnknown):
        post(connection)
    assert post(connection) == (200, b"{}")
    connection.close()
