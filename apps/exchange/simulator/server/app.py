"""The exchange as one ASGI application: REST, the two WebSockets, and the side doors."""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

from apps.exchange.simulator.account.journal import row_fields
from apps.exchange.simulator.exchange import Exchange
from apps.exchange.simulator.market.path import moment
from apps.exchange.simulator.server.connection import Connection, Patience, UserConnection
from apps.exchange.simulator.server.faults import BadFault, Faults
from apps.exchange.simulator.server.http import Headers, Message, Receive, Rest, Send, read_body, respond
from apps.exchange.simulator.server.hub import Audience, Hub, UserHub
from apps.exchange.simulator.server.private.api import PrivateApi
from apps.exchange.simulator.server.private.keys import Key
from apps.exchange.simulator.server.pushes import Pushes
from apps.exchange.simulator.server.routes import Call
from apps.exchange.simulator.server.views import Views, compact

PUBLIC_PATH, PRIVATE_PATH = "/api", "/user"
MAX_CONNECTIONS = 500
"""WebSockets from one address."""

Clock = Callable[[], datetime]


class SimulatorApp:
    """Serves one market and one account that trades on it.

    `clock` answers aware UTC datetimes; limits and patience count real time.
    """

    def __init__(
        self, exchange: Exchange, clock: Clock, *, limits: bool, patience: Patience, keys: Iterable[Key]
    ) -> None:
        market = exchange.market
        self._clock = clock
        self._patience = patience
        self._symbols = frozenset(market.symbols)
        self._faults = Faults()
        self._views = Views(market)
        self._hub = Hub(Pushes(self._views, self._faults), self._faults, self.now)
        self._keys = {each.key: each for each in keys}
        self._user_hub = UserHub(self._faults)
        self._private_api = PrivateApi(exchange, self._faults, self._keys, self._user_hub, self.now)
        self._hub.on_tick = self._private_api.play
        self._rest = Rest(self._faults, self._private_api, self._call_at, enforce_limits=limits)
        self._connections: Counter[str] = Counter()

    def now(self) -> datetime:
        return self._clock() + timedelta(milliseconds=self._faults.clock_skew_ms)

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._run_lifespan(receive, send)
        elif scope["type"] == "websocket":
            await self._serve_websocket(scope, receive, send)
        elif is_side_door(scope):
            hubs = {"ws": self._hub, "user": self._user_hub}
            await answer_side_door(scope, receive, send, self._faults, hubs, self._private_api)
        else:
            await self._rest(scope, receive, send)

    def _call_at(self, query: dict[str, str]) -> Call:
        now = self.now()
        return Call(query, self._views, self._faults, moment(now), int(now.timestamp() * 1000))

    async def _run_lifespan(self, receive: Receive, send: Send) -> None:
        await receive()
        pump = asyncio.create_task(self._hub.run())
        await send({"type": "lifespan.startup.complete"})
        await receive()
        pump.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await pump
        await send({"type": "lifespan.shutdown.complete"})

    async def _serve_websocket(self, scope: Message, receive: Receive, send: Send) -> None:
        address = scope["client"][0]
        await receive()
        if scope["path"] not in (PUBLIC_PATH, PRIVATE_PATH) or self._connections[address] >= MAX_CONNECTIONS:
            await send({"type": "websocket.close", "code": 1008})
            return
        await send({"type": "websocket.accept"})
        connection: Connection
        if scope["path"] == PRIVATE_PATH:
            connection = UserConnection(self._user_hub, self._patience, self._keys, self.now)
        else:
            connection = Connection(self._hub, self._symbols, self._patience)
        self._connections[address] += 1
        try:
            await connection.serve(receive, send)
        finally:
            self._connections[address] -= 1


HEALTH, FAULTS, BOOKS = "/healthz", "/admin/faults", "/admin/books"
MAX_BODY = 65_536
JSON: Headers = [(b"content-type", b"application/json")]


def is_side_door(scope: Message) -> bool:
    """Whether the request is for one of them. From another machine only the health does."""
    path = scope["path"]
    if path in (FAULTS, BOOKS):
        return ipaddress.ip_address(scope["client"][0]).is_loopback
    return bool(path == HEALTH)


async def answer_side_door(
    scope: Message,
    receive: Receive,
    send: Send,
    faults: Faults,
    hubs: Mapping[str, Audience],
    private_api: PrivateApi,
) -> None:
    """`hubs` by the prefix of their fault switches."""
    if scope["path"] == BOOKS:
        private_api.play()
        await respond(send, 200, JSON, compact(account_json(private_api.exchange)).encode())
        return
    if scope["path"] == HEALTH:
        await respond(send, 200, JSON, b'{"status":"ok"}')
        return
    status, body = 200, ""
    if scope["method"] == "POST":
        try:
            wanted = json.loads(await read_body(receive, MAX_BODY))
            if not isinstance(wanted, dict):
                raise BadFault("a JSON object of fault names and values is wanted")
            faults.switch(wanted)
        except ValueError as fault:
            status, body = 400, compact({"error": str(fault)})
        for prefix, hub in hubs.items():
            if getattr(faults, f"{prefix}_drop"):
                setattr(faults, f"{prefix}_drop", False)
                hub.drop_all()
    elif scope["method"] != "GET":
        status, body = 405, compact({"error": "GET shows the faults, POST switches them"})
    await respond(send, status, JSON, (body or compact(asdict(faults))).encode())


def account_json(exchange: Exchange) -> dict[str, Any]:
    """Return the whole account, the exchange's own truth: rows as account/rows.py names them.

    Decimals are text. Orders and plans that are over too.
    """
    account = exchange.account
    return {
        "position_mode": account.wallet.position_mode,
        "balance": {
            "wallet": str(account.wallet.cash),
            "available": str(account.available),
            "frozen": str(account.frozen),
            "deposit": str(account.deposit),
        },
        "orders": [row_fields(row) for row in account.orders.values()],
        "fills": [row_fields(row) for row in account.trades.values()],
        "positions": [row_fields(row) for row in account.open_positions()],
        "protections": [row_fields(row) for row in account.live_plans() if row.protects],
        "plans": [row_fields(row) for row in account.plans.values()],
        "contracts": [row_fields(row) for row in account.contracts.values()],
        "ledger": [row_fields(row) for row in account.ledger_lines.values()],
    }
