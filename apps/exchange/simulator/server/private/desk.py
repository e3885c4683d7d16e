"""The account behind the routes: brings the floor up to now, writes down, answers, and then tells."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl

from apps.exchange.simulator.codes import Code, Refused
from apps.exchange.simulator.exchange import Commit, Exchange
from apps.exchange.simulator.market.path import moment
from apps.exchange.simulator.server.faults import Faults
from apps.exchange.simulator.server.private import pushes
from apps.exchange.simulator.server.private.call import PrivateCall
from apps.exchange.simulator.server.private.fields import Fields
from apps.exchange.simulator.server.private.hub import UserHub
from apps.exchange.simulator.server.private.keys import Keys, check_signed, keyed
from apps.exchange.simulator.server.private.pushes import Texts
from apps.exchange.simulator.server.private.routes import KEYED, SIGNED

POSITIONS_EVERY_S = 10


@dataclass(frozen=True, slots=True)
class Request:
    """A request as it came; header names in small letters."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes


class Desk:
    """One account. Nothing is answered or pushed before it is written down."""

    def __init__(
        self, floor: Exchange, faults: Faults, keys: Keys, hub: UserHub, now: Callable[[], datetime]
    ) -> None:
        self.floor = floor
        self._faults = faults
        self._keys = keys
        self._hub = hub
        self._now = now
        self._positions_told_at = now()
        self._assets_told: Texts = []

    def answer(self, request: Request) -> Any:
        """The data of the answer; raises Refused. What follows from it happens right after the answer."""
        now = self._now()
        call = self._authentic(request, now)
        if request.path in self._faults.reject:
            raise Refused(Code(self._faults.reject[request.path]))
        self.play()
        data = (KEYED | SIGNED)[request.path](call)
        told = self.floor.commit()
        if request.path in SIGNED:
            asyncio.get_running_loop().call_soon(self._follow, told)
        return data

    def play(self) -> None:
        """Bring the account up to now and tell what happened on the way."""
        self.floor.rules.preset_on_partial = self._faults.preset_on_partial
        self.floor.rules.fill_at_most = self._faults.fill_at_most
        now = self._now()
        self.floor.advance(int(now.timestamp() * 1000))
        self._tell(self.floor.commit())
        if (now - self._positions_told_at).total_seconds() >= POSITIONS_EVERY_S:
            self._positions_told_at = now
            if held := self.floor.account.held():
                self._hub.tell(pushes.positions(self.floor, held))

    def _follow(self, told: Commit) -> None:
        self._tell(told)
        self.floor.settle()
        self._tell(self.floor.commit())

    def _tell(self, news: Commit) -> None:
        if not news.changed:
            return
        assets = pushes.assets(self.floor, moment(self._now()))
        self._hub.tell(
            pushes.happened(self.floor, news) + [each for each in assets if each not in self._assets_told]
        )
        self._assets_told = assets

    def _authentic(self, request: Request, now: datetime) -> PrivateCall:
        now_ms = int(now.timestamp() * 1000)
        key = keyed(self._keys, request.headers.get("x-bm-key", ""))
        fields: Fields
        stamp_ms = 0
        if request.path in SIGNED:
            check_signed(key, request.headers, request.body, now_ms)
            stamp_ms = int(request.headers["x-bm-timestamp"])
            fields = _json(request.body)
        else:
            fields = dict(parse_qsl(request.query))
        return PrivateCall(fields, self.floor, self._faults, moment(now), now_ms, stamp_ms)


def _json(body: bytes) -> dict[str, Any]:
    try:
        fields = json.loads(body)
    except ValueError:
        raise Refused(Code.NOT_JSON) from None
    if not isinstance(fields, dict):
        raise Refused(Code.NOT_JSON)
    return fields
