"""Each fault switch does what it says, and only that."""

from __future__ import annotations

import json
import time
from itertools import pairwise
from typing import Any

import pytest
import requests

from apps.exchange.simulator.market.archive import Archive
from apps.exchange.simulator.market.market import Market
from apps.exchange.simulator.market.path import Moment
from apps.exchange.simulator.server.faults import Faults
from apps.exchange.simulator.server.hub import Hub, Listener
from apps.exchange.simulator.server.pushes import Pushes, parse_topic
from apps.exchange.simulator.server.views import Views
from tests.simulator.conftest import NOON, Client, Serve, expect

MINUTE_S = int(NOON.timestamp()) - 30
KLINE = "/contract/public/kline"
BTC, ETH = "futures/klineBin1m:BTCUSDT", "futures/klineBin1m:ETHUSDT"


def test_switches_are_shown_with_their_values(exchange: Serve) -> None:
    client = exchange()
    healthy = client.get("/admin/faults").json()
    assert client.switch(latency_ms=5, final_push=False).json() == healthy | {
        "latency_ms": 5,
        "final_push": False,
    }
    assert client.get("/admin/faults").json()["latency_ms"] == 5


@pytest.mark.parametrize(
    ("faults", "named"),
    [
        ({"latency_ms": 1, "no_such": 1}, "no_such"),
        ({"latency_ms": -1}, "latency_ms"),
        ({"latency_ms": True}, "latency_ms"),
        ({"ws_silence": 1}, "ws_silence"),
        ({"kline_ts_offset_s": 2}, "kline_ts_offset_s"),
        ({"missing_candles": ["BTCUSDT"]}, "missing_candles"),
    ],
)
def test_a_bad_switch_is_refused_by_name_and_nothing_is_switched(
    still: Client, faults: dict[str, Any], named: str
) -> None:
    before = still.get("/admin/faults").json()
    answer = still.switch(**faults)
    assert answer.status_code == 400
    assert named in answer.json()["error"]
    assert still.get("/admin/faults").json() == before


def test_what_is_not_a_json_object_is_refused(still: Client) -> None:
    for body in ("", "[1]", "{"):
        assert requests.post(still.address + "/admin/faults", data=body, timeout=30).status_code == 400
    assert requests.put(still.address + "/admin/faults", timeout=30).status_code == 405


@pytest.mark.parametrize(
    ("switch", "status", "content"),
    [("answer_429", 429, "30013"), ("answer_418", 418, "30017"), ("answer_503", 503, "<html>")],
)
def test_the_next_answers_fail_and_then_it_is_healthy_again(
    exchange: Serve, switch: str, status: int, content: str
) -> None:
    client = exchange()
    client.switch(**{switch: 2})
    answers = [client.get("/system/time") for _ in range(3)]
    assert [answer.status_code for answer in answers] == [status, status, 200]
    assert content in answers[0].text
    assert "X-BM-RateLimit-Limit" in answers[0].headers


def test_latency_delays_every_answer(exchange: Serve) -> None:
    client = exchange()
    client.switch(latency_ms=150)
    begun = time.monotonic()
    client.get("/system/time")
    assert time.monotonic() - begun >= 0.15


def test_the_clock_can_be_skewed_with_the_market(exchange: Serve) -> None:
    client = exchange()
    client.switch(clock_skew_ms=-61_000)
    assert client.data("/system/time")["server_time"] == int(NOON.timestamp()) * 1000 - 61_000
    rows = client.data(KLINE, symbol="BTCUSDT", start_time=MINUTE_S - 120, end_time=MINUTE_S + 60)
    assert rows[-1]["timestamp"] == MINUTE_S - 60


