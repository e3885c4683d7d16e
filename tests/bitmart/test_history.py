from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from apps.engine.values.contract import UnknownSymbol
from apps.engine.values.timeframe import Timeframe
from apps.exchange.bitmart.history import PAGE, History
from apps.exchange.bitmart.json_field import ParseError
from apps.exchange.bitmart.read_client import ReadClient
from apps.exchange.bitmart.routes import DETAILS, KLINE, SERVER_TIME
from tests.bitmart.scripted_exchange import Exchange, Response, ok
from tests.bitmart.test_parse_market import CONTRACT, LIVE_BAR

START = datetime(2025, 6, 1, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def bar(open_time: datetime, **changes: Any) -> dict[str, Any]:
    return LIVE_BAR | {"timestamp": int(open_time.timestamp())} | changes


@pytest.fixture
def history(exchange: Exchange, client: ReadClient) -> History:
    exchange.answers = {
        DETAILS.path: [ok({"symbols": [CONTRACT]})],
        SERVER_TIME.path: [server_time()],
    }
    return History(client)


def server_time(ahead_s: float = 0.0) -> Response:
    return ok({"server_time": int((time.time() + ahead_s) * 1000)})


def test_a_page_is_asked_in_seconds_and_minutes_and_given_in_coins(
    exchange: Exchange, history: History
) -> None:
    exchange.answers[KLINE.path] = [ok([bar(START), bar(START + Timeframe.M5.duration)])]
    candles = history.candles("BTCUSDT", Timeframe.M5, START, START + 2 * Timeframe.M5.duration).candles
    assert [candle.open_time for candle in candles] == [START, START + Timeframe.M5.duration]
    assert candles[0].volume == Decimal("8.748")
    first = int(START.timestamp())
    params = {"symbol": "BTCUSDT", "step": "5", "start_time": str(first), "end_time": str(first + 599)}
    assert exchange.asked[KLINE.path] == [params]


def test_what_lies_outside_the_asked_range_is_left_out(exchange: Exchange, history: History) -> None:
    exchange.answers[KLINE.path] = [ok([bar(START - MINUTE), bar(START), bar(START + MINUTE)])]
    candles = history.candles("BTCUSDT", Timeframe.M1, START, START + MINUTE).candles
    assert [candle.open_time for candle in candles] == [START]


@pytest.mark.parametrize(("ahead_s", "closed"), [(-120.0, 0), (120.0, 1)])
def test_a_bar_is_closed_by_the_servers_clock_and_not_by_ours(
    exchange: Exchange, history: History, ahead_s: float, closed: int
) -> None:
    start = Timeframe.M1.floor(datetime.now(UTC)) + (-1 if ahead_s < 0 else 1) * MINUTE
    exchange.answers |= {SERVER_TIME.path: [server_time(ahead_s)], KLINE.path: [ok([bar(start)])]}
    assert len(history.candles("BTCUSDT", Timeframe.M1, start, start + MINUTE).candles) == closed


def test_the_servers_clock_is_measured_once_for_many_pages(exchange: Exchange, history: History) -> None:
    exchange.answers[KLINE.path] = [ok([bar(START)])]
    for _ in range(3):
        history.candles("BTCUSDT", Timeframe.M1, START, START + MINUTE)
    assert len(exchange.asked[SERVER_TIME.path]) == 1
    assert len(exchange.asked[DETAILS.path]) == 1


def test_the_offset_is_the_servers_clock_minus_ours(exchange: Exchange, history: History) -> None:
    exchange.answers[SERVER_TIME.path] = [server_time(-45.0)]
    assert history.server_offset_ms() == pytest.approx(-45_000, abs=500)


def test_a_range_longer_than_a_page_is_refused_before_anything_is_sent(
    exchange: Exchange, history: History
) -> None:
    with pytest.raises(ValueError, match=f"500 candles from .* not 1 … {PAGE}"):
        history.candles("BTCUSDT", Timeframe.H4, START, START + 500 * Timeframe.H4.duration)
    with pytest.raises(ValueError, match="0 candles"):
        history.candles("BTCUSDT", Timeframe.H4, START, START)
    with pytest.raises(ValueError, match="not aware UTC"):
        history.candles("BTCUSDT", Timeframe.M1, START.replace(tzinfo=None), START + MINUTE)
    assert not exchange.asked


def test_an_impossible_row_costs_only_itself(exchange: Exchange, history: History) -> None:
    rows = [bar(START, low_price="1e9"), bar(START + MINUTE), {"timestamp": "soon"}, None]
    exchange.answers[KLINE.path] = [ok(rows)]
    answer = history.candles("BTCUSDT", Timeframe.M1, START, START + 2 * MINUTE)
    assert [candle.open_time for candle in answer.candles] == [START + MINUTE]
    assert answer.refused == 3


def test_an_unknown_symbol_is_refused_and_does_not_reread_the_contracts_each_time(
    exchange: Exchange, history: History
) -> None:
    for _ in range(3):
        with pytest.raises(UnknownSymbol, match=r"'NOSUCH' \(1 contracts"):
            history.candles("NOSUCH", Timeframe.M1, START, START + MINUTE)
    assert len(exchange.asked[DETAILS.path]) == 1


def test_contracts_that_cannot_be_read_cost_only_themselves(exchange: Exchange, history: History) -> None:
    exchange.answers[DETAILS.path] = [ok({"symbols": [{"symbol": "BADUSDT"}, CONTRACT]})]
    assert [contract.symbol for contract in history.contracts()] == ["BTCUSDT"]


def test_a_list_of_contracts_of_which_none_can_be_read_is_a_fault_and_not_an_empty_market(
    exchange: Exchange, history: History
) -> None:
    exchange.answers[DETAILS.path] = [ok({"symbols": [{"symbol": "BADUSDT", "product_type": 1}]})]
    with pytest.raises(ParseError, match="none of 1 contracts"):
        history.contracts()
