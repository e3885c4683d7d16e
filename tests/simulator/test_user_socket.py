"""The private WebSocket: login, the life of orders, positions and balances, and when it is hung up."""

from __future__ import annotations

import json
import time
from decimal import Decimal
from typing import Any

import pytest
import websocket

from apps.exchange.simulator.server import PLAY_KEYS, Key, Patience
from tests.simulator.conftest import Client, Serve, expect
from tests.simulator.trader import Trader

ORDER, POSITION, ASSET = "futures/order", "futures/position", "futures/asset:USDT"


def orders(messages: list[Any]) -> list[tuple[int, int, str]]:
    """(action, state, deal_size) of each."""
    rows = [message["data"][0] for message in messages]
    return [(row["action"], row["order"]["state"], row["order"]["deal_size"]) for row in rows]


def test_the_life_of_a_market_order_is_pushed_in_order(exchange: Serve) -> None:
    trader = Trader(exchange())
    socket = trader.socket(ORDER)
    order_id = trader.order(1, 2, client_order_id="e1")["order_id"]
    messages = expect(socket, 2)
    assert orders(messages) == [(2, 2, "0"), (1, 4, "2")]
    order = messages[1]["data"][0]["order"]
    assert (order["order_id"], order["client_order_id"]) == (str(order_id), "e1")
    assert Decimal(order["last_trade"]["fee"]) < 0
    assert order["last_trade"]["fillQty"] == "2"


def test_a_fill_is_told_with_its_protection_position_and_balance(exchange: Serve) -> None:
    trader = Trader(exchange())
    socket = trader.socket(ORDER, POSITION, ASSET)
    trader.order(1, 2, preset_stop_loss_price="90000")
    messages = expect(socket, 6)
    groups = [message["group"] for message in messages]
    assert groups == [ASSET, ORDER, ORDER, ORDER, POSITION, ASSET]
    stop = messages[3]["data"][0]["order"]
    assert (stop["type"], stop["trigger_price"], stop["state"]) == ("stop_loss", "90000", 2)
    assert messages[4]["data"][0]["hold_volume"] == "2"
    usdt = trader.read("assets-detail")[0]
    names = ("available_balance", "frozen_balance", "position_deposit")
    assert {name: messages[5]["data"][name] for name in names} == {name: usdt[name] for name in names}


def test_a_closed_position_is_pushed_with_nothing_held(exchange: Serve) -> None:
    trader = Trader(exchange())
    trader.order(1, 2)
    socket = trader.socket(POSITION)
    trader.order(3, 2)
    (message,) = expect(socket, 1)
    row = message["data"][0]
    assert (row["hold_volume"], row["close_volume"], row["position_type"]) == ("0", "2", 1)


def test_positions_are_repeated_every_ten_seconds(exchange: Serve) -> None:
    client = exchange()
    trader = Trader(client)
    trader.order(1, 2)
    socket = trader.socket(POSITION)
    client.hand.move(10)
    (message,) = expect(socket, 1)
    assert message["data"][0]["hold_volume"] == "2"


def test_a_cancel_is_pushed_as_action_three(exchange: Serve) -> None:
    trader = Trader(exchange())
    socket = trader.socket(ORDER)
    order_id = trader.order(1, 2, 90000)["order_id"]
    trader.do("cancel-order", symbol="BTCUSDT", order_id=str(order_id))
    assert orders(expect(socket, 2)) == [(2, 2, "0"), (3, 4, "0")]


def test_who_has_logged_in_may_take_time_to_subscribe(exchange: Serve) -> None:
    trader = Trader(exchange(patience=Patience(silent_s=20, unsubscribed_s=0.2)))
    socket = trader.socket()
    time.sleep(0.5)
    socket.send(json.dumps({"action": "subscribe", "args": [ORDER]}))
    assert expect(socket, 1)[0]["success"]


@pytest.mark.parametrize(
    ("key", "late_s"),
    [
        (Key("nobody", "s", "m"), 0),
        (Key("simulator", "wrong", "simulator"), 0),
        (Key("simulator", "simulator-secret", "wrong"), 0),
        (PLAY_KEYS[0], 61),
    ],
)
def test_who_cannot_log_in_is_told_and_hung_up_on(exchange: Serve, key: Key, late_s: int) -> None:
    client = exchange()
    trader = Trader(client, key)
    socket, stamp = client.private_socket(), trader.stamp
    sign = trader.sign("bitmart.WebSocket", stamp)
    client.hand.move(late_s)
    socket.send(json.dumps({"action": "access", "args": [key.key, stamp, sign, "web"]}))
    (refusal,) = expect(socket, 1)
    assert refusal["success"] is False
    assert refusal["error"].startswith("access failed: openapi auth: apiKey ")
    opcode, _ = socket.recv_data()
    assert opcode == websocket.ABNF.OPCODE_CLOSE


def test_there_are_no_public_topics_and_no_other_private_ones(exchange: Serve) -> None:
    socket = Trader(exchange()).socket()
    topics = ["futures/ticker:BTCUSDT", "futures/asset:DOGE"]
    socket.send(json.dumps({"action": "subscribe", "args": topics}))
    assert [answer["error"] for answer in expect(socket, 2)] == [
        f"group [{name}] not exist" for name in topics
    ]


def test_a_connection_that_only_logs_in_is_closed_for_its_silence(exchange: Serve) -> None:
    trader = Trader(exchange(patience=Patience(silent_s=0.3, unsubscribed_s=20)))
    opcode, _ = trader.socket().recv_data()
    assert opcode == websocket.ABNF.OPCODE_CLOSE


def test_private_pushes_can_come_twice(exchange: Serve) -> None:
    client = exchange()
    trader = Trader(client)
    socket = trader.socket(ORDER)
    client.switch(user_duplicate=True)
    trader.order(1, 2, 90000)
    first, second = expect(socket, 2)
    assert first == second


def test_private_pushes_can_come_late(exchange: Serve) -> None:
    client = exchange()
    trader = Trader(client)
    socket = trader.socket(ORDER)
    client.switch(user_reorder=True)
    for price in (90000, 90001):
        trader.order(1, 1, price)
    assert [message["data"][0]["order"]["price"] for message in expect(socket, 2)] == ["90001", "90000"]


def test_private_sockets_fall_silent_or_are_dropped_and_public_ones_are_not(exchange: Serve) -> None:
    client: Client = exchange()
    trader = Trader(client)
    public, private = client.socket("futures/bookticker:BTCUSDT"), trader.socket(ORDER)
    client.switch(user_silence=True)
    trader.order(1, 1, 90000)
    client.switch(user_silence=False)
    trader.order(1, 1, 90001)
    (message,) = expect(private, 1)
    assert message["data"][0]["order"]["price"] == "90001"
    assert client.switch(user_drop=True).json()["user_drop"] is False
    opcode, _ = private.recv_data()
    assert opcode == websocket.ABNF.OPCODE_CLOSE
    client.hand.move(1)
    assert expect(public, 1)[0]["group"] == "futures/bookticker:BTCUSDT"
