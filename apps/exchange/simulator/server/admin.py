"""The local side doors: /healthz, and for whoever sits on this machine /admin/faults and /admin/books."""

from __future__ import annotations

import ipaddress
import json
from collections.abc import Mapping

from apps.exchange.simulator.server.asgi import Headers, Message, Receive, Send, read_body, respond
from apps.exchange.simulator.server.audience import Audience
from apps.exchange.simulator.server.faults import BadFault, Faults
from apps.exchange.simulator.server.private.books import shown
from apps.exchange.simulator.server.private.desk import Desk
from apps.exchange.simulator.server.wire import compact

HEALTH, FAULTS, BOOKS = "/healthz", "/admin/faults", "/admin/books"
MAX_BODY = 65_536
JSON: Headers = [(b"content-type", b"application/json")]


def is_side_door(scope: Message) -> bool:
    """Does this request belong here? From another machine only the health does."""
    path = scope["path"]
    if path in (FAULTS, BOOKS):
        return ipaddress.ip_address(scope["client"][0]).is_loopback
    return bool(path == HEALTH)


async def answer(
    scope: Message, receive: Receive, send: Send, faults: Faults, hubs: Mapping[str, Audience], desk: Desk
) -> None:
    """`hubs` by the prefix of their fault switches."""
    if scope["path"] == BOOKS:
        desk.play()
        await respond(send, 200, JSON, compact(shown(desk.floor)).encode())
        return
    if scope["path"] == HEALTH:
        await respond(send, 200, JSON, b'{"status":"ok"}')
        return
    status, body = 200, ""
    if scope["method"] == "POST":
        status, body = _switched(await read_body(receive, MAX_BODY), faults)
        for prefix, hub in hubs.items():
            if getattr(faults, f"{prefix}_drop"):
                setattr(faults, f"{prefix}_drop", False)
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
