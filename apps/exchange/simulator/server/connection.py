"""One WebSocket, public or private: acknowledgements, pongs, login, and when the exchange hangs up."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from apps.exchange.simulator.server.http import Message, Receive, Send
from apps.exchange.simulator.server.hub import Audience, Listener, UserHub
from apps.exchange.simulator.server.private.keys import Keys, may_log_in
from apps.exchange.simulator.server.pushes import PRIVATE, Topic, parse_topic
from apps.exchange.simulator.server.views import compact

MAX_ARGS_BYTES = 4096
PONG = compact({"group": "System", "data": "pong"})
PING_FRAME = "websocket.ping"
"""Not a message of ASGI: our own protocol class reports ping frames, for they too keep a connection alive."""

ACTIONS = ("subscribe", "unsubscribe", "request")


@dataclass(frozen=True, slots=True)
class Patience:
    """After how long the exchange hangs up: on silence both ways, and on who never subscribes or logs in."""

    silent_s: float = 20
    unsubscribed_s: float = 5


class Connection:
    def __init__(self, hub: Audience, symbols: frozenset[str], patience: Patience) -> None:
        self._hub = hub
        self._symbols = symbols
        self._patience = patience
        self._listener = Listener()
        self._ever_subscribed = False
        self._leaving = False
        """Set when the exchange hangs up after what it has just answered."""
        self._opened_at = self._heard_at = asyncio.get_running_loop().time()

    async def serve(self, receive: Receive, send: Send) -> None:
        """Serve from the accepted handshake to the end, whoever ends it."""
        self._hub.listeners.add(self._listener)
        sender = asyncio.create_task(self._send_queued(send))
        answerer = asyncio.create_task(self._answer_requests(receive))
        try:
            done, _ = await asyncio.wait({sender, answerer}, return_when=asyncio.FIRST_COMPLETED)
            reason = next(iter(done)).result()
            if reason is not None:
                await send({"type": "websocket.close", "code": 1000, "reason": reason})
        finally:
            self._hub.leave(self._listener)
            for task in (sender, answerer):
                task.cancel()
            await asyncio.gather(sender, answerer, return_exceptions=True)

    async def _send_queued(self, send: Send) -> str:
        while (batch := await self._listener.queue.get()) is not None:
            for text in batch:
                await send({"type": "websocket.send", "text": text})
            self._heard_at = asyncio.get_running_loop().time()
        return "going away"

    async def _answer_requests(self, receive: Receive) -> str | None:
        """Answer until the client leaves (None) or the exchange loses patience (the reason)."""
        loop = asyncio.get_running_loop()
        while True:
            left_s = min(self._deadlines().values()) - loop.time()
            try:
                message = await asyncio.wait_for(receive(), max(0.001, left_s))
            except TimeoutError:
                now = loop.time()
                for reason, at in self._deadlines().items():
                    if at <= now:
                        return reason
                continue
            if message["type"] == "websocket.disconnect":
                return None
            self._heard_at = loop.time()
            self._hub.offer(self._listener, list(self._message_answers(message)))
            if self._leaving:
                self._listener.queue.put_nowait(None)

    def _deadlines(self) -> dict[str, float]:
        deadlines = {"no data": self._heard_at + self._patience.silent_s}
        if not self._ever_subscribed:
            deadlines["no subscription"] = self._opened_at + self._patience.unsubscribed_s
        return deadlines

    def _message_answers(self, message: Message) -> Iterator[str]:
        """Yield one acknowledgement a topic, each followed by the topic's first push; a pong for a ping."""
        if message["type"] == PING_FRAME:
            return
        request = _parse_request(message)
        if request is None:
            yield compact({"action": "", "success": False, "error": "Invalid message"})
            return
        action, names = request
        if action == "ping":
            yield PONG
        elif sum(len(name.encode()) for name in names) > MAX_ARGS_BYTES:
            yield compact(
                {"action": action, "success": False, "error": f"args exceed {MAX_ARGS_BYTES} bytes"}
            )
        else:
            yield from self._action_answers(action, names)

    def _action_answers(self, action: str, arguments: list[str]) -> Iterator[str]:
        for name in arguments:
            if action not in ACTIONS:
                yield refusal(action, name, f"Invalid action [{action}] for group [{name}]")
                continue
            topic = self._topic_or_refusal(action, name)
            if isinstance(topic, str):
                yield topic
            else:
                request = echo(action, name)
                yield compact({"action": action, "group": name, "success": True, "request": request})
                yield from self._carry_out(action, topic)

    def _topic_or_refusal(self, action: str, name: str) -> Topic | str:
        if PRIVATE.fullmatch(name):
            return needs_login(action, name)
        return parse_topic(name, self._symbols) or refusal(action, name, f"group [{name}] not exist")

    def _carry_out(self, action: str, topic: Topic) -> list[str]:
        if action == "unsubscribe":
            self._hub.unsubscribe(self._listener, topic)
            return []
        if action == "request":
            return self._hub.request(topic)
        self._ever_subscribed = True
        return self._hub.subscribe(self._listener, topic)


def _parse_request(message: Message) -> tuple[str, list[str]] | None:
    """Return (action, arguments) of a text, or None when it is not one of ours. A bare "ping" is a ping."""
    text = message.get("text") or ""
    if text == "ping":
        return "ping", []
    try:
        request: Any = json.loads(text)
    except ValueError:
        return None
    if not isinstance(request, dict):
        return None
    action, names = request.get("action", ""), request.get("args", [])
    if not isinstance(action, str) or not isinstance(names, list):
        return None
    return (action, names) if all(isinstance(name, str) for name in names) else None


def needs_login(action: str, name: str) -> str:
    """Return the refusal, spelt as the exchange spells it."""
    error = f"{name} need authenication"
    return compact({"action": action, "group": name, "success": False, "error": error})


def refusal(action: str, name: str, error: str) -> str:
    request = echo(action, name)
    return compact({"action": action, "group": name, "success": False, "request": request, "error": error})


def echo(action: str, name: str) -> dict[str, Any]:
    return {"action": action, "args": [name]}


TOPICS = re.compile(r"futures/(asset:(USDT|BTC|ETH)|position|order)")
SHOWN_OF_KEY = 10
"""Letters of a key that a failed login repeats."""


class UserConnection(Connection):
    def __init__(self, hub: UserHub, patience: Patience, keys: Keys, now: Callable[[], datetime]) -> None:
        super().__init__(hub, frozenset(), patience)
        self._keys = keys
        self._now = now
        self._logged_in = False

    def _action_answers(self, action: str, arguments: list[str]) -> Iterator[str]:
        if action != "access":
            yield from super()._action_answers(action, arguments)
        elif may_log_in(self._keys, arguments, int(self._now().timestamp() * 1000)):
            self._logged_in = True
            # The exchange's own SDK waits 5 s between its login and its first topic: patience ends too soon.
            self._ever_subscribed = True
            yield compact({"action": "access", "success": True})
        else:
            shown = arguments[0][:SHOWN_OF_KEY] if arguments else ""
            error = f"access failed: openapi auth: apiKey {shown}**** failed: openapi auth failed"
            yield compact({"action": "access", "success": False, "error": error})
            self._leaving = True

    def _topic_or_refusal(self, action: str, name: str) -> Topic | str:
        if not TOPICS.fullmatch(name):
            return refusal(action, name, f"group [{name}] not exist")
        return Topic(name, name, "") if self._logged_in else needs_login(action, name)
