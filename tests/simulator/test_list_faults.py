"""Faults of the private lists: one lags behind another, is empty, or holds what nobody can read."""

from __future__ import annotations

import json
from typing import Any

import pytest

from apps.exchange.simulator.server.faults import LISTS
from tests.simulator.conftest import Client, Serve
from tests.simulator.trader import PRIVATE, Trader

OPEN, HISTORY, PLANS, POSITIONS, TRADES, LEDGER = LISTS
BTC, ETH = {"symbol": "BTCUSDT"}, {"symbol": "ETHUSDT"}
READS = [(route, BTC) for route in LISTS] + [(route, {}) for route in LISTS if route != HISTORY]
STOPS = (0, 5, 10, 23, 24, 36, 40)
"""Seconds. From the tenth on BTC falls: it trades through 110962 at the 25th, through 110955 at the 29th."""


def act(trader: Trader, second: int) -> None:
    if second == 0:
        trader.order(1, 2, preset_take_profit_price="120000")
        trader.order(1, 3, 110962, preset_stop_loss_price="110955", client_order_id="falls")
        trader.order(4, 7, **ETH, preset_take_profit_price="2000")
        trader.order(4, 1, 3000, **ETH)
    if second == 10:
        wanted = BTC | {"side": 3, "executive_price": "0", "price_type": 1, "plan_category": 2}
        trader.do("submit-tp-sl-order", **wanted, type="stop_loss", trigger_price="90000")
        trader.order(2, 7, **ETH)
        trader.order(1, 1, 100000, client_order_id="far")
    if second == 24:
        trader.do("cancel-order", **BTC, client_order_id="far")


def pictures(trader: Trader) -> list[Any]:
    return [trader.read(route, **parameters) for route, parameters in READS]


def sizes(trader: Trader) -> list[str]:
    return [row["current_amount"] for row in trader.read(POSITIONS)]


@pytest.mark.parametrize("lag_s", [1, 7, 13])
def test_lists_that_lag_are_what_they_were_so_many_seconds_ago(exchange: Serve, lag_s: int) -> None:
    prompt, late = Trader(exchange()), Trader(exchange())
    pasts = {stop: max(0, stop - lag_s) for stop in STOPS}
    truth = {}
    for second in range(max(STOPS) + 1):
        act(prompt, second)
        if second in pasts.values():
            truth[second] = pictures(prompt)
        prompt.client.hand.move(1)
    for index, read in enumerate(READS):
        assert len({json.dumps(truth[second][index]) for second in truth}) > 1, f"{read} never changed"
    late.client.switch(lag_lists_s=dict.fromkeys(LISTS, lag_s))
    before = 0
    for stop, past in pasts.items():
        late.client.hand.move(stop - before)
        act(late, stop)
        for read, shown, was in zip(READS, pictures(late), truth[past], strict=True):
            assert shown == was, f"{read} at {stop} s"
        before = stop


def test_each_list_lags_by_itself_and_a_single_order_never(exchange: Serve) -> None:
    client = exchange()
    trader = Trader(client)
    client.switch(lag_lists_s={OPEN: 5, POSITIONS: 10, HISTORY: 0})
    trader.order(1, 1)
    client.hand.move(2)
    trader.order(1, 1)
    resting = trader.order(1, 1, 100000)
    client.hand.move(4)
    assert trader.read(OPEN) == []
    assert len(trader.read(HISTORY, **BTC)) == 2
    assert trader.read("order", **BTC, order_id=str(resting["order_id"]))["state"] == 2
    client.hand.move(1)
    assert [row["order_id"] for row in trader.read(OPEN)] == [str(resting["order_id"])]
    assert sizes(trader) == ["1"]
    client.hand.move(5)
    assert sizes(trader) == ["2"]


def test_a_list_that_begins_to_lag_shows_what_was_when_it_began(exchange: Serve) -> None:
    client = exchange()
    trader = Trader(client)
    for _ in range(2):  # what was remembered before is forgotten
        trader.order(1, 1)
        client.hand.move(5)
        was = trader.read(POSITIONS)
        client.switch(lag_lists_s={POSITIONS: 60})
        assert trader.read(POSITIONS) == was
        client.hand.move(5)
        trader.order(1, 1)
        assert trader.read(POSITIONS) == was
        client.switch(lag_lists_s={POSITIONS: 0})
        assert trader.read(POSITIONS) != was


