"""A person at the same account: orders and positions by hand, past all of our own code."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import requests

from benchmarks.campaign.history import CLOSING_SIDE, LONG, OPENING_SIDES, OVER, History, Row, is_own_id
from benchmarks.campaign.timetable import CANCEL, PROTECT, SUBMIT

KEY, SECRET, MEMO = "simulator", "simulator-secret", "simulator"
"""The local exchange's play key, known to everyone."""
DETAILS = "/contract/public/details"
NOTIONAL = Decimal(60)
"""USDT of a position by hand."""
LEVERAGE = "5"
ANSWER_S = 5.0
OK = 1000


@dataclass(frozen=True, slots=True)
class Listed:
    """What a contract costs, its tick, and contracts for NOTIONAL."""

    price: Decimal
    tick: Decimal
    contracts: int

    def priced(self, ratio: str) -> str:
        return str((self.price * Decimal(ratio) / self.tick).quantize(Decimal(1)) * self.tick)


class Hand:
    """Every order's client id begins with `hand`. An answer that does not come is none of its business."""

    def __init__(self, url: str, history: History) -> None:
        self._url = url
        self._history = history
        self._session = requests.Session()
        self._session.trust_env = False
        self._numbers = 0
        self._listed: dict[str, Listed] = {}

    def read_contracts(self) -> list[str]:
        """Read every contract once; return the symbols. Raises requests.RequestException."""
        answer = self._session.get(self._url + DETAILS, timeout=ANSWER_S)
        answer.raise_for_status()
        for row in answer.json()["data"]["symbols"]:
            price, size = Decimal(row["last_price"]), Decimal(row["contract_size"])
            contracts = max(1, int(NOTIONAL / price / size))
            self._listed[row["symbol"]] = Listed(price, Decimal(row["price_precision"]), contracts)
        return sorted(self._listed)

    def open(self, symbol: str, position_type: int) -> None:
        """At market."""
        self._submit(symbol, _opening_side(position_type), self._listed[symbol].contracts, type="market")

    def rest(self, symbol: str, position_type: int) -> None:
        """A limit order so far away that the market does not come to it."""
        price = self._listed[symbol].priced("0.9" if position_type == LONG else "1.1")
        contracts = self._listed[symbol].contracts
        self._submit(symbol, _opening_side(position_type), contracts, type="limit", mode=1, price=price)

    def protect(self, position: Row) -> None:
        """A stop for the whole position, far away."""
        symbol, position_type = position["symbol"], position["position_type"]
        body = {
            "symbol": symbol,
            "type": "stop_loss",
            "side": CLOSING_SIDE[position_type],
            "trigger_price": self._listed[symbol].priced("0.8" if position_type == LONG else "1.2"),
            "executive_price": "0",
            "price_type": 1,
            "plan_category": 2,
            "category": "market",
            "client_order_id": self._client_id(),
        }
        self._post(PROTECT, body)

    def cancel(self, order: Row) -> None:
        """From now on the order may end unfilled."""
        self._history.hand_cancels.add(order["client_order_id"])
        self._post(CANCEL, {"symbol": order["symbol"], "client_order_id": order["client_order_id"]})

    def close(self, position: Row, contracts: int | None = None) -> None:
        """At market; all of it, or so many contracts."""
        side = CLOSING_SIDE[position["position_type"]]
        self._submit(position["symbol"], side, contracts or position["size"], type="market")

    def _submit(self, symbol: str, side: int, contracts: int, **more: Any) -> None:
        body = {
            "symbol": symbol,
            "side": side,
            "size": contracts,
            "client_order_id": self._client_id(),
            **more,
        }
        if side in OPENING_SIDES:
            body |= {"leverage": LEVERAGE, "open_type": "isolated"}
        self._post(SUBMIT, body)

    def _client_id(self) -> str:
        self._numbers += 1
        return f"hand{self._numbers:06d}x{time.time_ns() % 10**9:09d}"

    def _post(self, route: str, body: Mapping[str, Any]) -> None:
        text, stamp = json.dumps(body), str(time.time_ns() // 10**6)
        signed = hmac.new(SECRET.encode(), f"{stamp}#{MEMO}#{text}".encode(), hashlib.sha256).hexdigest()
        headers = {
            "X-BM-KEY": KEY,
            "X-BM-TIMESTAMP": stamp,
            "X-BM-SIGN": signed,
            "Content-Type": "application/json",
        }
        try:
            answer = self._session.post(self._url + route, data=text, headers=headers, timeout=ANSWER_S)
            came_to = "" if answer.json()["code"] == OK else f", refused: {answer.json()['message']}"
        except (requests.RequestException, ValueError) as fault:
            came_to = f", no answer ({type(fault).__name__})"
        words = f"by hand: {route.rpartition('/')[2]} {body['symbol']} side {body.get('side', '-')}"
        self._history.note(f"{words} size {body.get('size', '-')}{came_to}")


def resting_orders(books: Row) -> list[Row]:
    """Return what rests by hand."""
    return [
        order
        for order in books["orders"]
        if order["state"] != OVER and order["kind"] == "limit" and not is_own_id(order["client_order_id"])
    ]


def _opening_side(position_type: int) -> int:
    return 1 if position_type == LONG else 4
