"""Faults of the trading side: answers late or never, refusals on demand, protection that is not there."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import requests

from apps.exchange.simulator.matching.matching import CANCELLED, MATCHED, SUBMITTED
from tests.simulator.conftest import Client, Hand, Serve, expect
from tests.simulator.trader import Trader

SUBMIT = "/contract/private/submit-order"
BTC = {"symbol": "BTCUSDT"}
ORDER = BTC | {"side": 1, "size": 2, "type": "market", "leverage": "10", "open_type": "isolated"}
ROOT = Path(__file__).resolve().parents[2]


def test_an_answer_is_held_after_execution_until_it_is_released(exchange: Serve) -> None:
    client = exchange()
    trader = Trader(client)
    client.switch(hold_answer_s={SUBMIT: 60})
    answers: list[Any] = []
    asking = threading.Thread(target=lambda: answers.append(trader.post("submit-order", **ORDER).json()))
    asking.start()
    wait_until(lambda: trader.books()["positions"])
    assert answers == []
    client.switch(hold_answer_s={})
    asking.join(10)
    assert answers[0]["code"] == 1000


def test_an_answer_held_for_a_time_comes_by_itself(exchange: Serve) -> None:
    client = exchange()
    client.switch(hold_answer_s={SUBMIT: 1})
    started = time.monotonic()
    Trader(client).order(1, 1)
    assert time.monotonic() - started >= 1


def test_a_dropped_answer_never_comes_though_the_order_was_taken(exchange: Serve) -> None:
    client = exchange()
    trader = Trader(client)
    client.switch(drop_answers={SUBMIT: 1})
    with pytest.raises(requests.Timeout):
        trader.post("submit-order", timeout_s=0.3, **ORDER, client_order_id="lost")
    assert [order["client_order_id"] for order in trader.books()["orders"]] == ["lost"]
    assert client.get("/admin/faults").json()["drop_answers"] == {SUBMIT: 0}
    assert trader.order(1, 1)["order_id"]


@pytest.mark.parametrize(
    ("route", "body"),
    [
        ("submit-order", ORDER),
        ("submit-leverage", BTC | {"leverage": "5", "open_type": "isolated"}),
        ("get-open-orders", {}),
    ],
)
def test_a_route_can_be_made_to_refuse_with_any_code(
    exchange: Serve, route: str, body: dict[str, Any]
) -> None:
    client = exchange()
    trader = Trader(client)
    client.switch(reject={f"/contract/private/{route}": 40012})
    answer = trader.get(route) if route.startswith("get") else trader.post(route, **body)
    assert (answer.json()["code"], answer.status_code) == (40012, 400)
    assert trader.books()["orders"] == []


def test_stops_can_be_refused_while_targets_are_taken(exchange: Serve) -> None:
    client = exchange()
    trader = Trader(client)
    trader.order(1, 2)
    client.switch(refuse_stops=True)
    wanted = BTC | {"side": 3, "executive_price": "0", "price_type": 1, "plan_category": 2}
    stop = trader.post("submit-tp-sl-order", **wanted, type="stop_loss", trigger_price="90000")
    assert stop.json()["code"] == 40012
    assert trader.do("submit-tp-sl-order", **wanted, type="take_profit", trigger_price="120000")


def test_presets_and_partial_fills_follow_their_switches(exchange: Serve) -> None:
    client = exchange()
    trader = Trader(client)
    client.switch(preset_on_partial="never", fill_at_most=1)
    trader.order(1, 3, preset_stop_loss_price="90000")
    books = trader.books()
    assert [fill["contracts"] for fill in books["fills"]] == [1]
    assert books["protections"] == []
    client.switch(preset_on_partial="first_fill")
    trader.order(1, 3, preset_stop_loss_price="90000")
    assert [plan["size"] for plan in trader.books()["protections"]] == [1]


def test_a_cancel_that_comes_too_late_succeeds_and_the_order_is_filled_at_its_price(exchange: Serve) -> None:
    client = exchange()
    trader = Trader(client)
    client.switch(fill_after_cancel=1, fill_at_most=1)
    orders = [trader.order(1, 3, 100000, preset_stop_loss_price="90000") for _ in range(2)]
    for order in orders:
        assert trader.do("cancel-order", **BTC, order_id=str(order["order_id"])) == {}
    late, cancelled = trader.read("order-history", **BTC)[::-1]
    assert (late["state"], late["deal_size"], late["deal_avg_price"]) == (4, "3", "100000")
    assert (cancelled["state"], cancelled["deal_size"]) == (4, "0")
    books = trader.books()
    assert [(fill["price"], fill["contracts"], fill["maker"]) for fill in books["fills"]] == [
        ("100000", 3, True)
    ]
    assert [position["size"] for position in books["positions"]] == [3]
    assert [(plan["trigger_price"], plan["size"]) for plan in books["protections"]] == [("90000", 3)]
    assert books["balance"]["frozen"] == "0"
    assert sum(Decimal(line["amount"]) for line in books["ledger"]) == Decimal(books["balance"]["wallet"])
    assert Decimal(books["ledger"][-1]["amount"]) == -Decimal(books["fills"][0]["fee"]) < 0
    assert client.get("/admin/faults").json()["fill_after_cancel"] == 0


@pytest.mark.parametrize("route", ["cancel-orders", "cancel-order"])
def test_cancelling_all_comes_too_late_for_the_first_so_many(exchange: Serve, route: str) -> None:
    client = exchange()
    trader = Trader(client)
    for size in (1, 2, 3):
        trader.order(1, size, 100000)
    client.switch(fill_after_cancel=2)
    trader.do(route, **BTC)
    orders = trader.books()["orders"]
    assert [(order["state"], order["filled"]) for order in orders] == [(4, 1), (4, 2), (4, 0)]


def test_a_closing_order_that_is_cancelled_too_late_closes_what_is_held_and_no_more(exchange: Serve) -> None:
    client = exchange()
    trader = Trader(client)
    trader.do("set-position-mode", position_mode="one_way_mode")
    trader.order(1, 5)
    for size in (3, 1):
        trader.order(3, size, 120000)
    trader.order(4, 3)
    client.switch(fill_after_cancel=2)
    socket = trader.socket("futures/order")
    trader.do("cancel-orders", **BTC)
    pushes = [push["data"][0] for push in expect(socket, 3)]
    assert [(push["action"], push["order"]["size"], push["order"]["deal_size"]) for push in pushes] == [
        (MATCHED, "3", "2"),
        (CANCELLED, "3", "2"),
        (CANCELLED, "1", "0"),
    ]
    assert trader.books()["positions"] == []
    assert trader.read("get-open-orders") == []
    assert client.get("/admin/faults").json()["fill_after_cancel"] == 1
    trader.order(1, 1, 90000)
    (submitted,) = expect(socket, 1)
    assert submitted["data"][0]["action"] == SUBMITTED


def test_one_route_can_be_slow(exchange: Serve) -> None:
    client = exchange()
    trader = Trader(client)
    client.switch(route_latency_ms={SUBMIT: 300})
    started = time.monotonic()
    trader.order(1, 1)
    assert time.monotonic() - started >= 0.3


@pytest.mark.parametrize(
    ("faults", "named"),
    [
        ({"hold_answer_s": {SUBMIT: -1}}, "hold_answer_s"),
        ({"drop_answers": 3}, "drop_answers"),
        ({"reject": {SUBMIT: 12345}}, "reject"),
        ({"preset_on_partial": "sometimes"}, "preset_on_partial"),
        ({"fill_at_most": -1}, "fill_at_most"),
        ({"fill_after_cancel": True}, "fill_after_cancel"),
    ],
)
def test_a_bad_switch_is_refused_by_name(still: Client, faults: dict[str, Any], named: str) -> None:
    answer = still.switch(**faults)
    assert answer.status_code == 400
    assert named in answer.json()["error"]


class Now(Hand):
    """The real time, for a simulator in a process of its own."""

    def __init__(self) -> None: ...

    @property
    def at(self) -> Any:
        from datetime import UTC, datetime

        return datetime.now(UTC)


def started(folder: Path) -> tuple[subprocess.Popen[str], Trader]:
    command = [sys.executable, "manage.py", "simulator", "--port", "0", "--symbols", "2"]
    command += [
        "--state",
        str(folder / "simulator.json"),
        "--no-limits",
        "--key",
        "simulator:simulator-secret:simulator",
    ]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    address = process.stdout.readline().split()[2]
    return process, Trader(Client(address, Now()))


@pytest.mark.slow
def test_a_killed_simulator_remembers_every_order_it_acknowledged(tmp_path: Path) -> None:
    process, trader = started(tmp_path)
    try:
        for round_ in range(5):
            names = [f"r{round_}n{number}" for number in range(4)]
            for name in names:
                trader.order(1, 1, 90000, client_order_id=name)
            trader.order(1, 1, client_order_id=f"r{round_}m")
            process.send_signal(signal.SIGKILL)
            process.communicate()
            process, trader = started(tmp_path)
            known = {order["client_order_id"] for order in trader.books()["orders"]}
            assert known >= {*names, f"r{round_}m"}
        assert trader.books()["positions"][0]["size"] == 5
    finally:
        process.kill()
        process.communicate()


def wait_until(done: Any) -> None:
    deadline = time.monotonic() + 10
    while not done():
        assert time.monotonic() < deadline
        time.sleep(0.01)
