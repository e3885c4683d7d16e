"""The exchange as one ASGI application: REST, the two WebSockets, and the side doors."""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta

from apps.exchange.simulator.exchange import Exchange
from apps.exchange.simulator.market.path import moment
from apps.exchange.simulator.server import admin
from apps.exchange.simulator.server.asgi import Message, Receive, Send
from apps.exchange.simulator.server.connection import Connection, Patience
from apps.exchange.simulator.server.faults import Faults
from apps.exchange.simulator.server.http import Rest
from apps.exchange.simulator.server.hub import Hub
from apps.exchange.simulator.server.private.connection import UserConnection
from apps.exchange.simulator.server.private.desk import Desk
from apps.exchange.simulator.server.private.hub import UserHub
from apps.exchange.simulator.server.private.keys import Key
from apps.exchange.simulator.server.pushes import Pushes
from apps.exchange.simulator.server.routes import Call
from apps.exchange.simulator.server.views import Views

PUBLIC_PATH, PRIVATE_PATH = "/api", "/user"
MAX_CONNECTIONS = 500
"""WebSockets from one address."""

Clock = Callable[[], datetime]


class SimulatorApp:
    """Serves one market and one account that trades on it.

    `clock` answers aware UTC datetimes; limits and patience count real time.
    """

    def __init__(
        self, floor: Exchange, clock: Clock, *, limits: bool, patience: Patience, keys: Iterable[Key]
    ) -> None:
        market = floor.market
        self._clock = clock
        self._patience = patience
        self._symbols = frozenset(market.symbols)
        self._faults = Faults()
        self._views = Views(market)
        self._hub = Hub(Pushes(self._views, self._faults), self._faults, self.now)
        self._keys = {each.key: each for each in keys}
        self._user_hub = UserHub(self._faults)
        self._desk = Desk(floor, self._faults, self._keys, self._user_hub, self.now)
        self._hub.on_tick = self._desk.play
        self._rest = Rest(self._faults, self._desk, self._call_at, enforce_limits=limits)
        self._connections: Counter[str] = Counter()

    def now(self) -> datetime:
        return self._clock() + timedelta(milliseconds=self._faults.clock_skew_ms)

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        elif scope["type"] == "websocket":
            await self._talk(scope, receive, send)
        elif admin.is_side_door(scope):
            hubs = {"ws": self._hub, "user": self._user_hub}
            await admin.answer(scope, receive, send, self._faults, hubs, self._desk)
        else:
            await self._rest(scope, receive, send)

    def _call_at(self, query: dict[str, str]) -> Call:
        now = self.now()
        return Call(query, self._views, self._faults, moment(now), int(now.timestamp() * 1000))

    async def _live(self, receive: Receive, send: Send) -> None:
        await receive()
        pump = asyncio.create_task(self._hub.run())
        await send({"type": "lifespan.startup.complete"})
        await receive()
        pump.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await pump
        await send({"type": "lifespan.shutdown.complete"})

    async def _talk(self, scope: Message, receive: Receive, send: Send) -> None:
        address = scope["client"][0]
        await receive()
        if scope["path"] not in (PUBLIC_PATH, PRIVATE_PATH) or self._connections[address] >= MAX_CONNECTIONS:
            await send({"type": "websocket.close", "code": 1008})
            return
        await send({"type": "websocket.accept"})
        self._connections[address] += 1
        try:
            await self._connection(scope["path"]).serve(receive, send)
        finally:
            self._connections[address] -= 1

    def _connection(self, path: str) -> Connection:
        if path == PRIVATE_PATH:
            return UserConnection(self._user_hub, self._patience, self._keys, self.now)
        return Connection(self._hub, self._symbols, self._patience)
