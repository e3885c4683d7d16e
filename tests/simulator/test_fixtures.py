"""Every recorded example of a public answer or push has the shape the server sends: same keys, same types."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.simulator.conftest import NOON, Client, Serve, expect

FOLDER = Path(__file__).resolve().parents[2].parent / "shared" / "fixtures" / "bitmart"
pytestmark = pytest.mark.skipif(not FOLDER.exists(), reason=f"the fixtures are not at {FOLDER}")

NOW_S = int(NOON.timestamp())
SPAN = {"start_time": NOW_S - 300, "end_time": NOW_S, "step": 1}
ROUTES: dict[str, dict[str, Any]] = {
    "public_details": {},
    "public_depth": {},
    "public_market-trade": {},
    "public_kline": SPAN,
    "public_markprice-kline": SPAN,
    "public_open-interest": {},
    "public_funding-rate": {},
    "public_funding-rate-history": {},
    "public_leverage-bracket": {},
    "system_time": {},
}
EITHER_TYPE = {"trade_id", "funding_time"}
"""Numbers in one source and text in another."""


def shape(value: Any, name: str = "") -> Any:
    """Keys and types; of a list the first element."""
    if isinstance(value, dict):
        return {key: shape(each, key) for key, each in value.items()}
    if isinstance(value, list):
        return [shape(value[0], name)] if value else []
    return "either" if name in EITHER_TYPE else type(value).__name__


def holds(ours: Any, theirs: Any) -> bool:
    """Does our shape have everything theirs has, of the same type?"""
    if isinstance(theirs, dict):
        return isinstance(ours, dict) and all(key in ours and holds(ours[key], theirs[key]) for key in theirs)
    if isinstance(theirs, list):
        return isinstance(ours, list) and (not theirs or (bool(ours) and holds(ours[0], theirs[0])))
    return bool(ours == theirs)


def examples(folder: str, *starts: str) -> list[Path]:
    if not FOLDER.exists():
        return []
    return sorted(path for path in (FOLDER / folder).glob("*.json") if path.name.partition(".")[0] in starts)


@pytest.mark.parametrize("path", examples("rest", *ROUTES), ids=lambda path: path.name)
def test_a_rest_answer_has_the_recorded_shape(still: Client, path: Path) -> None:
    name = path.name.partition(".")[0]
    route = "/" + name.replace("public_", "contract/public/").replace("system_", "system/")
    ours = shape(still.get(route, symbol="BTCUSDT", **ROUTES[name]).json())
    theirs = shape(json.loads(path.read_text()))
    assert holds(ours, theirs), f"ours {ours}\ntheirs {theirs}"


PUSHES = {
    "bookticker": "futures/bookticker:BTCUSDT",
    "depth20": "futures/depth20:BTCUSDT@200ms",
    "depth50_bid_side": "futures/depth50:BTCUSDT",
    "depthAll20": "futures/depthAll20:BTCUSDT@200ms",
    "depthIncrease20_snapshot": "futures/depthIncrease20:BTCUSDT@200ms",
    "fundingRate": "futures/fundingRate:BTCUSDT",
    "klineBin1m_items": "futures/klineBin1m:BTCUSDT",
    "klineBin5m_items": "futures/klineBin5m:SOLUSDT",
    "ticker": "futures/ticker:BTCUSDT",
    "ticker_100ms_group": "futures/ticker:ETHUSDT",
}


@pytest.mark.parametrize("path", examples("ws", *PUSHES), ids=lambda path: path.name)
def test_a_push_has_the_recorded_shape_and_group(still: Client, path: Path) -> None:
    topic = PUSHES[path.name.partition(".")[0]]
    socket = still.socket()
    socket.send(json.dumps({"action": "subscribe", "args": [topic]}))
    _, push = expect(socket, 2)
    theirs = json.loads(path.read_text())
    assert holds(shape(push), shape(theirs)), f"ours {push}\ntheirs {theirs}"
    assert push["group"].partition("@")[0] == topic.partition("@")[0]


@pytest.mark.parametrize("name", ["trade.docs", "trade.live-2023-12", "depthIncrease20_update.docs"])
def test_a_push_of_a_later_tick_has_the_recorded_shape(exchange: Serve, name: str) -> None:
    client = exchange()
    theirs = json.loads((FOLDER / "ws" / f"{name}.json").read_text())
    topic = "futures/trade:BTCUSDT" if name.startswith("trade") else theirs["group"]
    socket = client.socket()
    socket.send(json.dumps({"action": "subscribe", "args": [topic]}))
    expect(socket, 1 if name.startswith("trade") else 2)
    client.hand.move(1)
    (push,) = expect(socket, 1)
    assert push["group"] == topic
    assert holds(shape(push), shape(theirs)), f"ours {push}\ntheirs {theirs}"


def test_acknowledgements_are_the_recorded_ones_word_for_word(still: Client) -> None:
    for name in (
        "ack_subscribe.live",
        "ack_unsubscribe.live",
        "subscribe_unknown_group.docs",
        "pong.observed",
    ):
        theirs = json.loads((FOLDER / "ws" / f"{name}.json").read_text())
        request = theirs.get("request", {"action": "ping"})
        socket = still.socket()
        socket.send(json.dumps(request))
        assert expect(socket, 1) == [theirs]


def test_private_topics_need_authentication_here(still: Client) -> None:
    theirs = json.loads((FOLDER / "ws" / "subscribe_needs_login.docs.json").read_text())
    socket = still.socket()
    socket.send('{"action":"subscribe","args":["futures/order"]}')
    assert expect(socket, 1) == [theirs]


def test_refusals_have_the_officials_status_and_message(still: Client) -> None:
    for path, parameters in (("/nothing", {}), ("/contract/public/depth", {"symbol": "X"})):
        answer = still.get(path, **parameters)
        (name,) = (FOLDER / "errors").glob(f"{answer.json()['code']}_*.json")
        theirs = json.loads(name.read_text())
        assert answer.status_code == theirs["http_status"]
        assert answer.json()["message"] == theirs["body"]["message"]
