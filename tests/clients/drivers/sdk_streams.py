"""BitMart's own SDK over WebSocket: `python sdk_streams.py http://ADDRESS` prints what was pushed as JSON."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from typing import Any

from bitmart.api_contract import APIContract
from bitmart.websocket.futures_socket_client import FuturesSocketClient

CONTRACT = "BTCUSDT"
PUBLIC = [
    f"futures/{channel}:{CONTRACT}"
    for channel in (
        "ticker",
        "klineBin1m",
        "klineBin5m",
        "markPriceKlineBin1m",
        "trade",
        "depth20",
        "depthAll5",
        "depthIncrease5",
        "bookticker",
        "fundingRate",
    )
]
PRIVATE = ["futures/order", "futures/position", "futures/asset:USDT"]
KEYS = {"api_key": "simulator", "api_secret_key": "simulator-secret", "api_memo": "simulator"}
PUSHED_S = 20
PONGS = 3
"""The SDK pings at once and each 10 s: the third answer comes when a silent connection would have ended."""


def public(address: str) -> Any:
    """One connection, all channels: acknowledgements, pongs, and the first push of each channel."""
    heard = []
    socket = FuturesSocketClient(_sockets(address) + "/api?protocol=1.1", heard.append)
    socket.subscribe(PUBLIC)
    _wait(lambda: {_topic(each) for each in heard if "data" in each} >= set(PUBLIC))
    socket.unsubscribe(PUBLIC)
    _wait(lambda: sum(each.get("action") == "unsubscribe" for each in heard) == len(PUBLIC))
    socket.stop()
    return {"asked": PUBLIC, "heard": heard}


def private(address: str) -> Any:
    """Log in with the SDK's own pause of 5 s, subscribe, wait, open and close a position."""
    heard = []
    socket = FuturesSocketClient(_sockets(address) + "/user?protocol=1.1", heard.append, **KEYS)
    socket.login()
    socket.subscribe(PRIVATE)
    _wait(lambda: sum(each.get("action") == "subscribe" for each in heard) == len(PRIVATE))
    _wait(lambda: sum(each.get("data") == "pong" for each in heard) >= PONGS, within_s=PONGS * 10)
    api = APIContract("simulator", "simulator-secret", "simulator", url=address, timeout=(3, 10))
    terms = {"leverage": "5", "open_type": "isolated", "type": "market", "size": 2}
    api.post_submit_order(CONTRACT, side=1, **terms)
    _wait(lambda: _sizes(heard)[-1:] == ["2"])
    api.post_submit_order(CONTRACT, side=3, **terms)
    _wait(lambda: _sizes(heard)[-1:] == ["0"])
    socket.stop()
    return {"asked": PRIVATE, "heard": heard}


def _sizes(heard: list[Any]) -> Any:
    """The position's sizes, in the order they were told."""
    pushes = [each["data"] for each in heard if each.get("group") == "futures/position" and "data" in each]
    return [row["hold_volume"] for rows in pushes for row in rows]


def _topic(message: Any) -> str:
    return message["group"].split("@")[0]


def _sockets(address: str) -> str:
    return address.replace("http", "ws")


def _wait(done: Callable[[], object], within_s: float = PUSHED_S) -> None:
    until = time.monotonic() + within_s
    while not done():
        if time.monotonic() > until:
            raise TimeoutError("the exchange did not push it")
        time.sleep(0.05)


def main() -> None:
    print(json.dumps({"public": public(sys.argv[1]), "private": private(sys.argv[1])}), flush=True)


if __name__ == "__main__":
    try:
        main()
    except BaseException as fault:
        print(repr(fault), file=sys.stderr, flush=True)
        os._exit(1)
    os._exit(0)  # the SDK's ping timers never end
