"""The broker's reads: complete, or an error."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from apps.engine.ports.account import BrokerRateLimited, BrokerRejected, BrokerUnavailable
from apps.exchange.bitmart.broker import Broker
from apps.exchange.bitmart.routes import (
    ASSETS,
    DEPTH,
    DETAILS,
    LEVERAGE_BRACKET,
    MARKET_TRADE,
    MARKPRICE_KLINE,
    OPEN_ORDERS,
    ORDER,
    ORDER_HISTORY,
    PLAN_ORDERS,
    POSITIONS,
    SERVER_TIME,
    TRADES,
    TRANSACTIONS,
)
from apps.exchange.transport.rate_limiter import RateLimiter
from tests.bitmart.account_rows import (
    ASSET,
    BRACKET,
    PLAN,
    POSITION,
    TRADE,
    TRANSACTION,
    without,
)
from tests.bitmart.account_rows import (
    ORDER as ROW,
)
from tests.bitmart.conftest import CREDENTIALS
from tests.bitmart.scripted_exchange import Exchange, Response, ok, refusal

Rows = list[dict[str, Any]]
HOUR = timedelta(hours=1)


def within(rows: Rows, stamp: str, *, unit_ms: int, most: int) -> Callable[[dict[str, str]], Response]:
    """A route that shows the newest `most` rows of the span it is asked for."""

    def answer(params: dict[str, str]) -> Response:
        start, end = int(params["start_time"]) * unit_ms, int(params["end_time"]) * unit_ms
        return ok([row for row in rows if start <= int(row[stamp]) <= end][-most:])

    return answer


def ms(at: datetime) -> int:
    return int(at.timestamp() * 1000)


def test_private_reads_show_the_key_and_public_ones_do_not(exchange: Exchange, broker: Broker) -> None:
    exchange.answers |= {ASSETS.path: [ok([ASSET])], DETAILS.path: [ok({"symbols": []})]}
    assert broker.account().available == Decimal(5)
    assert broker.contracts() == []
    assert exchange.keys[ASSETS.path] == CREDENTIALS.key
    assert exchange.keys[DETAILS.path] == ""


@pytest.mark.parametrize(
    ("answer", "fault"),
    [
        (refusal(30002, 401), BrokerRejected),
        (refusal(30000, 404), BrokerRejected),
        (refusal(40034), BrokerRejected),
        (refusal(30013, 429), BrokerRateLimited),
        (refusal(30014, 503), BrokerUnavailable),
        (refusal(30017, 418), BrokerUnavailable),
        (Response(b"<html></html>", 502), BrokerUnavailable),
        (Response(b"", 200, {}, delay_s=0.8), BrokerUnavailable),
        (ok("nonsense"), BrokerUnavailable),
        (ok([without(ASSET, "frozen_balance")]), BrokerUnavailable),
    ],
    ids=lambda value: str(getattr(value, "status", "")),
)
def test_a_read_is_refused_or_unavailable(
    exchange: Exchange, broker: Broker, answer: Response, fault: type[Exception]
) -> None:
    exchange.answers[ASSETS.path] = [answer]
    with pytest.raises(fault):
        broker.account()


def test_a_read_that_can_heal_is_asked_again(exchange: Exchange, broker: Broker) -> None:
    exchange.answers[ASSETS.path] = [Response(b"", 503), ok([ASSET])]
    assert broker.account().equity == Decimal("7.5")


def test_the_exchanges_clock_is_measured_when_asked(exchange: Exchange, broker: Broker) -> None:
    exchange.answers[SERVER_TIME.path] = [lambda _: ok({"server_time": time.time_ns() // 1_000_000 + 5000})]
    assert broker.server_offset_ms() == pytest.approx(5000, abs=500)
    exchange.answers[SERVER_TIME.path] = [Response(b"", 503)]
    with pytest.raises(BrokerUnavailable):
        broker.server_offset_ms()


@pytest.mark.parametrize(
    ("path", "good", "bad", "read"),
    [
        (POSITIONS.path, POSITION, without(POSITION, "entry_price"), "positions"),
        (OPEN_ORDERS.path, ROW, without(ROW, "size"), "orders"),
        (PLAN_ORDERS.path, PLAN, without(PLAN, "trigger_price"), "protections"),
    ],
)
def test_who_is_unreadable_is_not_absent(
    exchange: Exchange, broker: Broker, path: str, good: Any, bad: Any, read: str
) -> None:
    other = bad | {"symbol": "ETHUSDT"}
    exchange.answers[path] = [ok([good, other]), ok([good, bad]), ok([good])]
    listing = getattr(broker, f"all_{read}")()
    assert (len(listing.rows), list(listing.unreadable), listing.whole) == (1, ["ETHUSDT"], True)
    with pytest.raises(BrokerUnavailable, match="1 of 2 rows are unreadable"):
        getattr(broker, read)("BTCUSDT")
    assert len(getattr(broker, read)("BTCUSDT")) == 1
    assert exchange.asked[path][1]["symbol"] == "BTCUSDT"


@pytest.mark.parametrize("nameless", [{}, {"symbol": 7}, "no row at all"])
def test_a_row_that_does_not_say_whose_it_is_leaves_nothing_known_of_who_is_absent(
    exchange: Exchange, broker: Broker, nameless: Any
) -> None:
    exchange.answers[POSITIONS.path] = [
        ok([POSITION, nameless if nameless == "no row at all" else (without(POSITION, "symbol") | nameless)])
    ]
    listing = broker.all_positions()
    assert (len(listing.rows), listing.whole) == (1, False)


@pytest.mark.parametrize(
    ("path", "row", "read"), [(OPEN_ORDERS.path, ROW, "orders"), (PLAN_ORDERS.path, PLAN, "protections")]
)
def test_a_full_page_may_lack_some(
    exchange: Exchange, broker: Broker, path: str, row: Any, read: str
) -> None:
    exchange.answers[path] = [ok([row] * 100), ok([row] * 99), ok([row] * 100)]
    assert not getattr(broker, f"all_{read}")().whole
    whole = getattr(broker, f"all_{read}")()
    assert (len(whole.rows), whole.whole) == (99, True)
    with pytest.raises(BrokerUnavailable, match="came back full"):
        getattr(broker, read)("BTCUSDT")


def test_plan_orders_that_are_no_protection_fill_a_page_all_the_same(
    exchange: Exchange, broker: Broker
) -> None:
    exchange.answers[PLAN_ORDERS.path] = [ok([PLAN | {"type": "plan"}] * 100)]
    assert not broker.all_protections().whole


def test_fills_beyond_a_page_are_found_by_narrowing(exchange: Exchange, broker: Broker) -> None:
    now = datetime.now(UTC)
    since = now - 8 * HOUR
    rows = [TRADE | {"trade_id": str(n), "create_time": ms(since) + n * 60_000 + 500} for n in range(450)]
    exchange.answers[TRADES.path] = [within(rows, "create_time", unit_ms=1000, most=200)]
    fills = broker.fills("BTCUSDT", since)
    assert [fill.trade_id for fill in fills] == [str(n) for n in range(450)]
    assert all(params["symbol"] == "BTCUSDT" for params in exchange.asked[TRADES.path])


def test_fills_before_the_moment_asked_for_are_left_out(exchange: Exchange, broker: Broker) -> None:
    since = datetime.now(UTC) - HOUR
    rows = [TRADE | {"trade_id": str(n), "create_time": ms(since) + n} for n in (-1, 1)]
    exchange.answers[TRADES.path] = [ok(rows)]
    assert [fill.trade_id for fill in broker.fills("BTCUSDT", since)] == ["1"]


def test_more_fills_in_a_moment_than_the_exchange_shows_are_unavailable(
    exchange: Exchange, broker: Broker
) -> None:
    at = datetime.now(UTC) - timedelta(seconds=20)
    rows = [TRADE | {"trade_id": str(n), "create_time": ms(at)} for n in range(201)]
    exchange.answers[TRADES.path] = [within(rows, "create_time", unit_ms=1000, most=200)]
    with pytest.raises(BrokerUnavailable, match="200 rows"):
        broker.fills("BTCUSDT", at - timedelta(seconds=2))


def test_ninety_days_are_the_longest_span_asked_for(exchange: Exchange, broker: Broker) -> None:
    exchange.answers[TRADES.path] = [ok([])]
    broker.fills("BTCUSDT", datetime.now(UTC) - timedelta(days=100))
    spans = [int(params["end_time"]) - int(params["start_time"]) for params in exchange.asked[TRADES.path]]
    assert len(spans) == 2
    assert max(spans) <= 90 * 86_400


def test_the_ledger_is_asked_for_in_milliseconds_and_rises(exchange: Exchange, broker: Broker) -> None:
    since = datetime.now(UTC) - HOUR
    rows = [TRANSACTION | {"time": str(ms(since) + n), "tran_id": str(n)} for n in (5000, 2000)]
    exchange.answers[TRANSACTIONS.path] = [within(rows, "time", unit_ms=1, most=1000)]
    lines = broker.transactions(since)
    assert [line.transaction_id.split(":")[0] for line in lines] == ["2000", "5000"]
    assert exchange.asked[TRANSACTIONS.path][0]["page_size"] == "1000"


@pytest.fixture
def empty(exchange: Exchange) -> Exchange:
    """An account in which nothing ever happened."""
    nothing = [ok([])]
    exchange.answers |= {route.path: list(nothing) for route in (OPEN_ORDERS, ORDER_HISTORY, TRADES)}
    return exchange


def test_an_order_nobody_has_is_absent_only_after_all_three_reads(empty: Exchange, broker: Broker) -> None:
    assert broker.order("BTCUSDT", "tv3e0001") is None
    assert [len(empty.asked[route.path]) for route in (OPEN_ORDERS, ORDER_HISTORY, TRADES)] == [1, 1, 1]
    assert empty.asked[ORDER_HISTORY.path][0]["client_order_id"] == "tv3e0001"


@pytest.mark.parametrize("route", [OPEN_ORDERS, ORDER_HISTORY, TRADES], ids=lambda route: route.path)
def test_a_search_with_a_failed_read_finds_nothing_out(empty: Exchange, broker: Broker, route: Any) -> None:
    empty.answers[route.path] = [Response(b"", 503)]
    with pytest.raises(BrokerUnavailable):
        broker.order("BTCUSDT", "tv3e0001")


@pytest.mark.parametrize("route", [OPEN_ORDERS, ORDER_HISTORY], ids=lambda route: route.path)
def test_an_order_is_found_open_and_in_the_history(empty: Exchange, broker: Broker, route: Any) -> None:
    other = ROW | {"client_order_id": "tv3e0002", "order_id": "5"}
    empty.answers[route.path] = [ok([other, ROW])]
    order = broker.order("BTCUSDT", "tv3e0001")
    assert order is not None
    assert order.exchange_order_id == ROW["order_id"]


def test_an_order_that_only_its_trades_show_is_read_by_its_exchange_id(
    empty: Exchange, broker: Broker
) -> None:
    empty.answers[TRADES.path] = [ok([TRADE | {"order_id": "5"}, TRADE])]
    by_id = {"5": ROW | {"order_id": "5", "client_order_id": "tv3e0009"}, ROW["order_id"]: ROW}
    empty.answers[ORDER.path] = [lambda params: ok(by_id[params["order_id"]])]
    order = broker.order("BTCUSDT", "tv3e0001")
    assert order is not None
    assert order.client_order_id == "tv3e0001"


def test_trades_of_an_order_the_exchange_no_longer_has_prove_nothing(empty: Exchange, broker: Broker) -> None:
    empty.answers |= {TRADES.path: [ok([TRADE])], ORDER.path: [refusal(40035)]}
    assert broker.order("BTCUSDT", "tv3e0001") is None


def depth(asks: Any, bids: Any, age_s: float = 0) -> Response:
    made_at = datetime.now(UTC) - timedelta(seconds=age_s)
    return ok({"asks": asks, "bids": bids, "symbol": "BTCUSDT", "timestamp": ms(made_at)})


ASKS, BIDS = [["101", "5", "5"], ["102", "5", "10"]], [["99", "5", "5"]]


def bars(age: timedelta) -> Response:
    at = int((datetime.now(UTC) - age).timestamp()) // 60 * 60
    return ok([{"timestamp": at - 60, "close_price": "98"}, {"timestamp": at, "close_price": "100.5"}])


@pytest.fixture
def quoted(exchange: Exchange) -> Exchange:
    exchange.answers |= {
        DEPTH.path: [lambda _: depth(ASKS, BIDS)],
        MARKPRICE_KLINE.path: [bars(timedelta())],
        MARKET_TRADE.path: [ok([{"price": "100", "time": 1}])],
    }
    return exchange


def test_a_quote_is_the_top_of_the_book_the_mark_and_the_last_price(quoted: Exchange, broker: Broker) -> None:
    before = datetime.now(UTC)
    quote = broker.quote("BTCUSDT")
    prices = (quote.bid, quote.ask, quote.mark, quote.last)
    assert prices == (Decimal(99), Decimal(101), Decimal("100.5"), Decimal(100))
    assert before <= quote.at <= datetime.now(UTC)


def test_a_quote_that_waited_for_its_turn_is_no_older_for_it(
    quoted: Exchange, broker: Broker, limiter: RateLimiter
) -> None:
    for route in (DEPTH, MARKPRICE_KLINE, MARKET_TRADE):
        limiter.hold(route, 1.5)
    started = datetime.now(UTC)
    quote = broker.quote("BTCUSDT")
    assert quote.at - started > timedelta(seconds=1)


def test_a_quote_is_as_old_as_the_part_that_was_read_first(
    quoted: Exchange, broker: Broker, limiter: RateLimiter
) -> None:
    limiter.hold(MARKET_TRADE, 1.5)
    quote = broker.quote("BTCUSDT")
    assert datetime.now(UTC) - quote.at > timedelta(seconds=1)


def test_a_quote_is_as_old_as_its_book(quoted: Exchange, broker: Broker) -> None:
    quoted.answers[DEPTH.path] = [lambda _: depth(ASKS, BIDS, age_s=7)]
    age = datetime.now(UTC) - broker.quote("BTCUSDT").at
    assert timedelta(seconds=6) < age < timedelta(seconds=9)


@pytest.mark.parametrize(
    ("route", "answer"),
    [
        (DEPTH, depth([], BIDS)),
        (DEPTH, depth(BIDS, BIDS)),
        (DEPTH, ok({"asks": ASKS, "bids": BIDS})),
        (MARKPRICE_KLINE, ok([])),
        (MARKPRICE_KLINE, bars(timedelta(minutes=5))),
        (MARKET_TRADE, ok([])),
    ],
)
def test_a_quote_that_lacks_a_price_is_unavailable(
    quoted: Exchange, broker: Broker, route: Any, answer: Response
) -> None:
    quoted.answers[route.path] = [answer]
    with pytest.raises(BrokerUnavailable):
        broker.quote("BTCUSDT")


def test_brackets_rise_and_an_unreadable_one_spoils_them(exchange: Exchange, broker: Broker) -> None:
    upper = BRACKET | {"notional_cap": "50000", "initial_leverage": 20, "cum": "100"}
    answers: list[Rows] = [[upper, BRACKET], [{}]]
    exchange.answers[LEVERAGE_BRACKET.path] = [
        ok({"rules": [{"symbol": "BTCUSDT", "brackets": brackets}]}) for brackets in answers
    ]
    assert [bracket.max_leverage for bracket in broker.brackets("BTCUSDT")] == [50, 20]
    with pytest.raises(BrokerUnavailable, match="unreadable"):
        broker.brackets("BTCUSDT")
