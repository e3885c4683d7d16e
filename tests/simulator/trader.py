"""A client that signs: the private side of the exchange under test, over REST and WebSocket."""

from __future__ import annotations

import hashlib
import hmac
import json
from decimal import Decimal
from typing import Any

import requests
import websocket

from apps.exchange.simulator.server import PLAY_KEYS, Key
from tests.simulator.conftest import Client, expect

PRIVATE = "/contract/private/"


class Trader:
    """Signs with `key` as the documentation says, not with the exchange's own code."""

    def __init__(self, client: Client, key: Key = PLAY_KEYS[0]) -> None:
        self.client = client
        self.key = key

    @property
    def stamp(self) -> str:
        return str(int(self.client.hand.at.timestamp() * 1000))

    def sign(self, text: str, stamp: str) -> str:
        signed = f"{stamp}#{self.key.memo}#{text}".encode()
        return hmac.new(self.key.secret.encode(), signed, hashlib.sha256).hexdigest()

    def get(self, route: str, **parameters: Any) -> requests.Response:
        return requests.get(
            self.client.address + path_of(route),
            params=parameters,
            headers={"X-BM-KEY": self.key.key},
            timeout=30,
        )

    def post(self, route: str, *, timeout_s: float = 30, **body: Any) -> requests.Response:
        text, stamp = json.dumps(body), self.stamp
        headers = {
            "X-BM-KEY": self.key.key,
            "X-BM-TIMESTAMP": stamp,
            "X-BM-SIGN": self.sign(text, stamp),
            "Content-Type": "application/json",
        }
        return requests.post(
            self.client.address + path_of(route), data=text, headers=headers, timeout=timeout_s
        )

    def read(self, route: str, **parameters: Any) -> Any:
        return _data(self.get(route, **parameters))

    def do(self, route: str, **body: Any) -> Any:
        return _data(self.post(route, **body))

    def order(self, side: int, size: int, price: object = None, **more: Any) -> Any:
        """Submit an order for BTCUSDT, market without a price; the answer's data."""
        kind = {"type": "market"} if price is None else {"type": "limit", "price": str(price)}
        terms = {"leverage": "10", "open_type": "isolated"}
        return self.do(
            "submit-order", **{"symbol": "BTCUSDT", "side": side, "size": size} | kind | terms | more
        )

    def quote(self, symbol: str = "BTCUSDT") -> tuple[Decimal, Decimal, Decimal]:
        """Last price, best bid, best ask."""
        detail = self.client.data("/contract/public/details", symbol=symbol)["symbols"][0]
        book = self.client.data("/contract/public/depth", symbol=symbol)
        return Decimal(detail["last_price"]), Decimal(book["bids"][0][0]), Decimal(book["asks"][0][0])

    def books(self) -> Any:
        """The exchange's truth."""
        return self.client.get("/admin/books").json()

    def socket(self, *topics: str) -> websocket.WebSocket:
        """A connection that is logged in and listens to `topics`."""
        socket = self.client.private_socket()
        stamp = self.stamp
        arguments = [self.key.key, stamp, self.sign("bitmart.WebSocket", stamp), "web"]
        socket.send(json.dumps({"action": "access", "args": arguments}))
        assert expect(socket, 1) == [{"action": "access", "success": True}]
        if topics:
            socket.send(json.dumps({"action": "subscribe", "args": list(topics)}))
            assert all(answer["success"] for answer in expect(socket, len(topics)))
        return socket


def path_of(route: str) -> str:
    return route if route.startswith("/") else PRIVATE + route


def _data(answer: requests.Response) -> Any:
    assert answer.json()["code"] == 1000, answer.text
    return answer.json()["data"]