def test_kline_times_can_be_a_second_late_on_both_sides(exchange: Serve) -> None:
    client = exchange()
    client.switch(kline_ts_offset_s=1)
    rows = client.data(KLINE, symbol="BTCUSDT", start_time=MINUTE_S - 119, end_time=MINUTE_S)
    assert [row["timestamp"] for row in rows] == [MINUTE_S - 119, MINUTE_S - 59]
    socket = client.socket()
    socket.send('{"action":"subscribe","args":["' + BTC + '"]}')
    assert expect(socket, 2)[1]["data"]["items"][0]["ts"] == MINUTE_S + 1


def test_a_missing_candle_is_missing_from_klines_and_pushes_of_its_symbol_only(exchange: Serve) -> None:
    client = exchange(NOON.replace(second=59))
    client.switch(missing_candles=[f"BTCUSDT@{MINUTE_S}"])
    socket = client.socket("futures/klineBin1m:SOLUSDT", ETH)
    client.switch(missing_candles=[f"ETHUSDT@{MINUTE_S}"])
    client.hand.move(1)
    pushes = {push["data"]["symbol"]: push["data"]["items"] for push in expect(socket, 2)}
    assert [item["ts"] for item in pushes["ETHUSDT"]] == [MINUTE_S + 60]
    assert [item["ts"] for item in pushes["SOLUSDT"]] == [MINUTE_S, MINUTE_S + 60]
    rows = client.data(KLINE, symbol="ETHUSDT", start_time=MINUTE_S - 60, end_time=MINUTE_S + 60)
    assert [row["timestamp"] for row in rows] == [MINUTE_S - 60, MINUTE_S + 60]
    client.switch(missing_candles=[f"*@{MINUTE_S}"])
    assert len(client.data(KLINE, symbol="SOLUSDT", start_time=MINUTE_S, end_time=MINUTE_S)) == 0


def test_without_final_push_the_new_candle_comes_alone(exchange: Serve) -> None:
    client = exchange(NOON.replace(second=59))
    client.switch(final_push=False)
    socket = client.socket(BTC)
    client.hand.move(1)
    (push,) = expect(socket, 1)
    assert [item["ts"] for item in push["data"]["items"]] == [MINUTE_S + 60]


def test_pushes_can_come_twice(exchange: Serve) -> None:
    client = exchange()
    socket = client.socket(BTC)
    client.switch(ws_duplicate=True)
    client.hand.move(1)
    first, second = expect(socket, 2)
    assert first == second


def volume(push: Any) -> int:
    return int(push["data"]["items"][-1]["v"])


def test_pushes_can_come_after_the_one_that_follows_them(archive: Archive) -> None:
    faults = Faults()
    hub = Hub(Pushes(Views(Market(archive, seed=1)), faults), faults, lambda: NOON)
    listener, topic = Listener(), parse_topic(BTC, archive.symbols)
    assert topic is not None
    hub.listeners.add(listener)
    hub.subscribe(listener, topic)
    faults.switch({"ws_reorder": True})
    ticks = [Moment(MINUTE_S // 60, tick) for tick in range(30, 34)]
    for since, reached in pairwise(ticks):
        hub.publish(reached, since)
    later, earlier = (json.loads(text) for text in listener.queue.get_nowait() or ())
    assert volume(later) > volume(earlier)
    assert listener.queue.empty()


def test_sockets_can_fall_silent_and_speak_again(exchange: Serve) -> None:
    client = exchange()
    socket = client.socket(BTC)
    client.switch(ws_silence=True)
    socket.send('{"action":"ping"}')
    client.hand.move(1)
    socket.settimeout(0.3)
    with pytest.raises(TimeoutError):
        socket.sock.recv(1)
    socket.settimeout(30)
    client.switch(ws_silence=False)
    client.hand.move(1)
    assert expect(socket, 1)[0]["group"] == BTC


def test_every_socket_is_dropped_once(exchange: Serve) -> None:
    client: Client = exchange()
    socket = client.socket(BTC)
    assert client.switch(ws_drop=True).json()["ws_drop"] is False
    opcode, _ = socket.recv_data()
    assert opcode == 8
    again = client.socket(BTC)
    client.hand.move(1)
    assert expect(again, 1)[0]["group"] == BTC
