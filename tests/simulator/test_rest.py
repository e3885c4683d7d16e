"""The public routes answer in the exchange's shapes, units and codes."""

from __future__ import annotations

from decimal import Decimal

import pytest

from apps.exchange.simulator.market.archive import Archive
from tests.simulator.conftest import NOON, Client, Serve

KLINE = "/contract/public/kline"
NOW_S = int(NOON.timestamp())


def test_an_answer_is_an_envelope_with_a_trace_and_the_four_rate_headers(still: Client) -> None:
    answer = still.get("/system/time")
    assert answer.status_code == 200
    assert answer.json() | {"trace": ""} == {
        "code": 1000,
        "message": "Ok",
        "trace": "",
        "data": {"server_time": NOW_S * 1000},
    }
    assert answer.json()["trace"] != still.get("/system/time").json()["trace"]
    headers = {name: answer.headers[f"X-BM-RateLimit-{name}"] for name in ("Limit", "Reset", "Mode")}
    assert headers == {"Limit": "10", "Reset": "1", "Mode": "IP"}
    assert int(answer.headers["X-BM-RateLimit-Remaining"]) >= 1


@pytest.mark.parametrize(
    ("path", "parameters", "code", "status"),
    [
        ("/contract/public/nothing", {}, 30000, 404),
        ("/contract/private/close-all-position", {}, 30000, 404),
        ("/contract/public/depth", {}, 40034, 400),
        ("/contract/public/depth", {"symbol": "btcusdt"}, 40034, 400),
        ("/contract/public/details", {"symbol": "NOPEUSDT"}, 40034, 400),
        ("/contract/public/market-trade", {"symbol": "BTCUSDT", "limit": 101}, 40007, 400),
        ("/contract/public/market-trade", {"symbol": "BTCUSDT", "limit": "many"}, 40007, 400),
        ("/contract/public/funding-rate-history", {"symbol": "BTCUSDT", "limit": 0}, 40007, 400),
        (KLINE, {"symbol": "NOPEUSDT", "start_time": 0, "end_time": 1}, 40034, 400),
        (KLINE, {"symbol": "BTCUSDT", "step": 45, "start_time": 0, "end_time": 1}, 40038, 400),
        (KLINE, {"symbol": "BTCUSDT", "step": "1m", "start_time": 0, "end_time": 1}, 40038, 400),
        (KLINE, {"symbol": "BTCUSDT", "step": 1}, 40039, 400),
        (KLINE, {"symbol": "BTCUSDT", "start_time": NOW_S}, 40039, 400),
        (KLINE, {"symbol": "BTCUSDT", "start_time": NOW_S, "end_time": NOW_S - 1}, 40039, 400),
        (KLINE, {"symbol": "BTCUSDT", "start_time": NOW_S * 1000, "end_time": NOW_S * 1000}, 40039, 400),
        (KLINE, {"symbol": "BTCUSDT", "start_time": -5, "end_time": NOW_S}, 40039, 400),
        ("/contract/public/markprice-kline", {"symbol": "BTCUSDT", "step": 2}, 40038, 400),
    ],
)
def test_a_bad_request_is_refused_with_the_exchanges_code(
    still: Client, path: str, parameters: dict[str, object], code: int, status: int
) -> None:
    answer = still.get(path, **parameters)
    assert (answer.json()["code"], answer.status_code) == (code, status)
    assert answer.json()["message"]
    assert "X-BM-RateLimit-Limit" in answer.headers


def test_the_book_surrounds_the_last_price_by_the_spread(still: Client) -> None:
    for symbol in ("BTCUSDT", "ENAUSDT"):
        contract = still.data("/contract/public/details", symbol=symbol)["symbols"][0]
        last, tick = Decimal(contract["last_price"]), Decimal(contract["price_precision"])
        book = still.data("/contract/public/depth", symbol=symbol)
        bids, asks = ([Decimal(level[0]) for level in book[side]] for side in ("bids", "asks"))
        spread = max(tick, (last * 2 / 10_000 / tick).quantize(Decimal(1)) * tick)
        assert asks[0] - bids[0] == spread
        assert bids[0] <= last <= asks[0]
        assert bids == sorted(set(bids), reverse=True)
        assert asks == sorted(set(asks))
        assert len(bids) == len(asks) == 50
        for side in ("bids", "asks"):
            sizes = [int(level[1]) for level in book[side]]
            assert [int(level[2]) for level in book[side]] == [sum(sizes[: at + 1]) for at in range(50)]
            assert min(sizes) > 0


