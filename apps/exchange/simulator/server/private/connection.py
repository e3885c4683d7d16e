"""One WebSocket on /user: first the login, then the account's own topics."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import datetime

from apps.exchange.simulator.server.connection import (
    ACTIONS,
    Connection,
    Patience,
    echo,
    needs_login,
    refusal,
)
from apps.exchange.simulator.server.private.hub import UserHub
from apps.exchange.simulator.server.private.keys import Keys, may_log_in
from apps.exchange.simulator.server.topics import Topic
from apps.exchange.simulator.server.wire import compact

TOPICS = re.compile(r"futures/(asset:(USDT|BTC|ETH)|position|order)")
SHOWN_OF_KEY = 10
"""Letters of a key that a failed login repeats."""


class UserConnection(Connection):
    def __init__(self, hub: UserHub, patience: Patience, keys: Keys, now: Callable[[], datetime]) -> None:
        super().__init__(hub, frozenset(), patience)
        self._keys = keys
        self._now = now
        self._logged_in = False

    def _acted(self, action: str, arguments: list[str]) -> Iterator[str]:
        if action != "access":
            yield from super()._acted(action, arguments)
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

    def _done(self, action: str, name: str) -> Iterator[str]:
        if action not in ACTIONS:
            yield refusal(action, name, f"Invalid action [{action}] for group [{name}]")
        elif not TOPICS.fullmatch(name):
            yield refusal(action, name, f"group [{name}] not exist")
        elif not self._logged_in:
            yield needs_login(action, name)
        else:
            yield compact({"action": action, "group": name, "success": True, "request": echo(action, name)})
            yield from self._obeyed(action, Topic(name, name, ""))
