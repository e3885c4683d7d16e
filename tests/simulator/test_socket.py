"""The public WebSocket: acknowledgements, pushes by the clock, and when the exchange hangs up."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
import websocket

from apps.exchange.simulator.archive import Archive
from apps.exchange.simulator.market import Market
from apps.exchange.simulator.server import Patience
from apps.exchange.simulator.server.faults import Faults
from apps.exchange.simulator.server.hub import MAX_BATCHES, Hub, Listener
from apps.exchange.simulator.server.pushes import Pushes
from apps.exchange.simulator.server.views import Views
from tests.simulator.conftest import NOON, Client, Serve, expect

MINUTE_S = int(NOON.timestamp()) - 30
BTC = "futures/klineBin1m:BTCUSDT"


def candle(archive: Archive, open_s: int, step_s: int = 60) -> list[str]:
    column = archive.matrix("BTCUSDT", step_s, open_s, 1)[:, 0].tolist()
    text = archive.listing("BTCUSDT").price_text
    return [*(text(ticks) for ticks in column[:4]), str(column[4])]


def numbers(item: dict[str, Any]) -> list[str]:
    return [item[name] for name in "ohlcv"]


def test_each_topic_is_acknowledged_by_itself_before_its_first_push(still: Client) -> None:
    socket = still.socket()
    topics = [BTC, "futures/nothing:BTCUSDT", "futures/ticker:NOPEUSDT", "futures/ticker:ETHUSDT"]
    socket.send(json.dumps({"action": "subscribe", "args": topics}))
    messages = expect(socket, 6)
    assert [message["group"] for message in messages] == [
        BTC,
        BTC,
        *topics[1:3],
        topics[3],
        topics[3] + "@100ms",
    ]
    assert [message.get("success") for message in messages] == [True, None, False, False, True, None]
    assert messages[2]["error"] == "group [futures/nothing:BTCUSDT] not exist"


@pytest.mark.parametrize(
    ("sent", "error"),
    [
        (
            '{"action":"","args":["futures/trade:BTCUSDT"]}',
            "Invalid action [] for group [futures/trade:BTCUSDT]",
        ),
        (
            '{"action":"subscribe","args":["futures/klineBin3m:BTCUSDT"]}',
            "group [futures/klineBin3m:BTCUSDT] not exist",
        ),
        ("not json", "Invalid message"),
        ('{"action":"subscribe","args":[1]}', "Invalid message"),
        (json.dumps({"action": "subscribe", "args": [BTC] * 158}), "args exceed 4096 bytes"),
    ],
)
def test_what_cannot_be_done_is_refused_and_the_talk_goes_on(still: Client, sent: str, error: str) -> None:
    socket = still.socket()
    socket.send(sent)
    (refusal,) = expect(socket, 1)
    assert (refusal["success"], refusal["error"]) == (False, error)
    socket.send("ping")
    assert expect(socket, 1) == [{"group": "System", "data": "pong"}]


def test_klines_are_pushed_each_second_as_the_candle_forms(exchange: Serve) -> None:
    client = exchange()
    socket = client.socket(BTC)
    volumes = []
    for _ in range(3):
        client.hand.move(1)
        (push,) = expect(socket, 1)
        (item,) = push["data"]["items"]
        assert item["ts"] == MINUTE_S
        volumes.append(int(item["v"]))
    assert volumes == sorted(set(volumes))


def test_the_push_at_the_open_carries_the_final_candle_and_the_new_one(
    exchange: Serve, archive: Archive
) -> None:
    client = exchange(NOON.replace(second=59))
    socket = client.socket(BTC, "futures/klineBin5m:BTCUSDT")
    client.hand.move(1)
    one, five = expect(socket, 2)
    assert [item["ts"] for item in one["data"]["items"]] == [MINUTE_S, MINUTE_S + 60]
    assert numbers(one["data"]["items"][0]) == candle(archive, MINUTE_S)
    assert [item["ts"] for item in five["data"]["items"]] == [MINUTE_S]


def test_a_longer_candle_ends_with_its_last_minute(exchange: Serve, archive: Archive) -> None:
    client = exchange(datetime(2026, 11, 20, 15, 59, 59, tzinfo=UTC))
    socket = client.socket("futures/klineBin4H:BTCUSDT")
    client.hand.move(1)
    (push,) = expect(socket, 1)
    final, new = push["data"]["items"]
    assert numbers(final) == candle(archive, final["ts"], 14_400)
    assert new["ts"] == final["ts"] + 14_400


def test_a_clock_that_leaps_over_minutes_still_delivers_the_last_final_candle(
    exchange: Serve, archive: Archive
) -> None:
    client = exchange()
    socket = client.socket(BTC)
    client.hand.move(600)
    (push,) = expect(socket, 1)
    final, new = push["data"]["items"]
    assert (final["ts"], new["ts"]) == (MINUTE_S + 540, MINUTE_S + 600)
    assert numbers(final) == candle(archive, MINUTE_S + 540)


def test_trades_of_every_tick_are_pushed_newest_first(exchange: Serve) -> None:
    client = exchange()
    socket = client.socket()
    socket.send('{"action":"subscribe","args":["futures/trade:BTCUSDT"]}')
    expect(socket, 1)
    client.hand.move(3)
    (push,) = expect(socket, 1)
    numbers = [trade["trade_id"] for trade in push["data"]]
    assert numbers == list(range(numbers[0], numbers[0] - 3, -1))
    assert push["data"][0]["created_at"] == "2026-11-20T12:00:33.000000000Z"
    recent = client.data("/contract/public/market-trade", symbol="BTCUSDT", limit=3)
    assert [trade["deal_price"] for trade in push["data"]] == [trade["price"] for trade in recent]


def test_funding_is_pushed_at_once_and_then_each_minute(exchange: Serve) -> None:
    client = exchange()
    socket = client.socket("futures/fundingRate:BTCUSDT", "futures/bookticker:BTCUSDT")
    client.hand.move(1)
    assert [push["group"] for push in expect(socket, 1)] == ["futures/bookticker:BTCUSDT"]
    client.hand.move(60)
    assert {push["group"] for push in expect(socket, 2)} == {
        "futures/fundingRate:BTCUSDT",
        "futures/bookticker:BTCUSDT",
    }


def test_a_book_kept_by_changes_equals_the_whole_book(exchange: Serve) -> None:
    client = exchange()
    topic = "futures/depthIncrease20:BTCUSDT@200ms"
    socket = client.socket()
    socket.send(json.dumps({"action": "subscribe", "args": [topic]}))
    _, snapshot = expect(socket, 2)
    assert snapshot["data"]["type"] == "snapshot"
    book = {side: {row["price"]: row["vol"] for row in snapshot["data"][side]} for side in ("asks", "bids")}
    version = snapshot["data"]["version"]
    for _ in range(3):
        client.hand.move(1)
        (update,) = expect(socket, 1)
        version += 1
        assert (update["data"]["type"], update["data"]["version"]) == ("update", version)
        for side, levels in book.items():
            levels.update({row["price"]: row["vol"] for row in update["data"][side]})
            book[side] = {price: contracts for price, contracts in levels.items() if contracts != "0"}
    whole = client.data("/contract/public/depth", symbol="BTCUSDT")
    for side, levels in book.items():
        assert levels == {row[0]: row[1] for row in whole[side][:20]}
    socket.send(json.dumps({"action": "request", "args": [topic]}))
    _, again = expect(socket, 2)
    assert (again["data"]["type"], again["data"]["version"]) == ("snapshot", version)


def test_the_legacy_ticker_tells_of_every_symbol(still: Client, archive: Archive) -> None:
    socket = still.socket()
    socket.send('{"action":"subscribe","args":["futures/ticker"]}')
    pushes = expect(socket, 1 + len(archive.symbols))[1:]
    assert {push["group"] for push in pushes} == {"futures/ticker"}
    assert [push["data"]["symbol"] for push in pushes] == list(archive.symbols)


def test_after_unsubscribing_nothing_more_comes(exchange: Serve) -> None:
    client = exchange()
    socket = client.socket(BTC, "futures/bookticker:BTCUSDT")
    socket.send(json.dumps({"action": "unsubscribe", "args": [BTC]}))
    assert expect(socket, 1)[0]["action"] == "unsubscribe"
    client.hand.move(1)
    assert expect(socket, 1)[0]["group"] == "futures/bookticker:BTCUSDT"


def closed(socket: websocket.WebSocket) -> bool:
    """Does the server end the connection (and say nothing before)?"""
    opcode, _ = socket.recv_data()
    return bool(opcode == websocket.ABNF.OPCODE_CLOSE)


def test_who_subscribes_to_nothing_is_hung_up_on_despite_pings(exchange: Serve) -> None:
    client = exchange(patience=Patience(silent_s=20, unsubscribed_s=0.3))
    socket = client.socket()
    socket.send("ping")
    expect(socket, 1)
    assert closed(socket)


def test_silence_ends_a_subscribed_connection(exchange: Serve) -> None:
    client = exchange(patience=Patience(silent_s=0.3, unsubscribed_s=5))
    assert closed(client.socket(BTC))


@pytest.mark.parametrize("ping", ["text", "frame"])
def test_pings_of_either_kind_keep_a_silent_connection(exchange: Serve, ping: str) -> None:
    client = exchange(patience=Patience(silent_s=1, unsubscribed_s=5))
    socket = client.socket(BTC)
    for _ in range(4):
        if ping == "frame":
            socket.ping("x")
            opcode, _ = socket.recv_data(control_frame=True)
            assert opcode == websocket.ABNF.OPCODE_PONG
        else:
            socket.send('{"action":"ping"}')
            assert expect(socket, 1)[0]["data"] == "pong"
        socket.settimeout(0.3)
        with pytest.raises(websocket.WebSocketTimeoutException):
            socket.recv_data(control_frame=True)
        socket.settimeout(30)


@pytest.mark.parametrize("path", ["/user", "/", "/api/"])
def test_there_is_no_other_websocket(still: Client, path: str) -> None:
    with pytest.raises(websocket.WebSocketBadStatusException):
        websocket.create_connection(still.address.replace("http", "ws") + path, timeout=30)


def test_a_listener_who_lags_too_far_behind_is_dropped(archive: Archive) -> None:
    faults = Faults()
    hub = Hub(Pushes(Views(Market(archive, seed=1)), faults), faults, lambda: NOON)
    listener = Listener()
    for _ in range(MAX_BATCHES):
        hub.offer(listener, ["push"])
    assert listener.queue.qsize() == MAX_BATCHES
    hub.offer(listener, ["one too many"])
    assert listener.queue.get_nowait() is None
    assert listener.queue.empty()
