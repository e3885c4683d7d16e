"""The public WebSocket: acknowledgements, pushes by the clock, and when the exchange hangs up."""

from __future__ import annotations

import json

import pytest
import websocket

from apps.exchange.simulator.market.archive import Archive
from apps.exchange.simulator.market.market import Market
from apps.exchange.simulator.server import Patience
from apps.exchange.simulator.server.faults import Faults
from apps.exchange.simulator.server.hub import MAX_BATCHES, Hub, Listener
from apps.exchange.simulator.server.pushes import Pushes
from apps.exchange.simulator.server.views import Views
from tests.simulator.conftest import NOON, Client, Serve, expect

MINUTE_S = int(NOON.timestamp()) - 30
BTC = "futures/klineBin1m:BTCUSDT"


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


@pytest.mark.parametrize("path", ["/users", "/", "/api/"])
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
