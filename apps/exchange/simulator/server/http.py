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

    def __init__(
        self, faults: Faults, private_api: PrivateApi, call_at: CallAt, *, enforce_limits: bool
    ) -> None:
        self._faults = faults
        self._private_api = private_api
        self._call_at = call_at
        self._enforce = enforce_limits
        self._limits = Limits()

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        request = Request(
            method=scope["method"],
            path=scope["path"],
            query=scope["query_string"].decode("latin-1"),
            headers={name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]},
            body=await read_body(receive, MAX_BODY) if scope["method"] == "POST" else b"",
        )
        latency_ms = self._faults.latency_ms + self._faults.route_latency_ms.get(request.path, 0)
        if latency_ms:
            await asyncio.sleep(latency_ms / 1000)
        loop = asyncio.get_running_loop()
        is_route = request.path in ROUTES or request.path in KEYED or request.path in SIGNED
        admission = self._limits.admit(
            scope["client"][0],
            request.path if is_route else UNKNOWN,
            loop.time(),
            key=request.headers.get("x-bm-key", ""),
            enforced=self._enforce and self._faults.limits,
        )
        if self._faults.take("answer_503"):
            await respond(send, 503, HTML + admission.headers, MAINTENANCE)
            return
        refusal = admission.refusal
        if refusal is None and self._faults.take("answer_429"):
            refusal = Code.TOO_MANY
        if refusal is None and self._faults.take("answer_418"):
            refusal = Code.BLOCKED
        status, body = self._answer(request, refusal)
        held_until = loop.time() + self._faults.hold_answer_s.get(request.path, 0)
        while request.path in self._faults.hold_answer_s and loop.time() < held_until:
            await asyncio.sleep(HELD_NAP_S)
        if self._faults.take_of("drop_answers", request.path):
            while (await receive())["type"] != "http.disconnect":
                pass  # say nothing until the client hangs up
            return
        await respond(send, status, JSON + admission.headers, body)

    def _answer(self, request: Request, refusal: Code | None) -> tuple[int, bytes]:
        try:
            if refusal:
                raise Refused(refusal)
            if request.path in {"GET": KEYED, "POST": SIGNED}.get(request.method, {}):
                return 200, success_body(self._private_api.answer(request))
            if request.method != "GET" or request.path not in ROUTES:
                raise Refused(Code.NOT_FOUND)
            query = dict(parse_qsl(request.query, keep_blank_values=True))
            return 200, success_body(ROUTES[request.path](self._call_at(query)))
        except Refused as fault:
            return REFUSALS[fault.code][0], refusal_body(fault.code)


Headers = list[tuple[bytes, bytes]]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]


async def respond(send: Send, status: int, headers: Headers, body: bytes) -> None:
    headers = [*headers, (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def read_body(receive: Receive, most: int) -> bytes:
    """Return the request's body, cut after `most` bytes."""
    body = b""
    more = True
    while more and len(body) <= most:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    return body
