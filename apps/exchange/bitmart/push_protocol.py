"""BitMart's WebSocket, both ways: its channels and what we say there, and what its messages mean."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from urllib.parse import urlsplit, urlunsplit

from apps.engine.ports.market import FormingCandle
from apps.engine.values.candle import Candle, aligned_open_time
from apps.engine.values.timeframe import Timeframe
from apps.exchange.bitmart import json_field
from apps.exchange.bitmart.json_field import ParseError, Row, Rows
from apps.exchange.transport.websocket_session import Ack, Push

PUBLIC_PATH, PRIVATE_PATH = "/api", "/user"
TOPICS_PER_CONNECTION = 100
TOPICS_PER_MESSAGE = 20
BYTES_PER_MESSAGE = 4096
PING = '{"action":"ping"}'
ORDERS = "futures/order"
POSITIONS = "futures/position"
ASSET = "futures/asset:USDT"
ACCOUNT_TOPICS = (ORDERS, POSITIONS, ASSET)
_CANDLES = "futures/klineBin"
_BOOK = "futures/bookticker"
_TICKER = "futures/ticker"
_TIMEFRAMES = {
    "1m": Timeframe.M1,
    "5m": Timeframe.M5,
    "15m": Timeframe.M15,
    "1H": Timeframe.H1,
    "4H": Timeframe.H4,
    "1D": Timeframe.D1,
}
_LONGEST_PONG = 100


@dataclass(frozen=True, slots=True)
class CandlePush:
    """Candles of one topic, and why some could not be read; of other channels an empty one."""

    topic: str
    candles: Rows[FormingCandle]


@dataclass(frozen=True, slots=True)
class BookPush:
    """Best bid and ask as they were pushed, possible or not, and when they were made.

    `at` says so by our clock, which tells an age; `stamp` by the exchange's, which tells their order:
    our measure of its clock trembles by milliseconds.
    """

    symbol: str
    bid: Decimal
    ask: Decimal
    at: datetime
    stamp: datetime


@dataclass(frozen=True, slots=True)
class MarkPush:
    """Mark and last price as they were pushed, possible or not, and when they came: they bear no stamp."""

    symbol: str
    mark: Decimal
    last: Decimal
    at: datetime


QuotePart = BookPush | MarkPush


def channel_url(base_url: str, path: str) -> str:
    """Return the address of the channel at `path`; the path and query of `base_url` are replaced."""
    parts = urlsplit(base_url)
    return urlunsplit((parts.scheme, parts.netloc, path, "protocol=1.1", ""))


def candle_topic(symbol: str) -> str:
    return f"{_CANDLES}1m:{symbol}"


def quote_topics(symbol: str) -> tuple[str, ...]:
    """Return the topics whose pushes make up a symbol's quotes."""
    return f"{_BOOK}:{symbol}", f"{_TICKER}:{symbol}"


def subscribe_messages(topics: Sequence[str]) -> Iterator[str]:
    """Yield the messages that subscribe `topics`, in order: at most 20 and 4096 bytes of arguments each."""
    return _messages("subscribe", topics)


def unsubscribe_messages(topics: Sequence[str]) -> Iterator[str]:
    """Yield the messages that end `topics`, as `subscribe_messages` does."""
    return _messages("unsubscribe", topics)


def _messages(action: str, topics: Sequence[str]) -> Iterator[str]:
    def compact(value: object) -> str:
        return json.dumps(value, separators=(",", ":"))

    batch: list[str] = []
    for topic in topics:
        is_full = len(batch) == TOPICS_PER_MESSAGE or len(compact([*batch, topic])) > BYTES_PER_MESSAGE
        if batch and is_full:
            yield compact({"action": action, "args": batch})
            batch = []
        batch.append(topic)
    if batch:
        yield compact({"action": action, "args": batch})


