"""BitMart's own SDK 2.8.0 trades on the simulator over REST, unchanged but for its address."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from tests.clients.conftest import Drive

pytestmark = pytest.mark.slow

TICK = Decimal("0.1")


@pytest.fixture(scope="module")
def seen(drive: Drive) -> dict[str, Any]:
    return drive("sdk_rest.py")


def test_it_reads_all_four_rate_headers(seen: dict[str, Any]) -> None:
    limits = seen["market"]["limits"]
    assert (limits["Limit"], limits["Reset"], limits["Mode"]) == ("12", "2", "IP")
    assert 1 <= int(limits["Remaining"]) <= 12


def test_it_reads_the_market(seen: dict[str, Any]) -> None:
    market = seen["market"]
    assert [each["symbol"] for each in market["details"]] == ["BTCUSDT", "ETHUSDT", "SOLUSDT"]
    assert [each["status"] for each in market["detail"]] == ["Trading"]
    assert Decimal(market["book"]["bids"][0][0]) < Decimal(market["book"]["asks"][0][0])
    assert market["service"] == {"service": []}
    assert market["open_interest"]["symbol"] == market["funding_rate"]["symbol"] == "BTCUSDT"
    assert len(market["funding_rates"]) == 3


@pytest.mark.parametrize(("name", "step_s", "fewest"), [("candles", 60, 10), ("mark_candles", 300, 12)])
def test_candles_ascend_in_aligned_seconds(seen: dict[str, Any], name: str, step_s: int, fewest: int) -> None:
    opened = [row["timestamp"] for row in seen["market"][name]]
    assert len(opened) >= fewest
    assert opened == list(range(opened[0] - opened[0] % step_s, opened[-1] + 1, step_s))


def test_it_sets_and_reads_mode_leverage_assets_and_fees(seen: dict[str, Any]) -> None:
    settings = seen["settings"]
    assert settings["mode_set"] == settings["mode"] == {"position_mode": "hedge_mode"}
    assert (settings["leverage"]["leverage"], settings["leverage"]["open_type"]) == ("5", "isolated")
    assert [(row["currency"], row["equity"]) for row in settings["assets"]] == [
        ("USDT", "1000"),
        ("BTC", "0"),
        ("ETH", "0"),
    ]
    assert (settings["fee"]["taker_fee_rate"], settings["fee"]["maker_fee_rate"]) == ("0.0006", "0.0002")


def test_a_resting_order_is_placed_read_changed_and_cancelled(seen: dict[str, Any]) -> None:
    resting = seen["resting"]
    order_id = resting["placed"]["order_id"]
    assert isinstance(order_id, int)
    assert (resting["seen"]["order_id"], resting["seen"]["state"]) == (str(order_id), 2)
    assert resting["seen"]["client_order_id"] == "rests1"
    assert resting["modified"] == {"order_id": order_id, "client_order_id": "rests1"}
    assert [row["size"] for row in resting["open"]] == ["3"]
    assert resting["presets"] == {"order_id": str(order_id)}
    assert resting["armed"]["cancel_time"] - resting["armed"]["set_time"] == 60
    assert resting["open_after"] == []
    assert {(row["client_order_id"], row["state"], row["deal_size"]) for row in resting["history"]} == {
        ("rests1", 4, "0"),
        ("rests2", 4, "0"),
    }


def test_refusals_arrive_with_status_and_code(seen: dict[str, Any]) -> None:
    assert seen["refused"] == {
        "unknown order": [400, 40035],
        "too large": [400, 40044],
        "wrong secret": [401, 30005],
    }


def test_a_market_order_becomes_a_short_position(seen: dict[str, Any]) -> None:
    (position,) = seen["trading"]["positions"]
    assert (position["position_type"], position["current_amount"], position["leverage"]) == (2, "3", "5")
    risk = {row["position_side"]: row for row in seen["trading"]["risk"]}
    assert risk["Short"]["position_amt"] == "3"
    assert Decimal(risk["Short"]["liquidation_price"]) > Decimal(position["entry_price"])


def test_stops_targets_plans_and_trailing_orders_are_read_moved_and_cancelled(seen: dict[str, Any]) -> None:
    trading, last = seen["trading"], Decimal(seen["market"]["detail"][0]["last_price"])
    waiting = {row["order_id"]: (row["type"], row["side"], row["size"]) for row in trading["waiting"]}
    assert waiting == {
        trading["stop"]["order_id"]: ("stop_loss", 2, "3"),
        trading["target"]["order_id"]: ("take_profit", 2, "2"),
        str(trading["plan"]["order_id"]): ("plan", 4, "1"),
    }
    assert trading["stop"]["client_order_id"] == "stop1"
    moved = {row["type"]: Decimal(row["trigger_price"]) for row in trading["protecting"]}
    assert abs(moved["stop_loss"] - last * Decimal("1.04")) <= TICK
    assert [row["order_id"] for row in trading["left"]] == [trading["stop"]["order_id"]]


def test_the_closed_trade_adds_up_in_trades_transactions_and_assets(seen: dict[str, Any]) -> None:
    trading = seen["trading"]
    assert trading["positions_after"] == []
    closing, opening = trading["trades"]
    assert [each["order_id"] for each in (opening, closing)] == [
        str(trading["opened"]["order_id"]),
        str(trading["closing"]["order_id"]),
    ]
    cost = sum(Decimal(each["paid_fees"]) for each in trading["trades"])
    assert cost == sum(Decimal(each["price"]) * 3 for each in trading["trades"]) / 1000 * Decimal("0.0006")
    profit = (Decimal(opening["price"]) - Decimal(closing["price"])) * 3 / 1000
    assert Decimal(closing["realised_profit"]) == profit
    since = [Decimal(row["amount"]) for row in trading["transactions"] if row["flow_type"] != 1]
    assert sum(since) == profit - cost
    assert Decimal(trading["assets"][0]["equity"]) == 1000 + profit - cost


def test_money_is_transferred_and_the_transfer_listed(seen: dict[str, Any]) -> None:
    assert seen["transfers"]["moved"] == {"currency": "USDT", "amount": "10"}
    newest = seen["transfers"]["list"][0]
    assert (newest["amount"], newest["type"], newest["state"]) == ("10", "spot_to_contract", "FINISHED")


def test_the_exchanges_books_say_the_same(seen: dict[str, Any]) -> None:
    books = seen["books"]
    assert books["positions"] == []
    assert all(each["state"] == 4 for each in (*books["orders"], *books["plans"], *books["protections"]))
    assert Decimal(books["balance"]["wallet"]) == Decimal(seen["trading"]["assets"][0]["equity"]) + 10