def test_trades_add_up_to_the_forming_candle(still: Client) -> None:
    size = Decimal(still.data("/contract/public/details", symbol="BTCUSDT")["symbols"][0]["contract_size"])
    trades = still.data("/contract/public/market-trade", symbol="BTCUSDT", limit=31)
    row = still.data(KLINE, symbol="BTCUSDT", start_time=NOW_S - 30, end_time=NOW_S)[-1]
    assert [trade["time"] for trade in trades] == list(range(NOW_S, NOW_S - 31, -1))
    assert sum(Decimal(trade["qty"]) for trade in trades) == int(row["volume"]) * size
    assert trades[0]["price"] == row["close_price"]
    assert max(Decimal(trade["price"]) for trade in trades) == Decimal(row["high_price"])
    assert all(Decimal(each["price"]) * Decimal(each["qty"]) == Decimal(each["quote_qty"]) for each in trades)
    assert len(still.data("/contract/public/market-trade", symbol="BTCUSDT")) == 50


def test_day_figures_are_those_of_the_last_1440_minutes_and_the_forming_one(still: Client) -> None:
    contract = still.data("/contract/public/details", symbol="LTCUSDT")["symbols"][0]
    minutes = []
    for page in range(3):
        first = NOW_S - 30 - 86_400 + page * 30_000
        last = min(first + 499 * 60, NOW_S)
        minutes += still.data(KLINE, symbol="LTCUSDT", start_time=first, end_time=last)
    assert len(minutes) == 1441
    assert Decimal(contract["high_24h"]) == max(Decimal(minute["high_price"]) for minute in minutes)
    assert Decimal(contract["low_24h"]) == min(Decimal(minute["low_price"]) for minute in minutes)
    assert int(contract["volume_24h"]) == sum(int(minute["volume"]) for minute in minutes)
    change = Decimal(contract["last_price"]) / Decimal(minutes[0]["open_price"]) - 1
    assert abs(Decimal(contract["change_24h"]) - change) < Decimal("1e-15")
    mean = (
        Decimal(contract["turnover_24h"]) / int(contract["volume_24h"]) / Decimal(contract["contract_size"])
    )
    assert Decimal(contract["low_24h"]) <= mean <= Decimal(contract["high_24h"])


def test_funding_settles_at_00_08_and_16_utc_and_history_follows_on(still: Client) -> None:
    now = still.data("/contract/public/funding-rate", symbol="BTCUSDT")
    assert now["funding_time"] == (NOW_S // 28_800 + 1) * 28_800_000
    history = still.data("/contract/public/funding-rate-history", symbol="BTCUSDT", limit=3)["list"]
    times = [int(row["funding_time"]) for row in history]
    assert times == [now["funding_time"] - 28_800_000 * back for back in (1, 2, 3)]
    rates = [Decimal(now["rate_value"]), *(Decimal(row["funding_rate"]) for row in history)]
    assert all(abs(rate) < Decimal("0.0375") for rate in rates)
    assert len(set(rates)) == 4


def test_the_expected_rate_becomes_the_rate(exchange: Serve) -> None:
    client = exchange()
    before = client.data("/contract/public/funding-rate", symbol="BTCUSDT")
    client.hand.move(8 * 3600)
    assert (
        client.data("/contract/public/funding-rate", symbol="BTCUSDT")["rate_value"]
        == before["expected_rate"]
    )
    history = client.data("/contract/public/funding-rate-history", symbol="BTCUSDT", limit=1)["list"]
    assert history[0]["funding_rate"] == before["rate_value"]


def test_details_and_brackets_list_every_contract_once(still: Client, archive: Archive) -> None:
    details = still.data("/contract/public/details")["symbols"]
    rules = still.data("/contract/public/leverage-bracket")["rules"]
    assert [each["symbol"] for each in details] == [each["symbol"] for each in rules] == list(archive.symbols)
    assert {each["status"] for each in details} == {"Trading"}


def test_the_stubs_that_ccxt_asks_for_are_there(still: Client) -> None:
    assert still.data("/spot/v1/symbols/details") == {"symbols": []}
    assert still.data("/account/v1/currencies") == {"currencies": []}
    assert still.data("/system/service") == {"service": []}


def test_health_answers_once_serving(still: Client) -> None:
    assert still.get("/healthz").status_code == 200


def test_a_second_exchange_of_the_same_state_answers_the_same(still: Client, exchange: Serve) -> None:
    other = exchange()
    for path, parameters in (
        ("/contract/public/depth", {}),
        ("/contract/public/market-trade", {}),
        (KLINE, {"start_time": NOW_S - 9999, "end_time": NOW_S}),
        ("/contract/public/details", {}),
    ):
        assert still.data(path, symbol="SOLUSDT", **parameters) == other.data(
            path, symbol="SOLUSDT", **parameters
        )
