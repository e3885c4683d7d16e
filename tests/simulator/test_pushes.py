"""What is pushed, and when: everything follows the market's clock."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from apps.exchange.simulator.market.archive import Archive
from tests.simulator.conftest import NOON, Client, Serve, expect

MINUTE_S = int(NOON.timestamp()) - 30
BTC = "futures/klineBin1m:BTCUSDT"


def candle(archive: Archive, open_s: int, step_s: int = 60) -> list[str]:
    column = archive.matrix("BTCUSDT", step_s, open_s, 1)[:, 0].tolist()
    text = archive.listing("BTCUSDT").price_text
    return [*(text(ticks) for ticks in column[:4]), str(column[4])]


def numbers(item: dict[str, Any]) -> list[str]:
    return [item[name] for name in "ohlcv"]


def test_klines_are_pushed_each_second_as_the_candle_forms(exchange: Serve) -> None:
    client = exchange()
    socket = client.socket(BTC)
    volumes = []
    for _ in range(3):
        client.hand.move(1)
        (push,) = expect(socket, 1)
        (item,) = push["data"]["items"]
        assert item["ts"] == MINUTE_S
        volumes.append(int(item["v"]))
    assert volumes == sorted(set(volumes))


def test_the_push_at_the_open_carries_the_final_candle_and_the_new_one(
    exchange: Serve, archive: Archive
) -> None:
    client = exchange(NOON.replace(second=59))
    socket = client.socket(BTC, "futures/klineBin5m:BTCUSDT")
    client.hand.move(1)
    minute, five = expect(socket, 2)
    assert [item["ts"] for item in minute["data"]["items"]] == [MINUTE_S, MINUTE_S + 60]
    assert numbers(minute["data"]["items"][0]) == candle(archive, MINUTE_S)
    assert [item["ts"] for item in five["data"]["items"]] == [MINUTE_S]


def test_a_longer_candle_ends_with_its_last_minute(exchange: Serve, archive: Archive) -> None:
    client = exchange(datetime(2026, 11, 20, 15, 59, 59, tzinfo=UTC))
    socket = client.socket("futures/klineBin4H:BTCUSDT")
    client.hand.move(1)
    (push,) = expect(socket, 1)
    final, new = push["data"]["items"]
    assert numbers(final) == candle(archive, final["ts"], 14_400)
    assert new["ts"] == final["ts"] + 14_400


def test_a_clock_that_leaps_over_minutes_still_delivers_the_last_final_candle(
    exchange: Serve, archive: Archive
) -> None:
    client = exchange()
    socket = client.socket(BTC)
    client.hand.move(600)
    (push,) = expect(socket, 1)
    final, new = push["data"]["items"]
    assert (final["ts"], new["ts"]) == (MINUTE_S + 540, MINUTE_S + 600)
    assert numbers(final) == candle(archive, MINUTE_S + 540)


def test_trades_of_every_tick_are_pushed_newest_first(exchange: Serve) -> None:
    client = exchange()
    socket = client.socket()
    socket.send('{"action":"subscribe","args":["futures/trade:BTCUSDT"]}')
    expect(socket, 1)
    client.hand.move(3)
    (push,) = expect(socket, 1)
    numbers = [trade["trade_id"] for trade in push["data"]]
    assert numbers == list(range(numbers[0], numbers[0] - 3, -1))
    assert push["data"][0]["created_at"] == "2026-11-20T12:00:33.000000000Z"
    recent = client.data("/contract/public/market-trade", symbol="BTCUSDT", limit=3)
    assert [trade["deal_price"] for trade in push["data"]] == [trade["price"] for trade in recent]


def test_funding_is_pushed_at_once_and_then_each_minute(exchange: Serve) -> None:
    client = exchange()
    socket = client.socket("futures/fundingRate:BTCUSDT", "futures/bookticker:BTCUSDT")
    client.hand.move(1)
    assert [push["group"] for push in expect(socket, 1)] == ["futures/bookticker:BTCUSDT"]
    client.hand.move(60)
    assert {push["group"] for push in expect(socket, 2)} == {
        "futures/fundingRate:BTCUSDT",
        "futures/bookticker:BTCUSDT",
    }


def test_a_book_kept_by_changes_equals_the_whole_book(exchange: Serve) -> None:
    client = exchange()
    topic = "futures/depthIncrease20:BTCUSDT@200ms"
    socket = client.socket()
    socket.send(json.dumps({"action": "subscribe", "args": [topic]}))
    _, snapshot = expect(socket, 2)
    assert snapshot["data"]["type"] == "snapshot"
    book = {side: {row["price"]: row["vol"] for row in snapshot["data"][side]} for side in ("asks", "bids")}
    version = snapshot["data"]["version"]
    for _ in range(3):
        client.hand.move(1)
        (update,) = expect(socket, 1)
        version += 1
        assert (update["data"]["type"], update["data"]["version"]) == ("update", version)
        for side, levels in book.items():
            levels.update({row["price"]: row["vol"] for row in update["data"][side]})
            book[side] = {price: contracts for price, contracts in levels.items() if contracts != "0"}
    whole = client.data("/contract/public/depth", symbol="BTCUSDT")
    for side, levels in book.items():
        assert levels == {row[0]: row[1] for row in whole[side][:20]}
    socket.send(json.dumps({"action": "request", "args": [topic]}))
    _, again = expect(socket, 2)
    assert (again["data"]["type"], again["data"]["version"]) == ("snapshot", version)


def test_the_legacy_ticker_tells_of_every_symbol(still: Client, archive: Archive) -> None:
    socket = still.socket()
    socket.send('{"action":"subscribe","args":["futures/ticker"]}')
    pushes = expect(socket, 1 + len(archive.symbols))[1:]
    assert {push["group"] for push in pushes} == {"futures/ticker"}
    assert [push["data"]["symbol"] for push in pushes] == list(archive.symbols)
