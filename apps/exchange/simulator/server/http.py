"""Answering one HTTP request: faults first, then limits, then the route, then the faults of answers."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any
from urllib.parse import parse_qsl

from apps.exchange.simulator.codes import REFUSALS, Code, Refused
from apps.exchange.simulator.server.faults import Faults
from apps.exchange.simulator.server.limits import Limits
from apps.exchange.simulator.server.private.api import KEYED, SIGNED, PrivateApi, Request
from apps.exchange.simulator.server.routes import ROUTES, Call
from apps.exchange.simulator.server.views import refusal_body, success_body

JSON: Headers = [(b"content-type", b"application/json")]
HTML: Headers = [(b"content-type", b"text/html; charset=UTF-8")]
MAINTENANCE = b"<html><head><title>503 Service Temporarily Unavailable</title></head><body>503</body></html>"
UNKNOWN = "unknown path"
MAX_BODY = 65_536
HELD_NAP_S = 0.01

CallAt = Callable[[dict[str, str]], Call]


class Rest:
    """The exchange's REST side."""

    def __init__(self, faults: Faults, desk: PrivateApi, call_at: CallAt, *, enforce_limits: bool) -> None:
        self._faults = faults
        self._desk = desk
        self._call_at = call_at
        self._enforce = enforce_limits
        self._limits = Limits()

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        request = await _read(scope, receive)
        latency_ms = self._faults.latency_ms + self._faults.route_latency_ms.get(request.path, 0)
        if latency_ms:
            await asyncio.sleep(latency_ms / 1000)
        known = request.path in ROUTES or request.path in KEYED or request.path in SIGNED
        admission = self._limits.admit(
            scope["client"][0],
            request.path if known else UNKNOWN,
            asyncio.get_running_loop().time(),
            key=request.headers.get("x-bm-key", ""),
            enforced=self._enforce and self._faults.limits,
        )
        if self._faults.take("answer_503"):
            await respond(send, 503, HTML + admission.headers, MAINTENANCE)
            return
        status, body = self._answer(request, admission.refusal or self._faulty_refusal())
        await self._hold(request.path)
        if self._faults.take_of("drop_answers", request.path):
            await _until_given_up(receive)
            return
        await respond(send, status, JSON + admission.headers, body)

    def _faulty_refusal(self) -> Code | None:
        if self._faults.take("answer_429"):
            return Code.TOO_MANY
        return Code.BLOCKED if self._faults.take("answer_418") else None

    def _answer(self, request: Request, refusal: Code | None) -> tuple[int, bytes]:
        try:
            if refusal:
                raise Refused(refusal)
            if request.path in {"GET": KEYED, "POST": SIGNED}.get(request.method, {}):
                return 200, success_body(self._desk.answer(request))
            if request.method != "GET" or request.path not in ROUTES:
                raise Refused(Code.NOT_FOUND)
            query = dict(parse_qsl(request.query, keep_blank_values=True))
            return 200, success_body(ROUTES[request.path](self._call_at(query)))
        except Refused as fault:
            return REFUSALS[fault.code][0], refusal_body(fault.code)

    async def _hold(self, path: str) -> None:
        loop = asyncio.get_running_loop()
        until = loop.time() + self._faults.hold_answer_s.get(path, 0)
        while path in self._faults.hold_answer_s and loop.time() < until:
            await asyncio.sleep(HELD_NAP_S)


async def _read(scope: Message, receive: Receive) -> Request:
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
    body = await read_body(receive, MAX_BODY) if scope["method"] == "POST" else b""
    return Request(scope["method"], scope["path"], scope["query_string"].decode("latin-1"), headers, body)


async def _until_given_up(receive: Receive) -> None:
    """Say nothing until the client hangs up."""
    while (await receive())["type"] != "http.disconnect":
        pass


Headers = list[tuple[bytes, bytes]]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Asgi = Callable[[Message, Receive, Send], Awaitable[None]]


async def respond(send: Send, status: int, headers: Headers, body: bytes) -> None:
    headers = [*headers, (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def read_body(receive: Receive, most: int) -> bytes:
    """The request's body, cut after `most` bytes."""
    body = b""
    more = True
    while more and len(body) <= most:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    return body
