"""A tiny exchange on a real socket whose answers a test scripts; it knows nothing of the adapter."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

import uvicorn

Message = dict[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]


@dataclass(frozen=True)
class Response:
    body: bytes
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    delay_s: float = 0.0


def ok(data: Any, **headers: str) -> Response:
    return Response(
        json.dumps({"code": 1000, "message": "Ok", "trace": "t", "data": data}).encode(), 200, headers
    )


def refusal(code: int, status: int = 400, **headers: str) -> Response:
    body = {"code": code, "message": f"refusal {code}", "trace": "trace-of-refusal"}
    return Response(json.dumps(body).encode(), status, headers)


class Peer:
    """The exchange's end of one WebSocket, for use inside a script."""

    def __init__(self, receive: Receive, send: Send) -> None:
        self._receive = receive
        self._send = send

    async def heard(self) -> dict[str, Any]:
        """The client's next message; ConnectionError when it left."""
        message = await self._receive()
        if message["type"] != "websocket.receive":
            raise ConnectionError
        return dict(json.loads(message["text"]))

    async def say(self, message: Any) -> None:
        await self._send({"type": "websocket.send", "text": json.dumps(message)})

    async def say_bytes(self, frame: bytes) -> None:
        await self._send({"type": "websocket.send", "bytes": frame})

    async def close(self) -> None:
        await self._send({"type": "websocket.close", "code": 1001})

    async def topics(self, count: int, *, refuse: frozenset[str] = frozenset()) -> list[str]:
        """Acknowledge each topic until `count` have been asked for."""
        seen: list[str] = []
        while len(seen) < count:
            for topic in (await self.heard())["args"]:
                seen.append(topic)
                ack = {"action": "subscribe", "group": topic, "success": topic not in refuse}
                await self.say(ack | ({"error": f"group [{topic}] not exist"} if topic in refuse else {}))
        return seen


Script = Callable[[Peer, int], Awaitable[None]]
Answer = Response | Callable[[dict[str, str]], Response]


@dataclass(frozen=True)
class Posted:
    """One signed call as it arrived."""

    body: bytes
    headers: Mapping[str, str]

    @property
    def fields(self) -> dict[str, Any]:
        return dict(json.loads(self.body))


class Exchange:
    """`answers`: path → scripted responses, the last one repeats; `script` plays each WebSocket.

    An answer may be made from the query's parameters.
    """

    def __init__(self) -> None:
        self.answers: dict[str, list[Answer]] = {}
        self.script: Script | None = None
        self.asked: dict[str, list[dict[str, str]]] = defaultdict(list)
        self.keys: dict[str, str] = {}
        self.posted: dict[str, list[Posted]] = defaultdict(list)
        self.agents: set[str] = set()
        self.connections = 0
        self.urls: Counter[str] = Counter()
        self.port = 0

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def ws_url(self) -> str:
        return f"ws://127.0.0.1:{self.port}"

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            await self._http(scope, receive, send)
        elif scope["type"] == "websocket":
            await self._websocket(scope, receive, send)

    async def _http(self, scope: Message, receive: Receive, send: Send) -> None:
        heard = {name.decode(): value.decode() for name, value in scope["headers"]}
        self.agents.add(heard["user-agent"])
        self.keys[scope["path"]] = heard.get("x-bm-key", "")
        if scope["method"] == "POST":
            self.posted[scope["path"]].append(Posted(await _body(receive), heard))
        received = self.asked[scope["path"]]
        received.append(dict(parse_qsl(scope["query_string"].decode())))
        script = self.answers[scope["path"]]
        answer = script[min(len(received), len(script)) - 1]
        response = answer if isinstance(answer, Response) else answer(received[-1])
        await asyncio.sleep(response.delay_s)
        headers = [(name.encode(), value.encode()) for name, value in response.headers.items()]
        await send({"type": "http.response.start", "status": response.status, "headers": headers})
        await send({"type": "http.response.body", "body": response.body})

    async def _websocket(self, scope: Message, receive: Receive, send: Send) -> None:
        await receive()
        self.connections += 1
        self.urls[f"{scope['path']}?{scope['query_string'].decode()}"] += 1
        await send({"type": "websocket.accept"})
        assert self.script is not None
        try:
            await self.script(Peer(receive, send), self.connections)
        except (ConnectionError, OSError):
            return


async def _body(receive: Receive) -> bytes:
    body = b""
    while True:
        message = await receive()
        body += bytes(message.get("body", b""))
        if not message.get("more_body"):
            return body


@contextmanager
def running() -> Iterator[Exchange]:
    exchange = Exchange()
    listener = socket.socket(
        socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP
    )  # or asyncio waits for ACKs
    listener.bind(("127.0.0.1", 0))
    exchange.port = listener.getsockname()[1]
    config = uvicorn.Config(
        exchange,
        ws="wsproto",
        lifespan="off",
        log_config=None,
        access_log=False,
        timeout_graceful_shutdown=1,
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, args=([listener],), daemon=True)
    thread.start()
    deadline = time.monotonic() + 10
    while not server.started:
        assert time.monotonic() < deadline, "the scripted exchange did not start"
        time.sleep(0.005)
    try:
        yield exchange
    finally:
        server.should_exit = True
        thread.join(10)
        listener.close()
