"""ccxt 4.5.70 trades on the simulator over REST, unchanged but for its address."""

from __future__ import annotations

import time
from decimal import Decimal
from typing import Any

import pytest

from tests.clients.conftest import Drive

pytestmark = pytest.mark.slow

MINUTE_MS = 60_000


@pytest.fixture(scope="module")
def seen(drive: Drive) -> dict[str, Any]:
    return drive("ccxt_rest.py")


def test_it_finds_every_contract_tradable_with_its_tick_and_size(seen: dict[str, Any]) -> None:
    markets = seen["market"]["markets"]
    assert sorted(markets) == ["BTC/USDT:USDT", "ETH/USDT:USDT", "SOL/USDT:USDT"]
    assert all(each["active"] and each["swap"] and each["linear"] for each in markets.values())
    bitcoin = markets["BTC/USDT:USDT"]
    assert (bitcoin["contractSize"], bitcoin["precision"]) == (0.001, {"amount": 1.0, "price": 0.1})
    assert bitcoin["limits"]["leverage"] == {"min": 1.0, "max": 100.0}
    assert bitcoin["limits"]["amount"] == {"min": 1.0, "max": 20_000.0}


@pytest.mark.parametrize(
    ("name", "count", "minutes"), [("candles", 10, 1), ("candles_since", 5, 5), ("mark_candles", 3, 1)]
)
def test_candles_ascend_step_by_step(seen: dict[str, Any], name: str, count: int, minutes: int) -> None:
    opened = [candle[0] for candle in seen["market"][name]]
    assert len(opened) == count
    assert opened == list(range(opened[0], opened[-1] + 1, minutes * MINUTE_MS))
    assert all(
        low <= min(first, last) <= max(first, last) <= high
        for _, first, high, low, last, _ in seen["market"][name]
    )


def test_the_newest_candle_is_the_forming_one(seen: dict[str, Any]) -> None:
    newest, now_ms = seen["market"]["candles"][-1][0], seen["market"]["time_ms"]
    assert 0 <= now_ms - newest < 2 * MINUTE_MS
    assert abs(time.time() * 1000 - now_ms) < 10 * MINUTE_MS


def test_the_book_is_ordered_and_around_the_last_price(seen: dict[str, Any]) -> None:
    book, last = seen["market"]["book"], seen["market"]["ticker"]["last"]
    bids, asks = ([level[0] for level in book[side]] for side in ("bids", "asks"))
    assert (bids, asks) == (sorted(bids, reverse=True), sorted(asks))
    assert bids[0] < asks[0]
    assert bids[0] == pytest.approx(last, rel=0.01)


def test_tickers_funding_and_open_interest_are_told(seen: dict[str, Any]) -> None:
    market = seen["market"]
    assert market["tickers"] == sorted(market["markets"])
    assert market["ticker"]["low"] <= market["ticker"]["last"] <= market["ticker"]["high"]
    assert market["funding_rate"]["fundingTimestamp"] > market["time_ms"]
    assert [
        later - each
        for each, later in zip(market["funding_rates"], market["funding_rates"][1:], strict=False)
    ] == [8 * 60 * MINUTE_MS] * 2
    assert market["open_interest"] > 0


def test_it_reads_the_mode_and_the_balance(seen: dict[str, Any]) -> None:
    assert seen["settings"] == {"mode": True, "balance": {"free": 1000.0, "used": 0.0, "total": 1000.0}}


def test_a_resting_order_is_placed_read_changed_and_cancelled(seen: dict[str, Any]) -> None:
    resting = seen["resting"]
    order = resting["seen"]
    assert (order["id"], order["clientOrderId"]) == (resting["placed"], "rests1")
    assert (order["status"], order["side"], order["amount"], order["filled"]) == ("open", "buy", 2.0, 0.0)
    assert resting["open"] == [resting["placed"]]
    assert resting["edited"] == 3.0
    assert resting["open_after"] == []
    over = {each["id"]: each["status"] for each in resting["history"]}
    assert over == dict.fromkeys([resting["placed"], *resting["several"]], "closed")


def test_refusals_become_the_right_exceptions_of_ccxt(seen: dict[str, Any]) -> None:
    assert seen["refused"] == {
        "unknown order": "OrderNotFound",
        "too large": "InvalidOrder",
        "no money": "InsufficientFunds",
        "wrong secret": "AuthenticationError",
    }


def test_a_market_order_becomes_a_long_position(seen: dict[str, Any]) -> None:
    held = {each["side"]: each for each in seen["trading"]["positions"]}
    assert (held["long"]["contracts"], held["short"]["contracts"]) == (3.0, 0.0)
    assert held["long"]["leverage"] == 5.0
    (opening, _) = seen["trading"]["trades"]
    assert held["long"]["entryPrice"] == opening["price"]


def test_stops_targets_triggers_and_trailing_orders_wait_until_they_are_moved_or_cancelled(
    seen: dict[str, Any],
) -> None:
    trading, last = seen["trading"], seen["market"]["ticker"]["last"]
    (preset,) = trading["orphans"]
    assert trading["waiting"] == {
        preset: {"type": "stop_loss", "side": "sell", "amount": 3.0},
        trading["stop"]: {"type": "stop_loss", "side": "sell", "amount": 3.0},
        trading["target"]: {"type": "take_profit", "side": "sell", "amount": 3.0},
        trading["trigger"]: {"type": "plan", "side": "buy", "amount": 1.0},
    }
    assert trading["trailing_open"] == [trading["trailing"]]
    assert trading["moved"] == pytest.approx(last * 0.96, abs=0.1)
    assert trading["left"] == sorted([preset, trading["stop"]])


def test_the_closed_trade_adds_up_in_trades_ledger_and_balance(seen: dict[str, Any]) -> None:
    trading = seen["trading"]
    assert trading["held_after"] == [0.0, 0.0]
    opening, closing = trading["trades"]
    assert [(each["order"], each["side"], each["amount"]) for each in (opening, closing)] == [
        (trading["opened"], "buy", 3.0),
        (trading["closing"], "sell", 3.0),
    ]
    fees = opening["fee"]["cost"] + closing["fee"]["cost"]
    assert fees == pytest.approx((opening["cost"] + closing["cost"]) * 0.0006)
    total = 1000 + closing["cost"] - opening["cost"] - fees
    assert trading["balance"]["total"] == pytest.approx(total)
    assert {trading["opened"], trading["closing"]} <= set(trading["closed"])
    moved = sum(each["amount"] * (1 if each["direction"] == "in" else -1) for each in trading["ledger"])
    assert moved == pytest.approx(total)


def test_orders_with_nothing_said_are_filled_in_one_way_mode_too(seen: dict[str, Any]) -> None:
    plain = seen["plain"]
    assert plain["hedged"] is False
    assert plain["held"] == [[["long", 3.0]], [["long", 2.0]], [["long", 0.0]]]


def test_the_exchanges_books_say_the_same(seen: dict[str, Any]) -> None:
    books = seen["books"]
    assert books["positions"] == []
    assert all(each["state"] == 4 for each in (*books["orders"], *books["plans"], *books["protections"]))
    assert float(Decimal(books["balance"]["wallet"])) == seen["plain"]["balance"]["total"]
    assert len(books["fills"]) == 5
