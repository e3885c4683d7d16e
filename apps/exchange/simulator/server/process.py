"""Running the exchange: alone in a process, or in a thread beside a test."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import uvicorn
from uvicorn.protocols.websockets.wsproto_impl import WSProtocol
from wsproto.events import Ping

from apps.engine.values.errors import TradingError
from apps.exchange.simulator.exchange import Exchange
from apps.exchange.simulator.market.archive import Archive
from apps.exchange.simulator.market.market import Market
from apps.exchange.simulator.market.state import DEFAULT_SEED
from apps.exchange.simulator.server.app import Clock, SimulatorApp
from apps.exchange.simulator.server.connection import PING_FRAME, Patience
from apps.exchange.simulator.server.private.keys import PLAY_KEYS, Key

START_S = 10
LAST_WORDS_S = 1
"""How long open connections may take to end at a stop."""


class AddressTaken(TradingError):
    """The address cannot be listened on."""


def wall_clock() -> datetime:
    return datetime.now(UTC)


def listen(host: str, port: int) -> socket.socket:
    """A listening socket; port 0 takes a free one. Raises AddressTaken."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # Named TCP: asyncio answers at once only on sockets that say so, and waits 40 ms for an ACK on others.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(512)
    except OSError as fault:
        listener.close()
        raise AddressTaken(
            f"cannot listen on {host} port {port}: {fault.strerror}; end what uses it or take another --port"
        ) from fault
    return listener


def address_of(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def serve(
    exchange: Exchange, listener: socket.socket, *, limits: bool = True, keys: Sequence[Key] = PLAY_KEYS
) -> None:
    """Serve until SIGTERM or SIGINT, then end cleanly."""
    server = _server(SimulatorApp(exchange, wall_clock, limits=limits, patience=Patience(), keys=keys))

    async def serve_until_signalled() -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, setattr, server, "should_exit", True)
        await server.serve([listener])

    asyncio.run(serve_until_signalled())


@contextlib.contextmanager
def running(
    archive: Archive,
    port: int = 0,
    *,
    clock: Clock = wall_clock,
    limits: bool = True,
    seed: int = DEFAULT_SEED,
    patience: Patience | None = None,
    books: Path | None = None,
    balance: Decimal | None = None,
    keys: Sequence[Key] = PLAY_KEYS,
) -> Iterator[str]:
    """The exchange on loopback while the block runs; gives its address, e.g. http://127.0.0.1:40123.

    `books` is the file that keeps the account; without one it begins anew each time.
    """
    now_ms = int(clock().timestamp() * 1000)
    exchange = Exchange.open(Market(archive, seed), now_ms, path=books, balance=balance)
    app = SimulatorApp(exchange, clock, limits=limits, patience=patience or Patience(), keys=keys)
    server, listener = _server(app), listen("127.0.0.1", port)
    thread = threading.Thread(target=lambda: asyncio.run(server.serve([listener])), name="simulator")
    started = threading.Event()
    server.on_started = started.set
    thread.start()
    try:
        if not started.wait(START_S):
            raise TimeoutError(f"the simulator did not start within {START_S} s")
        yield address_of(listener)
    finally:
        server.should_exit = True
        thread.join()
        listener.close()
        exchange.close()


class _Server(uvicorn.Server):
    """Uvicorn that says when it serves, and leaves signals to us."""

    on_started: Callable[[], None] = staticmethod(lambda: None)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.on_started()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


class _PingAware(WSProtocol):
    """Tells the application about ping frames, which uvicorn answers by itself: they are signs of life."""

    def handle_ping(self, event: Ping) -> None:
        super().handle_ping(event)
        self.queue.put_nowait({"type": PING_FRAME})  # type: ignore[typeddict-item]  # our own message, see connection.py


def _server(app: SimulatorApp) -> _Server:
    return _Server(
        uvicorn.Config(
            app,
            ws=_PingAware,
            ws_ping_interval=None,
            ws_per_message_deflate=False,
            lifespan="on",
            log_config=None,
            log_level="warning",
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=LAST_WORDS_S,
        )
    )
