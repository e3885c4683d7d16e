"""The private routes: who may ask, what is answered, and what the exchange's books say afterwards."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from decimal import Decimal
from typing import Any

import pytest
import requests

from apps.exchange.simulator.server import PLAY_KEYS, Key
from apps.exchange.simulator.server.private.api import KEYED, SIGNED
from apps.exchange.simulator.server.private.keys import SOCKET_TEXT
from tests.simulator.conftest import NOON, Client, Serve
from tests.simulator.trader import Trader

SECRET = "6c6c98544461bbe71db2bca4c6d7fd0021e0ba9efc215f9c6ad41852df9d9df9"
VECTORS = [
    ("1589793796145", b'{"symbol":"BTC_USDT","price":"8600","count":"100"}', "c31dc326bf87f38b"),
    ("1763600000000", b"{}", "629f7073ac83a187"),
    ("1763600000000", b"", "8292330225f8094e"),
    ("1763600000000", b"symbol=BTCUSDT&order_id=220609666322019", "72dcbc9d23e09543"),
    ("1589267764859", SOCKET_TEXT, "3ceeb7e1b8cb165a"),
]
BTC = {"symbol": "BTCUSDT"}
ASSETS, LEVERAGE = "/contract/private/assets-detail", "/contract/private/submit-leverage"


@pytest.mark.parametrize(("timestamp", "body", "starts"), VECTORS)
def test_signatures_are_hmac_over_timestamp_memo_and_body(timestamp: str, body: bytes, starts: str) -> None:
    assert Key("k", SECRET, "test001").sign(timestamp, body).startswith(starts)


KEYS = (
    *PLAY_KEYS,
    Key("ice", "s", "m", "frozen"),
    Key("old", "s", "m", "expired"),
    Key("far", "s", "m", "elsewhere"),
)


def signed(client: Client, changed: dict[str, str | None], body: str = '{"timeout": 0}') -> requests.Response:
    """A signed request of cancel-all-after with some headers changed, or taken away by None."""
    stamp = str(int(NOON.timestamp() * 1000))
    stamp = changed.get("X-BM-TIMESTAMP") or stamp
    text = f"{stamp}#simulator#{body}".encode()
    headers: dict[str, str | None] = {
        "X-BM-KEY": "simulator",
        "X-BM-TIMESTAMP": stamp,
        "X-BM-SIGN": hmac.new(b"simulator-secret", text, hashlib.sha256).hexdigest(),
    }
    sent = {name: value for name, value in (headers | changed).items() if value is not None}
    return requests.post(client.address + LEVERAGE, data=body, headers=sent, timeout=30)


NOW_MS = int(NOON.timestamp() * 1000)


@pytest.mark.parametrize(
    ("changed", "body", "code", "status"),
    [
        ({"X-BM-KEY": None}, "{}", 30001, 401),
        ({"X-BM-KEY": "nobody"}, "{}", 30002, 401),
        ({"X-BM-KEY": "ice"}, "{}", 30003, 401),
        ({"X-BM-SIGN": None}, "{}", 30004, 401),
        ({"X-BM-SIGN": "0" * 64}, "{}", 30005, 401),
        ({"X-BM-TIMESTAMP": None}, "{}", 30006, 401),
        ({"X-BM-TIMESTAMP": str(NOW_MS - 60_001)}, "{}", 30007, 401),
        ({"X-BM-TIMESTAMP": str(NOW_MS + 60_001)}, "{}", 30007, 401),
        ({"X-BM-TIMESTAMP": "noon"}, "{}", 30008, 401),
        ({"X-BM-KEY": "far"}, "{}", 30010, 403),
        ({"X-BM-KEY": "old"}, "{}", 30011, 403),
        ({"X-BM-KEY": "simulator-read"}, "{}", 30012, 403),
        ({}, "no json", 30018, 503),
        ({}, "[]", 30018, 503),
        ({"X-BM-TIMESTAMP": str(NOW_MS - 60_000)}, "{}", 40034, 400),
        ({}, "{}", 40034, 400),
    ],
)
def test_a_signed_request_that_proves_nothing_is_refused(
    exchange: Serve, changed: dict[str, str | None], body: str, code: int, status: int
) -> None:
    answer = signed(exchange(keys=KEYS), changed, body)
    assert (answer.json()["code"], answer.status_code) == (code, status)


def test_the_body_is_verified_byte_for_byte(still: Client) -> None:
    for body in ('{"symbol":"X"}', '{"symbol": "X"}', '{ "symbol":"é" }'):
        stamp = str(NOW_MS)
        sign = hmac.new(b"simulator-secret", f"{stamp}#simulator#{body}".encode(), hashlib.sha256).hexdigest()
        headers = {"X-BM-KEY": "simulator", "X-BM-TIMESTAMP": stamp, "X-BM-SIGN": sign}
        for sent, code in ((body, 40034), (body + " ", 30005)):
            answer = requests.post(still.address + LEVERAGE, data=sent.encode(), headers=headers, timeout=30)
            assert answer.json()["code"] == code


def test_reading_wants_a_key_alone_and_ignores_signatures(still: Client) -> None:
    assert still.get(ASSETS).json()["code"] == 30001
    reader = Trader(still, PLAY_KEYS[1])
    assert reader.get("assets-detail").json()["code"] == 1000
    headers = {"X-BM-KEY": "simulator", "X-BM-SIGN": "nonsense", "X-BM-TIMESTAMP": "1"}
    assert requests.get(still.address + ASSETS, headers=headers, timeout=30).json()["code"] == 1000


def test_a_route_asked_for_with_the_wrong_method_is_not_found(still: Client) -> None:
    for path in (*KEYED, *SIGNED):
        answer = requests.request("GET" if path in SIGNED else "POST", still.address + path, timeout=30)
        assert (answer.status_code, answer.json()["code"]) == (404, 30000), path


def test_limits_count_by_key_or_by_account_and_say_so(exchange: Serve) -> None:
    client = exchange(limits=True)
    trader, reader = Trader(client), Trader(client, PLAY_KEYS[1])
    answers = [trader.get("get-position-mode") for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert answers[0].headers["X-BM-RateLimit-Mode"] == "KEY"
    assert reader.get("get-position-mode").status_code == 200
    spent = [trader.post("cancel-all-after", **BTC, timeout=0) for _ in range(4)]
    assert {answer.headers["X-BM-RateLimit-Mode"] for answer in spent} == {"UID"}
    assert reader.post("cancel-all-after", **BTC, timeout=0).json()["code"] == 30013


def test_an_account_begins_with_play_money(exchange: Serve) -> None:
    usdt, btc, eth = Trader(exchange()).read("assets-detail")
    assert (usdt["available_balance"], usdt["equity"], btc["equity"]) == ("1000", "1000", "0")
    assert [row["currency"] for row in (usdt, btc, eth)] == ["USDT", "BTC", "ETH"]


def test_a_market_order_is_accepted_and_then_filled_with_its_protection(exchange: Serve) -> None:
    trader = Trader(exchange())
    last, _, ask = trader.quote()
    answer = trader.order(
        1,
        5,
        client_order_id="e1",
        preset_stop_loss_price=str(last - 1000),
        preset_take_profit_price=str(last + 1000),
    )
    assert (type(answer["order_id"]), answer["price"]) == (int, "market price")
    order = trader.read("order", **BTC, order_id=answer["order_id"])
    assert (order["state"], order["deal_size"], Decimal(order["deal_avg_price"])) == (4, "5", ask)
    (position,) = trader.read("position-v2")
    assert (position["current_amount"], position["position_side"]) == ("5", "long")
    stops = trader.read("current-plan-order", plan_type="profit_loss")
    assert sorted((each["type"], each["size"], each["side"]) for each in stops) == [
        ("stop_loss", "5", 3),
        ("take_profit", "5", 3),
    ]
    (trade,) = trader.read("trades", client_order_id="e1")
    assert Decimal(trade["paid_fees"]) == ask * 5 / 1000 * Decimal("0.0006")
    usdt = trader.read("assets-detail")[0]
    parts = (Decimal(usdt[name]) for name in ("available_balance", "frozen_balance", "position_deposit"))
    assert sum(parts) == Decimal(trader.books()["balance"]["wallet"])


def test_flat_positions_are_rows_only_for_a_named_contract(exchange: Serve) -> None:
    trader = Trader(exchange())
    assert trader.read("position-v2") == []
    assert [row["position_side"] for row in trader.read("position-v2", **BTC)] == ["long", "short"]
    trader.do("set-position-mode", position_mode="one_way_mode")
    (row,) = trader.read("position-v2", **BTC)
    assert (row["position_side"], row["current_amount"]) == ("both", "0")
    trader.order(4, 3)
    (row,) = trader.read("position-v2", **BTC)
    assert (row["current_amount"], row["position_amount"], row["position_type"]) == ("3", "-3", 2)


@pytest.mark.parametrize("size", [3, "3"])
def test_an_amended_size_may_come_as_text(exchange: Serve, size: int | str) -> None:
    trader = Trader(exchange())
    order_id = trader.order(1, 2, 90000)["order_id"]
    trader.do("modify-limit-order", **BTC, order_id=order_id, size=size)
    assert [row["size"] for row in trader.read("get-open-orders", **BTC)] == ["3"]
    assert trader.post("modify-limit-order", **BTC, order_id=order_id, size="3.5").json()["code"] == 40043


def test_an_order_is_found_again_by_its_client_id(exchange: Serve) -> None:
    trader = Trader(exchange())
    trader.order(1, 1, 90000, client_order_id="rests")
    assert [row["client_order_id"] for row in trader.read("get-open-orders", **BTC)] == ["rests"]
    assert (
        trader.post("submit-order", **BTC, side=1, size=1, price="90000", client_order_id="rests").json()[
            "code"
        ]
        == 40050
    )
    trader.do("cancel-order", **BTC, client_order_id="rests")
    assert trader.read("get-open-orders") == []
    (over,) = trader.read("order-history", **BTC, client_order_id="rests")
    assert (over["state"], over["deal_size"]) == (4, "0")


@pytest.mark.parametrize(
    ("route", "body", "code"),
    [
        ("cancel-order", BTC | {"order_id": "1"}, 40037),
        ("cancel-order", BTC | {"client_order_id": "over"}, 40036),
        ("modify-limit-order", BTC | {"client_order_id": "over", "size": 2}, 40036),
        ("submit-leverage", BTC | {"leverage": "20", "open_type": "isolated"}, 40040),
        ("submit-leverage", {"symbol": "ETHUSDT", "leverage": "101", "open_type": "isolated"}, 40029),
        ("submit-leverage", {"symbol": "ETHUSDT", "leverage": "0", "open_type": "isolated"}, 40030),
        ("submit-leverage", {"symbol": "ETHUSDT", "leverage": "ten", "open_type": "isolated"}, 40040),
        ("submit-leverage", {"symbol": "ETHUSDT", "leverage": "10"}, 40045),
        ("set-position-mode", {"position_mode": "one_way_mode"}, 40059),
        ("submit-order", BTC | {"side": 1, "size": "3", "price": "90000"}, 40043),
        ("submit-order", BTC | {"side": 1, "size": 1.5, "price": "90000"}, 40043),
        ("submit-order", BTC | {"side": 1, "size": 1, "price": "NaN"}, 40007),
        ("submit-order", BTC | {"side": 1, "size": 1}, 40007),
        ("submit-order", BTC | {"side": 1, "size": 1, "price": "1", "type": "stop"}, 40042),
        ("submit-order", {"symbol": "NOPEUSDT", "side": 1, "size": 1, "price": "1"}, 40034),
        ("cancel-all-after", BTC | {"timeout": 4}, 40007),
        ("submit-tp-sl-order", {"symbol": "ETHUSDT", "side": 3, "type": "stop_loss"}, 40021),
        ("submit-tp-sl-order", BTC | {"side": 1, "type": "stop_loss"}, 40041),
        (
            "/account/v1/transfer-contract",
            {"currency": "USDT", "amount": "1001", "type": "contract_to_spot"},
            42000,
        ),
        (
            "/account/v1/transfer-contract",
            {"currency": "USDT", "amount": "1", "type": "contract_to_spot", "recvWindow": 70000},
            40007,
        ),
    ],
)
def test_what_cannot_be_done_has_its_code_and_changes_nothing(
    exchange: Serve, route: str, body: dict[str, Any], code: int
) -> None:
    trader = Trader(exchange())
    trader.order(1, 5, client_order_id="over")
    before = trader.books()
    answer = trader.post(route, **body)
    assert answer.json()["code"] == code, answer.text
    assert trader.books() == before


def test_an_unknown_order_is_not_there_to_read(still: Client) -> None:
    assert Trader(still).get("order", **BTC, order_id="1").json()["code"] == 40035


def test_transfers_move_the_wallet_and_are_listed(exchange: Serve) -> None:
    trader = Trader(exchange())
    moved = {"currency": "USDT", "amount": "250.5", "type": "contract_to_spot"}
    assert trader.do("/account/v1/transfer-contract", **moved) == {"currency": "USDT", "amount": "250.5"}
    assert trader.read("assets-detail")[0]["available_balance"] == "749.5"
    records = trader.do("/account/v1/transfer-contract-list", page=1, limit=10)["records"]
    assert [(row["amount"], row["type"]) for row in records] == [
        ("250.5", "contract_to_spot"),
        ("1000", "spot_to_contract"),
    ]


def test_history_is_cut_to_the_asked_time_in_seconds(exchange: Serve) -> None:
    trader = Trader(exchange())
    trader.order(1, 1)
    now_s = int(NOON.timestamp())
    assert len(trader.read("trades", start_time=now_s, end_time=now_s)) == 1
    assert trader.read("trades", start_time=now_s - 10, end_time=now_s - 1) == []
    ninety_one_days = 91 * 86_400
    refusal = trader.get("trades", start_time=now_s - ninety_one_days, end_time=now_s)
    assert refusal.json()["code"] == 40039


def test_the_dead_mans_switch_is_served_in_seconds(exchange: Serve) -> None:
    client = exchange()
    trader = Trader(client)
    trader.order(1, 1, 90000)
    now_s = int(NOON.timestamp())
    armed = trader.do("cancel-all-after", **BTC, timeout=5)
    assert armed == {"result": True, "set_time": now_s, "cancel_time": now_s + 5}
    client.hand.move(5)
    assert trader.read("get-open-orders") == []


def test_only_this_machine_sees_the_books(still: Client) -> None:
    books = Trader(still).books()
    assert {"orders", "fills", "positions", "protections", "balance", "ledger"} <= set(books)
    json.dumps(books)


def test_an_order_accepted_before_a_restart_is_there_after_it(exchange: Serve, tmp_path: Any) -> None:
    books = tmp_path / "x.books"
    copy = tmp_path / "y.books"
    trader = Trader(exchange(books=books))
    trader.order(1, 5, client_order_id="kept")
    trader.order(1, 5, 90000, client_order_id="rests")
    copy.write_bytes(books.read_bytes())
    assert Trader(exchange(books=copy)).books() == trader.books()


def test_a_clock_that_is_moved_by_hand_fills_what_the_path_reaches(exchange: Serve) -> None:
    client = exchange()
    trader = Trader(client)
    _, bid, _ = trader.quote()
    trader.order(1, 5, bid)
    client.hand.move(3600)
    deadline = time.monotonic() + 10
    while not trader.read("trades") and time.monotonic() < deadline:
        time.sleep(0.01)
    (trade,) = trader.read("trades")
    assert (trade["exec_type"], Decimal(trade["price"])) == ("Maker", bid)
    assert int(NOON.timestamp() * 1000) < trade["create_time"] < client.hand.at.timestamp() * 1000
