"""What a push of book or ticker means: exact prices, as old as the exchange's stamp says."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.exchange.bitmart import push_protocol
from apps.exchange.bitmart.json_field import ParseError
from apps.exchange.bitmart.push_protocol import BookPush, MarkPush, QuotePart
from apps.exchange.transport.websocket_session import Ack, Push
from tests.bitmart import fixtures

D = Decimal
BTC = "BTCUSDT"
NOW = datetime(2026, 11, 20, 12, 0, 30, tzinfo=UTC)


def book(symbol: str = BTC, at: datetime | None = None, **changes: Any) -> dict[str, Any]:
    stamp = round((at or datetime.now(UTC)).timestamp() * 1000)
    row = {"symbol": symbol, "best_bid_price": "100.10", "best_ask_price": "100.2", "ms_t": stamp}
    return {"data": row | changes, "group": f"futures/bookticker:{symbol}"}


def ticker(symbol: str = BTC, **changes: Any) -> dict[str, Any]:
    row = {
        "symbol": symbol,
        "mark_price": "100.15",
        "last_price": "100.1",
        "bid_price": "1",
        "ask_price": "2",
    }
    return {"data": row | changes, "group": f"futures/ticker:{symbol}@100ms"}


def parts(message: Any, server_ahead: timedelta = timedelta(0)) -> list[QuotePart]:
    read = push_protocol.quote_message(json.dumps(message), NOW, lambda: NOW + server_ahead)
    assert isinstance(read, Push)
    return list(read.items)


@fixtures.needed
def test_the_recorded_pushes_are_read_as_they_were_sent() -> None:
    made_at = datetime(2024, 12, 11, 3, 25, 42, 244000, tzinfo=UTC)
    sent = fixtures.load("ws/bookticker.docs.json")
    read = push_protocol.quote_message(json.dumps(sent), made_at, lambda: made_at)
    assert read == Push(
        "futures/bookticker:BTCUSDT", (BookPush("BTCUSDT", D("97315"), D("97315.4"), made_at, made_at),)
    )
    sent = fixtures.load("ws/ticker_100ms_group.live-2025-02.json")
    assert parts(sent) == [MarkPush("ETHUSDT", D("2807.5"), D("2807.73"), NOW)]


@pytest.mark.parametrize(
    ("server_ahead_s", "made_before_s", "age_s"),
    [(0, 0, 0), (0, 2.5, 2.5), (40, 2.5, 42.5), (-40, 2.5, 0), (0, -5, 0)],
)
def test_a_book_is_as_old_as_its_stamp_by_the_exchanges_clock_and_never_younger_than_its_receipt(
    server_ahead_s: float, made_before_s: float, age_s: float
) -> None:
    [part] = parts(book(at=NOW - timedelta(seconds=made_before_s)), timedelta(seconds=server_ahead_s))
    assert NOW - part.at == timedelta(seconds=age_s)


@given(st.decimals("0.00000001", "1000000", places=8), st.decimals("0.00000001", "1000000", places=8))
def test_prices_are_read_exactly(bid: Decimal, ask: Decimal) -> None:
    [part] = parts(book(best_bid_price=str(bid), best_ask_price=str(ask)))
    assert isinstance(part, BookPush)
    assert (str(part.bid), str(part.ask)) == (str(D(str(bid))), str(D(str(ask))))


@pytest.mark.parametrize(
    "message",
    [
        {"group": "futures/bookticker:BTCUSDT", "data": []},
        book(ms_t=None),
        book(best_bid_price=None),
        book(best_ask_price="nan"),
        book() | {"group": "futures/bookticker:ETHUSDT"},
        ticker(mark_price=""),
        ticker(last_price=True),
        {"data": {}, "group": 5},
        {"group": "futures/ticker:BTCUSDT"},
    ],
)
def test_what_is_not_documented_is_a_fault_and_no_part(message: Any) -> None:
    with pytest.raises(ParseError):
        parts(message)


def test_answers_pongs_and_other_channels_are_no_parts() -> None:
    assert parts({"group": "futures/trade:BTCUSDT", "data": [1]}) == []
    ack = json.dumps({"action": "subscribe", "group": "futures/ticker:BTCUSDT@100ms", "success": True})
    assert push_protocol.quote_message(ack, NOW, lambda: NOW) == Ack("futures/ticker:BTCUSDT", True, "")
    assert push_protocol.quote_message('{"action":"pong"}', NOW, lambda: NOW) is None
