"""BitMart's own SDK 2.8.0 hears the simulator's market and its own account over WebSocket."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from tests.clients.conftest import Drive

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def seen(drive: Drive) -> dict[str, Any]:
    return drive("sdk_streams.py")


def answers(recorded: dict[str, Any], action: str) -> list[tuple[str, bool]]:
    return [(each["group"], each["success"]) for each in recorded["heard"] if each.get("action") == action]


def pushed(recorded: dict[str, Any], topic: str) -> list[Any]:
    return [
        each["data"]
        for each in recorded["heard"]
        if each.get("group", "").split("@")[0] == topic and "data" in each
    ]


def test_every_public_channel_is_acknowledged_pushed_and_left(seen: dict[str, Any]) -> None:
    public = seen["public"]
    expected = [(topic, True) for topic in public["asked"]]
    assert answers(public, "subscribe") == answers(public, "unsubscribe") == expected
    assert all(pushed(public, topic) for topic in public["asked"])


def test_the_public_channels_agree_about_the_market(seen: dict[str, Any]) -> None:
    public = seen["public"]
    last = float(pushed(public, "futures/ticker:BTCUSDT")[0]["last_price"])
    (candle,) = pushed(public, "futures/klineBin1m:BTCUSDT")[0]["items"]
    best = pushed(public, "futures/bookticker:BTCUSDT")[0]
    prices = [float(candle["c"]), float(best["best_bid_price"]), float(best["best_ask_price"])]
    assert prices == pytest.approx([last] * 3, rel=0.01)
    assert {each["way"] for each in pushed(public, "futures/depth20:BTCUSDT")} == {1, 2}
    assert pushed(public, "futures/depthIncrease5:BTCUSDT")[0]["type"] == "snapshot"


def test_its_text_pings_are_answered_and_keep_one_login_alive(seen: dict[str, Any]) -> None:
    private = seen["private"]
    assert [each for each in private["heard"] if each.get("action") == "access"] == [
        {"action": "access", "success": True}
    ]
    assert answers(private, "subscribe") == [(topic, True) for topic in private["asked"]]
    assert len(pushed(private, "System")) >= 3


def test_an_order_is_pushed_as_submitted_and_then_as_filled(seen: dict[str, Any]) -> None:
    rows = [row for rows in pushed(seen["private"], "futures/order") for row in rows]
    steps = [(row["action"], row["order"]["side"], row["order"]["deal_size"]) for row in rows]
    assert steps == [(2, 1, "0"), (1, 1, "2"), (2, 3, "0"), (1, 3, "2")]
    assert [row["order"]["state"] for row in rows if row["action"] == 1] == [4, 4]
    assert all(Decimal(row["order"]["last_trade"]["fee"]) < 0 for row in rows if row["action"] == 1)


def test_position_and_asset_follow_to_what_the_books_say(seen: dict[str, Any]) -> None:
    positions = [row for rows in pushed(seen["private"], "futures/position") for row in rows]
    assert (positions[0]["position_type"], positions[0]["hold_volume"]) == (1, "2")
    assert positions[-1]["hold_volume"] == "0"
    assert seen["books"]["positions"] == []
    asset = pushed(seen["private"], "futures/asset:USDT")[-1]
    assert Decimal(asset["available_balance"]) == Decimal(seen["books"]["balance"]["wallet"])
