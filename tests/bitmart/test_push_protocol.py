from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.engine.values.candle import ImpossibleCandle
from apps.engine.values.timeframe import Timeframe
from apps.exchange.bitmart import push_protocol
from apps.exchange.bitmart.json_field import ParseError
from apps.exchange.bitmart.push_protocol import CandlePush
from apps.exchange.transport.websocket_session import Ack
from tests.bitmart import fixtures

NOW = datetime(2025, 6, 1, 12, 0, 30, tzinfo=UTC)
SIZES: defaultdict[str, Decimal] = defaultdict(lambda: Decimal("0.001"))
ITEM: dict[str, Any] = {
    "o": "39635.8",
    "h": "39636",
    "l": "39614.4",
    "c": "39629.7",
    "v": "31852",
    "ts": 1701617761,
}
PUSH = {"group": "futures/klineBin1m:BTCUSDT", "data": {"symbol": "BTCUSDT", "items": [ITEM]}}


def read(message: Any, sizes: Any = SIZES) -> Ack | CandlePush | None:
    return push_protocol.candle_message(json.dumps(message, default=str), _Everything(sizes), NOW)


class _Everything(dict[str, Decimal]):
    """Knows the contract size of any symbol."""

    def __init__(self, sizes: Any) -> None:
        super().__init__()
        self._sizes = sizes

    def get(self, symbol: str, default: Any = None) -> Any:
        return self._sizes[symbol]


def _recorded() -> Iterator[tuple[str, Any]]:
    for name in fixtures.names("ws/*.json"):
        recorded = fixtures.load(name)
        if name.startswith("ws/session_"):
            for message in [*recorded["received_acks"], *recorded["received_pushes"]]:
                yield name, message
        elif isinstance(recorded, list):
            yield from ((name, message) for message in recorded)
        elif "trade_row" not in name and "login_request" not in name:
            yield name, recorded


@fixtures.needed
def test_every_recorded_message_of_the_socket_is_understood() -> None:
    kinds: defaultdict[Any, int] = defaultdict(int)
    for name, recorded in _recorded():
        message = read(recorded)
        kinds[type(message)] += 1
        if "klineBin" in str(recorded.get("group")) and "action" not in recorded and "markPrice" not in name:
            assert isinstance(message, CandlePush)
            assert message.candles.values or "session" in name, name
    assert kinds[Ack] >= 10
    assert kinds[CandlePush] >= 20
    assert kinds[type(None)] == 1


@fixtures.needed
@pytest.mark.parametrize(
    ("name", "symbol", "timeframe", "open_time", "volume"),
    [
        (
            "ws/klineBin1m_items.live-2023-12.json",
            "BTCUSDT",
            Timeframe.M1,
            datetime(2023, 12, 3, 15, 36, tzinfo=UTC),
            "31.852",
        ),
        (
            "ws/klineBin5m_items.live-2025-05-aligned.json",
            "WLDUSDT",
            Timeframe.M5,
            datetime(2025, 5, 16, 20, 5, tzinfo=UTC),
            "29.572",
        ),
        (
            "ws/klineBin1m_flat.docs.json",
            "BTCUSDT",
            Timeframe.M1,
            datetime(2023, 11, 21, 2, 30, tzinfo=UTC),
            "0.146",
        ),
    ],
)
def test_both_shapes_of_a_candle_push_are_read(
    name: str, symbol: str, timeframe: Timeframe, open_time: datetime, volume: str
) -> None:
    message = read(fixtures.load(name))
    assert isinstance(message, CandlePush)
    (candle,) = message.candles.values
    assert (candle.symbol, candle.timeframe, candle.open_time) == (symbol, timeframe, open_time)
    assert (candle.volume, candle.received_at) == (Decimal(volume), NOW)


def test_a_push_with_two_bars_gives_both() -> None:
    message = read(PUSH | {"data": {"items": [ITEM, ITEM | {"ts": ITEM["ts"] + 60}]}})
    assert isinstance(message, CandlePush)
    assert len(message.candles.values) == 2


def test_a_topic_is_known_without_the_speed_the_server_appends() -> None:
    message = read(PUSH | {"group": "futures/klineBin1m:BTCUSDT@100ms"})
    assert isinstance(message, CandlePush)
    assert message.topic == push_protocol.candle_topic("BTCUSDT")
    assert message.candles.values[0].symbol == "BTCUSDT"


@pytest.mark.parametrize(
    "text", ["pong", '{"action":"pong"}', '{"group":"System","data":"pong"}', '{"event": "pong"}']
)
def test_anything_that_contains_pong_is_a_pong(text: str) -> None:
    assert push_protocol.candle_message(text, SIZES, NOW) is None


def test_a_refused_topic_is_named_with_the_exchanges_words() -> None:
    refused = {"action": "subscribe", "group": "sfutures/x:Y", "success": False, "error": "not exist"}
    assert read(refused) == Ack("sfutures/x:Y", False, "not exist")


def test_an_impossible_bar_is_dropped_and_the_others_of_the_push_stay() -> None:
    message = read(PUSH | {"data": {"items": [ITEM | {"h": "1"}, ITEM]}})
    assert isinstance(message, CandlePush)
    assert len(message.candles.values) == 1
    (fault,) = message.candles.faults
    assert isinstance(fault, ImpossibleCandle)
    assert fault.law == "high"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "null",
        "[]",
        "7",
        "{}",
        '{"data":1,"group":7}',
        "[" * 100_000,
        '{"group":"futures/klineBin1m:X"}',
    ],
)
def test_a_text_that_is_no_message_is_a_parse_error(text: str) -> None:
    with pytest.raises(ParseError):
        push_protocol.candle_message(text, SIZES, NOW)


@pytest.mark.parametrize("group", ["futures/klineBin3m:BTCUSDT", "futures/klineBin1m:NOSUCH"])
def test_a_candle_nobody_asked_for_is_a_parse_error_that_names_its_topic(group: str) -> None:
    with pytest.raises(ParseError, match=group):
        push_protocol.candle_message(json.dumps(PUSH | {"group": group}), {"BTCUSDT": Decimal(1)}, NOW)


WRONG = st.one_of(
    st.none(),
    st.booleans(),
    st.sampled_from(["", "x", "NaN", "1e99"]),
    st.lists(st.integers(), max_size=2),
    st.dictionaries(st.text(max_size=3), st.integers(), max_size=2),
)
MISSING = object()


@given(st.sampled_from(sorted(ITEM)), st.one_of(st.just(MISSING), WRONG))
def test_a_bar_with_a_wrong_field_is_dropped_with_the_fields_name(field: str, wrong: Any) -> None:
    broken = {key: value for key, value in ITEM.items() if key != field}
    if wrong is not MISSING:
        broken[field] = wrong
    message = read(PUSH | {"data": {"items": [ITEM, broken]}})
    assert isinstance(message, CandlePush)
    assert len(message.candles.values) == 1
    (fault,) = message.candles.faults
    assert isinstance(fault, ParseError)
    assert fault.field == field


@given(st.sampled_from(["group", "data", "items"]), WRONG)
def test_a_push_of_any_shape_never_raises_anything_but_a_parse_error(field: str, wrong: Any) -> None:
    push = PUSH | {field: wrong} if field in PUSH else PUSH | {"data": {"items": wrong}}
    try:
        message = read(push)
    except ParseError:
        return
    assert isinstance(message, CandlePush)
    assert message.candles.values == [] or field == "group"