def test_nothing_is_remembered_for_longer_than_the_longest_lag(exchange: Serve) -> None:
    client = exchange()
    trader = Trader(client)
    client.switch(lag_lists_s={POSITIONS: 2, TRADES: 3})
    assert sizes(trader) == []
    client.hand.move(1)
    trader.order(1, 1)
    client.hand.move(3)
    assert sizes(trader) == ["1"]
    client.switch(lag_lists_s={POSITIONS: 60})
    assert sizes(trader) == ["1"]


def test_a_clock_that_went_back_shows_nothing_of_the_future(exchange: Serve) -> None:
    client = exchange()
    trader = Trader(client)
    client.hand.move(30)
    trader.order(1, 1)
    client.switch(lag_lists_s={POSITIONS: 5})
    (held,) = trader.read(POSITIONS)
    client.hand.move(-20)
    (shown,) = trader.read(POSITIONS)
    assert shown["timestamp"] == held["timestamp"] - 20_000


@pytest.mark.parametrize(("route", "parameters"), READS)
def test_a_list_is_empty_so_many_times_though_something_is_there(
    exchange: Serve, route: str, parameters: dict[str, str]
) -> None:
    client = exchange()
    trader = Trader(client)
    act(trader, 0)
    rows = trader.read(route, **parameters)
    assert rows
    client.switch(empty_lists={route: 2})
    assert [trader.read(route, **parameters) for _ in range(3)] == [[], [], rows]
    assert client.get("/admin/faults").json()["empty_lists"] == {route: 0}


@pytest.mark.parametrize(
    ("route", "field", "sent"),
    [
        (OPEN, "deal_size", ""),
        (HISTORY, "state", 9),
        (PLANS, "trigger_price", "soon"),
        (POSITIONS, "liquidation_price", ""),
        (TRADES, "exec_type", "Ghost"),
        (LEDGER, "flow_type", 99),
        (LEDGER, "type", None),
    ],
)
def test_a_field_of_a_symbol_or_of_all_can_be_made_unreadable(
    exchange: Serve, route: str, field: str, sent: object
) -> None:
    client = exchange()
    trader = Trader(client)
    act(trader, 0)
    asked = BTC if route == HISTORY else {}
    rows = trader.read(route, **asked)
    others = [trader.read(other, **BTC) for other in LISTS if other != route]
    client.switch(garble_rows={f"{route} BTCUSDT {field}": sent})
    garbled = [row | {field: sent} if row["symbol"] == "BTCUSDT" else row for row in rows]
    assert trader.read(route, **asked) == garbled != rows
    client.switch(garble_rows={f"{route} * {field}": sent})
    assert trader.read(route, **asked) == [row | {field: sent} for row in rows]
    assert [trader.read(other, **BTC) for other in LISTS if other != route] == others
    client.switch(garble_rows={})
    assert trader.read(route, **asked) == rows


@pytest.mark.parametrize(
    ("faults", "named"),
    [
        ({"lag_lists_s": 5}, "lag_lists_s"),
        ({"lag_lists_s": {OPEN: 3601}}, "lag_lists_s"),
        ({"lag_lists_s": {PRIVATE + "order": 5}}, "lag_lists_s is only for"),
        ({"empty_lists": {OPEN: -1}}, "empty_lists"),
        ({"empty_lists": {PRIVATE + "assets-detail": 1}}, "empty_lists is only for"),
        ({"garble_rows": [f"{OPEN} * price"]}, "garble_rows"),
        ({"garble_rows": {OPEN: ""}}, "garble_rows"),
        ({"garble_rows": {f"{PRIVATE}position * leverage": ""}}, "garble_rows"),
        ({"garble_rows": {f"{OPEN} btc price": ""}}, "garble_rows"),
        ({"garble_rows": {f"{OPEN} * price": {}}}, "garble_rows"),
    ],
)
def test_a_bad_switch_of_lists_is_refused_by_name(still: Client, faults: dict[str, Any], named: str) -> None:
    answer = still.switch(**faults)
    assert answer.status_code == 400
    assert named in answer.json()["error"]
