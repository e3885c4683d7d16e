"""The private routes and the account behind them: play up to now, write down, answer, and then push."""

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
from apps.exchange.simulator.server.faults import LISTS, Faults
from apps.exchange.simulator.server.hub import UserHub
from apps.exchange.simulator.server.private import account_routes, order_routes, pushes
from apps.exchange.simulator.server.private.fields import Fields, PrivateCall
from apps.exchange.simulator.server.private.keys import Keys, check_signed, usable_key
from apps.exchange.simulator.server.private.list_faults import ListFaults
from apps.exchange.simulator.server.private.pushes import Texts

POSITIONS_EVERY_S = 10


@dataclass(frozen=True, slots=True)
class Request:
    """A request as it came; header names in small letters."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes


class PrivateApi:
    """One account. Nothing is answered or pushed before it is written down."""

    def __init__(
        self, exchange: Exchange, faults: Faults, keys: Keys, hub: UserHub, now: Callable[[], datetime]
    ) -> None:
        self.exchange = exchange
        self._faults = faults
        self._keys = keys
        self._hub = hub
        self._now = now
        self._list_faults = ListFaults(faults, exchange.account)
        self._positions_told_at = now()
        self._assets_told: Texts = []

    def answer(self, request: Request) -> Any:
        """Return the answer's data; raises Refused. What follows from it happens right after the answer."""
        now = self._now()
        call = self._authenticate(request, now)
        if request.path in self._faults.reject:
            raise Refused(Code(self._faults.reject[request.path]))
        self.play()
        data = (KEYED | SIGNED)[request.path](self._list_faults.lagging(request.path, call))
        if request.path in LISTS:
            data = self._list_faults.spoilt(request.path, data)
        commit = self._commit(call.now_ms)
        if request.path in SIGNED:
            asyncio.get_running_loop().call_soon(self._settle_and_tell, commit, call.now_ms)
        return data

    def play(self) -> None:
        """Bring the account up to now and tell what happened on the way."""
        self.exchange.rules.preset_on_partial = self._faults.preset_on_partial
        self.exchange.rules.fill_at_most = self._faults.fill_at_most
        now = self._now()
        now_ms = int(now.timestamp() * 1000)
        self._list_faults.keep(now_ms)
        while (at_ms := self.exchange.play_on(now_ms)) is not None:
            self._list_faults.remember(at_ms)
        self._tell(self._commit(now_ms))
        if (now - self._positions_told_at).total_seconds() >= POSITIONS_EVERY_S:
            self._positions_told_at = now
            if positions := self.exchange.account.open_positions():
                self._hub.tell(pushes.positions(self.exchange, positions))

    def _settle_and_tell(self, commit: Commit, at_ms: int) -> None:
        self._tell(commit)
        self.exchange.settle()
        self._tell(self._commit(at_ms))

    def _commit(self, at_ms: int) -> Commit:
        self._list_faults.remember(at_ms)
        return self.exchange.commit()

    def _tell(self, commit: Commit) -> None:
        if not commit.changed:
            return
        assets = pushes.assets(self.exchange, moment(self._now()))
        self._hub.tell(
            pushes.account_changes(self.exchange, commit)
            + [each for each in assets if each not in self._assets_told]
        )
        self._assets_told = assets

    def _authenticate(self, request: Request, now: datetime) -> PrivateCall:
        now_ms = int(now.timestamp() * 1000)
        key = usable_key(self._keys, request.headers.get("x-bm-key", ""))
        fields: Fields
        stamp_ms = 0
        if request.path in SIGNED:
            check_signed(key, request.headers, request.body, now_ms)
            stamp_ms = int(request.headers["x-bm-timestamp"])
            try:
                fields = json.loads(request.body)
            except ValueError:
                raise Refused(Code.NOT_JSON) from None
            if not isinstance(fields, dict):
                raise Refused(Code.NOT_JSON)
        else:
            fields = dict(parse_qsl(request.query))
        return PrivateCall(
            fields=fields,
            exchange=self.exchange,
            account=self.exchange.account,
            faults=self._faults,
            moment=moment(now),
            as_of_ms=now_ms,
            now_ms=now_ms,
            stamp_ms=stamp_ms,
        )


Handler = Callable[[PrivateCall], Any]

KEYED: dict[str, Handler] = {
    "/contract/private/assets-detail": account_routes.assets_detail,
    "/contract/private/trade-fee-rate": account_routes.trade_fee_rate,
    "/contract/private/order": account_routes.order,
    "/contract/private/order-history": account_routes.order_history,
    "/contract/private/get-open-orders": account_routes.open_orders,
    "/contract/private/current-plan-order": account_routes.plan_orders,
    "/contract/private/position": account_routes.positions,
    "/contract/private/position-v2": account_routes.positions_v2,
    "/contract/private/position-risk": account_routes.position_risk,
    "/contract/private/trades": account_routes.trades,
    "/contract/private/transaction-history": account_routes.transactions,
    "/contract/private/get-position-mode": account_routes.position_mode,
}
"""GET, with X-BM-KEY; a signature is ignored, for clients disagree on what to sign."""

SIGNED: dict[str, Handler] = {
    "/contract/private/submit-order": order_routes.submit_order,
    "/contract/private/modify-limit-order": order_routes.modify_limit_order,
    "/contract/private/cancel-order": order_routes.cancel_order,
    "/contract/private/cancel-orders": order_routes.cancel_orders,
    "/contract/private/cancel-all-after": order_routes.cancel_all_after,
    "/contract/private/submit-leverage": account_routes.submit_leverage,
    "/contract/private/set-position-mode": account_routes.set_position_mode,
    "/contract/private/submit-plan-order": order_routes.submit_plan_order,
    "/contract/private/cancel-plan-order": order_routes.cancel_plan_order,
    "/contract/private/modify-plan-order": order_routes.modify_plan_order,
    "/contract/private/submit-tp-sl-order": order_routes.submit_tp_sl_order,
    "/contract/private/modify-tp-sl-order": order_routes.modify_tp_sl_order,
    "/contract/private/modify-preset-plan-order": order_routes.modify_presets,
    "/contract/private/submit-trail-order": order_routes.submit_trail_order,
    "/contract/private/cancel-trail-order": order_routes.cancel_trail_order,
    "/account/v1/transfer-contract": account_routes.transfer,
    "/account/v1/transfer-contract-list": account_routes.transfers,
}
"""POST, with key, timestamp and a signature over the exact body."""
