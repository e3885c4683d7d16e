"""Answering one HTTP request: faults first, then limits, then the route."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from urllib.parse import parse_qsl

from apps.exchange.simulator.server.asgi import Headers, Message, Send, respond
from apps.exchange.simulator.server.errors import REFUSALS, ApiError, Code
from apps.exchange.simulator.server.faults import Faults
from apps.exchange.simulator.server.limits import Limits
from apps.exchange.simulator.server.routes import ROUTES, Call
from apps.exchange.simulator.server.views import Views
from apps.exchange.simulator.server.wire import answered, refused

JSON: Headers = [(b"content-type", b"application/json")]
HTML: Headers = [(b"content-type", b"text/html; charset=UTF-8")]
MAINTENANCE = b"<html><head><title>503 Service Temporarily Unavailable</title></head><body>503</body></html>"
UNKNOWN = "unknown path"

CallAt = Callable[[dict[str, str]], Call]


class Rest:
    """The exchange's REST side."""

    def __init__(self, views: Views, faults: Faults, call_at: CallAt, *, enforce_limits: bool) -> None:
        self._views = views
        self._faults = faults
        self._call_at = call_at
        self._enforce = enforce_limits
        self._limits = Limits()

    async def __call__(self, scope: Message, send: Send) -> None:
        if self._faults.latency_ms:
            await asyncio.sleep(self._faults.latency_ms / 1000)
        endpoint = scope["path"] if scope["path"] in ROUTES else UNKNOWN
        admission = self._limits.admit(
            scope["client"][0],
            endpoint,
            asyncio.get_running_loop().time(),
            enforced=self._enforce and self._faults.limits,
        )
        if self._faults.take("answer_503"):
            await respond(send, 503, HTML + admission.headers, MAINTENANCE)
            return
        status, body = self._answer(scope, admission.refusal or self._faulty_refusal())
        await respond(send, status, JSON + admission.headers, body)

    def _faulty_refusal(self) -> Code | None:
        if self._faults.take("answer_429"):
            return Code.TOO_MANY
        return Code.BLOCKED if self._faults.take("answer_418") else None

    def _answer(self, scope: Message, refusal: Code | None) -> tuple[int, bytes]:
        try:
            if refusal:
                raise ApiError(refusal)
            if scope["method"] != "GET" or scope["path"] not in ROUTES:
                raise ApiError(Code.NOT_FOUND)
            query = dict(parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True))
            return 200, answered(ROUTES[scope["path"]](self._call_at(query)))
        except ApiError as fault:
            return REFUSALS[fault.code][0], refused(fault.code)