def candle_message(
    text: str, contract_sizes: Mapping[str, Decimal], received_at: datetime
) -> Ack | CandlePush | None:
    """Return what a public message means, None for a pong. ParseError when it is not documented."""
    message = _public_message(text)
    if message is None or isinstance(message, Ack):
        return message
    topic, sent = message
    channel, _, symbol = topic.partition(":")
    if not channel.startswith(_CANDLES):
        return CandlePush(topic, Rows([], []))
    timeframe = _TIMEFRAMES.get(channel.removeprefix(_CANDLES))
    size = contract_sizes.get(symbol)
    if timeframe is None or size is None:
        raise ParseError("group", topic)

    def forming(bar: Row) -> FormingCandle:
        at = aligned_open_time(json_field.moment(bar, "ts"), timeframe)
        open_, high, low, close = (json_field.number(bar, field) for field in "ohlc")
        volume = json_field.number(bar, "v") * size
        Candle(symbol, timeframe, at, open_, high, low, close, volume)  # raises when it breaks their laws
        return FormingCandle(symbol, timeframe, at, open_, high, low, close, volume, received_at)

    data = json_field.mapping(sent, "data")
    items = data.get("items", [data])  # live traffic has `items`, the documentation prints one bar flat
    return CandlePush(topic, json_field.rows(items, "items", forming))


def quote_message(
    text: str, received_at: datetime, server_time: Callable[[], datetime]
) -> Ack | Push[QuotePart] | None:
    """Return what a public message means, None for a pong; of other channels an empty push.

    `server_time` gives the exchange's clock at `received_at`: a book is as old as its stamp says by it, and
    never younger than its receipt; a stamp ahead of that clock counts as of now.
    ParseError when the message is not documented.
    """
    message = _public_message(text)
    if message is None or isinstance(message, Ack):
        return message
    topic, data = message
    channel, _, symbol = topic.partition(":")
    if channel not in (_BOOK, _TICKER):
        return Push(topic, ())
    row = json_field.mapping(data, "data")
    if json_field.text(row, "symbol") != symbol:
        raise ParseError("symbol", row["symbol"])
    if channel == _TICKER:
        mark, last = json_field.number(row, "mark_price"), json_field.number(row, "last_price")
        return Push(topic, (MarkPush(symbol, mark, last, received_at),))
    bid, ask = json_field.number(row, "best_bid_price"), json_field.number(row, "best_ask_price")
    server_now = server_time()
    stamp = min(json_field.moment(row, "ms_t"), server_now)
    return Push(topic, (BookPush(symbol, bid, ask, received_at - (server_now - stamp), stamp),))


def _public_message(text: str) -> Ack | tuple[str, object] | None:
    """Return the topic of a push and its data. ParseError when it is neither that nor an answer."""
    if is_pong(text):
        return None
    row = json_field.json_object(text, "message")
    group = row.get("group", "")
    if not isinstance(group, str):
        raise ParseError("group", group)
    topic = group.partition("@")[0]  # the server may append a speed, `@100ms`, asked for or not
    if _is_ack(row):
        return Ack(topic, row.get("success") is True, str(row.get("error") or ""))
    if "data" not in row:
        raise ParseError("data", text)
    return topic, row["data"]


def account_message(text: str) -> Ack | Push[str | None] | None:
    """Return what a private message means, None for a pong. ParseError when it is not documented.

    Of a push only whom it concerns: its symbols, None among them for the whole account. Its figures are not
    read, only believed to have changed.
    """
    if is_pong(text):
        return None
    row = json_field.json_object(text, "message")
    group = row.get("group")
    if _is_ack(row):
        return Ack(str(group or ""), row.get("success") is True, str(row.get("error") or ""))
    if "data" not in row:
        raise ParseError("data", text)
    if group not in (ORDERS, POSITIONS):
        if isinstance(group, str) and group.startswith("futures/asset:"):
            return Push(group, (None,))
        raise ParseError("group", group)
    rows = [json_field.mapping(each, "data") for each in json_field.sequence(row["data"], "data")]
    if group == ORDERS:
        rows = [json_field.mapping(each.get("order"), "order") for each in rows]
    return Push(group, tuple(dict.fromkeys(json_field.text(each, "symbol") for each in rows)))


def is_pong(text: str) -> bool:
    """Whether `text` answers our ping, in any of its three known spellings."""
    return len(text) < _LONGEST_PONG and "pong" in text


def _is_ack(row: Row) -> bool:
    return "action" in row or "success" in row or "error" in row
