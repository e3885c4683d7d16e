"""The local side doors: /healthz, and /admin/faults for whoever sits on this machine."""

from __future__ import annotations

import ipaddress
import json

from apps.exchange.simulator.server.asgi import Headers, Message, Receive, Send, read_body, respond
from apps.exchange.simulator.server.faults import BadFault, Faults
from apps.exchange.simulator.server.hub import Hub
from apps.exchange.simulator.server.wire import compact

HEALTH, FAULTS = "/healthz", "/admin/faults"
MAX_BODY = 65_536
JSON: Headers = [(b"content-type", b"application/json")]


def is_side_door(scope: Message) -> bool:
    """Does this request belong here? From another machine the fault switches do not exist."""
    path = scope["path"]
    return bool(path == HEALTH or (path == FAULTS and ipaddress.ip_address(scope["client"][0]).is_loopback))


async def answer(scope: Message, receive: Receive, send: Send, faults: Faults, hub: Hub) -> None:
    if scope["path"] == HEALTH:
        await respond(send, 200, JSON, b'{"status":"ok"}')
        return
    status, body = 200, ""
    if scope["method"] == "POST":
        status, body = _switched(await read_body(receive, MAX_BODY), faults)
        if faults.ws_drop:
            faults.ws_drop = False
            hub.drop_all()
    elif scope["method"] != "GET":
        status, body = 405, compact({"error": "GET shows the faults, POST switches them"})
    await respond(send, status, JSON, (body or compact(faults.shown())).encode())


def _switched(body: bytes, faults: Faults) -> tuple[int, str]:
    try:
        wanted = json.loads(body)
        if not isinstance(wanted, dict):
            raise BadFault("a JSON object of fault names and values is wanted")
        faults.switch(wanted)
    except ValueError as fault:
        return 400, compact({"error": str(fault)})
    return 200, ""
