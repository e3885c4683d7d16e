"""Every recorded private answer or push has the shape the server sends: same keys, same types."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.simulator.conftest import Client, Serve, expect
from tests.simulator.test_fixtures import FOLDER, examples, holds, shape
from tests.simulator.trader import Trader

pytestmark = pytest.mark.skipif(not FOLDER.exists(), reason=f"the fixtures are not at {FOLDER}")

BTC = {"symbol": "BTCUSDT"}
STOP = BTC | {
    "type": "stop_loss",
    "side": 3,
    "trigger_price": "90000",
    "executive_price": "0",
    "price_type": 1,
    "plan_category": 2,
    "client_order_id": "stop",
}
PLAN = BTC | {
    "side": 1,
    "size": 1,
    "leverage": "10",
    "open_type": "isolated",
    "trigger_price": "90000",
    "executive_price": "89000",
    "price_way": 2,
    "price_type": 1,
    "type": "limit",
}
TRAIL = BTC | {
    "side": 3,
    "size": 1,
    "leverage": "10",
    "open_type": "isolated",
    "activation_price": "120000",
    "callback_rate": "1",
    "activation_price_type": 1,
}
MOVED = {"currency": "USDT", "amount": "10", "type": "spot_to_contract"}


class Busy:
    """An account with a bit of everything on a market that stands still."""

    def __init__(self, trader: Trader) -> None:
        self.trader = trader
        trader.order(1, 3)
        self.filled = trader.order(3, 1)["order_id"]
        self.resting = self._rest()
        trader.do("submit-tp-sl-order", **STOP | {"client_order_id": "kept"})

    def _rest(self, client_order_id: str = "") -> int:
        return int(self.trader.order(1, 1, 90000, client_order_id=client_order_id)["order_id"])

    def answer(self, name: str) -> Any:
        """The whole answer of the route that a fixture is named after."""
        route, _, trader = name.removeprefix("private_"), None, self.trader
        span = {"start_time": 1790000000, "end_time": 1796000000}
        gets: dict[str, dict[str, Any]] = {
            "assets-detail": {},
            "trade-fee-rate": BTC,
            "order": BTC | {"order_id": self.filled},
            "order-history": BTC | span,
            "get-open-orders": BTC,
            "current-plan-order": BTC,
            "position": BTC,
            "position-v2": BTC,
            "position-risk": BTC,
            "trades": BTC | span,
            "transaction-history": {"flow_type": 0},
            "get-position-mode": {},
        }
        if route in gets:
            return trader.get(route, **gets[route]).json()
        if route.startswith("account_v1_"):
            path = "/account/v1/" + route.removeprefix("account_v1_")
            listing = {"page": 1, "limit": 10}
            return trader.post(path, **(listing if route.endswith("list") else MOVED)).json()
        return trader.post(route, **self._body(route)).json()

    def _body(self, route: str) -> dict[str, Any]:
        trader = self.trader
        bodies: dict[str, Any] = {
            "submit-order": lambda: (
                BTC | {"side": 1, "size": 1, "price": "90000", "leverage": "10", "open_type": "isolated"}
            ),
            "modify-limit-order": lambda: BTC | {"order_id": self._rest("m1"), "price": "90001"},
            "cancel-order": lambda: BTC | {"order_id": str(self._rest())},
            "cancel-orders": lambda: BTC,
            "cancel-all-after": lambda: BTC | {"timeout": 10},
            "submit-leverage": lambda: {"symbol": "ETHUSDT", "leverage": "5", "open_type": "isolated"},
            "set-position-mode": lambda: {"position_mode": "hedge_mode"},
            "submit-plan-order": lambda: PLAN,
            "cancel-plan-order": lambda: (
                BTC | {"order_id": str(trader.do("submit-plan-order", **PLAN)["order_id"])}
            ),
            "modify-plan-order": lambda: (
                PLAN | {"order_id": str(trader.do("submit-plan-order", **PLAN)["order_id"])}
            ),
            "submit-tp-sl-order": lambda: STOP,
            "modify-tp-sl-order": lambda: STOP | {"client_order_id": "kept"},
            "modify-preset-plan-order": lambda: (
                BTC | {"order_id": str(self.resting), "preset_stop_loss_price": "80000"}
            ),
            "submit-trail-order": lambda: TRAIL,
            "cancel-trail-order": lambda: (
                BTC | {"order_id": str(trader.do("submit-trail-order", **TRAIL)["order_id"])}
            ),
        }
        body: dict[str, Any] = bodies[route]()
        return body


@pytest.fixture
def busy(exchange: Serve) -> Busy:
    return Busy(Trader(exchange()))


ROUTES = [
    path
    for path in (sorted((FOLDER / "rest").glob("*.json")) if FOLDER.exists() else [])
    if path.name.startswith(("private_", "account_")) and not path.name.startswith("private_claim")
]


@pytest.mark.parametrize("path", ROUTES, ids=lambda path: path.name)
def test_a_private_answer_has_the_recorded_shape(busy: Busy, path: Path) -> None:
    ours = busy.answer(path.name.partition(".")[0])
    theirs = json.loads(path.read_text())
    assert ours["code"] == 1000, ours
    assert holds(shape(ours), shape(theirs)), f"ours {shape(ours)}\ntheirs {shape(theirs)}"


PUSHES = {
    "asset": "futures/asset:USDT",
    "position": "futures/position",
    "position_hedge_two_rows": "futures/position",
    "order_cancel": "futures/order",
    "order_submit_market": "futures/order",
}


@pytest.mark.parametrize("path", examples("ws", *PUSHES), ids=lambda path: path.name)
def test_a_private_push_has_the_recorded_shape(exchange: Serve, path: Path) -> None:
    trader, theirs = Trader(exchange()), json.loads(path.read_text())
    socket = trader.socket(PUSHES[path.name.partition(".")[0]])
    trader.order(1, 1)
    messages = expect(socket, 2 if "order" in path.name else 1)
    ours = messages[-1] if "cancel" in path.name else messages[0]
    assert holds(shape(ours), shape(theirs)), f"ours {ours}\ntheirs {theirs}"


def test_an_orders_life_is_pushed_with_the_keys_of_the_recorded_one(exchange: Serve) -> None:
    theirs = json.loads((FOLDER / "ws" / "order_lifecycle.synthetic.json").read_text())
    trader = Trader(exchange())
    socket = trader.socket("futures/order")
    order = trader.order(1, 1, 90000)
    trader.do("cancel-order", symbol="BTCUSDT", order_id=str(order["order_id"]))
    for message in expect(socket, 2):
        assert set(message["data"][0]["order"]) == set(theirs[0]["data"][0]["order"])


def test_the_recorded_logins_are_answered_word_for_word(still: Client) -> None:
    refused = json.loads((FOLDER / "ws" / "login_failed.docs.json").read_text())
    request = {"action": "access", "args": ["880d5edecsSECRET", "1", "2", "web"]}
    socket = still.private_socket()
    socket.send(json.dumps({"action": "subscribe", "args": ["futures/order"]}))
    socket.send(json.dumps(request))
    needs_login = json.loads((FOLDER / "ws" / "subscribe_needs_login.docs.json").read_text())
    assert expect(socket, 2) == [needs_login, refused]
    opcode, _ = socket.recv_data()
    assert opcode == 8
