"""From BitMart's public WebSocket messages to values: candle pushes, acknowledgements, pongs."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from apps.engine.ports import FormingCandle
from apps.engine.values.candle import Candle, aligned
from apps.engine.values.timeframe import Timeframe
from apps.exchange.bitmart import fields
from apps.exchange.bitmart.fields import ParseError, Row, Rows

_TIMEFRAMES = {
    "1m": Timeframe.M1,
    "5m": Timeframe.M5,
    "15m": Timeframe.M15,
    "1H": Timeframe.H1,
    "4H": Timeframe.H4,
    "1D": Timeframe.D1,
}
_CANDLES = "futures/klineBin"
_LONGEST_PONG = 100


@dataclass(frozen=True, slots=True)
class Ack:
    """The answer to one topic of a request; `topic` is empty when the answer names none."""

    topic: str
    success: bool
    error: str


@dataclass(frozen=True, slots=True)
class Push:
    """Candles of one topic, and why some could not be read; of other channels an empty one."""

    topic: str
    candles: Rows[FormingCandle]


class Pong:
    """The answer to our ping, in any of its three known spellings."""


Message = Ack | Push | Pong


def topic_of(symbol: str) -> str:
    return f"{_CANDLES}1m:{symbol}"


def message(text: str, contract_sizes: Mapping[str, Decimal], received_at: datetime) -> Message:
    """ParseError when `text` is none of the documented messages."""
    if len(text) < _LONGEST_PONG and "pong" in text:
        return Pong()
    row = _json(text)
    if "action" in row or "success" in row or "error" in row:
        return Ack(_topic(row), row.get("success") is True, str(row.get("error") or ""))
    if "data" not in row:
        raise ParseError("data", text)
    return Push(_topic(row), _candles(row, contract_sizes, received_at))


def _json(text: str) -> Row:
    try:
        return fields.mapping(json.loads(text, parse_float=Decimal), "message")
    except (ValueError, RecursionError):
        raise ParseError("message", text) from None


def _topic(row: Row) -> str:
    """Without the speed the server may append (`@100ms`), whether or not it was asked for."""
    group = row.get("group", "")
    if not isinstance(group, str):
        raise ParseError("group", group)
    return group.partition("@")[0]


def _candles(row: Row, contract_sizes: Mapping[str, Decimal], received_at: datetime) -> Rows[FormingCandle]:
    """Live traffic has `items`, the documentation prints one bar flat: both are read."""
    channel, _, symbol = _topic(row).partition(":")
    if not channel.startswith(_CANDLES):
        return Rows([], [])
    timeframe = _TIMEFRAMES.get(channel.removeprefix(_CANDLES))
    size = contract_sizes.get(symbol)
    if timeframe is None or size is None:
        raise ParseError("group", row.get("group"))
    data = fields.mapping(row["data"], "data")
    items = data.get("items", [data])
    return fields.rows(items, "items", _forming(symbol, timeframe, size, received_at))


def _forming(
    symbol: str, timeframe: Timeframe, contract_size: Decimal, received_at: datetime
) -> Callable[[Row], FormingCandle]:
    def read(row: Row) -> FormingCandle:
        candle = Candle(  # checks the laws of candles
            symbol,
            timeframe,
            aligned(fields.moment(row, "ts"), timeframe),
            fields.number(row, "o"),
            fields.number(row, "h"),
            fields.number(row, "l"),
            fields.number(row, "c"),
            fields.number(row, "v") * contract_size,
        )
        return FormingCandle(
            symbol,
            timeframe,
            candle.open_time,
            candle.open,
            candle.high,
            candle.low,
            candle.close,
            candle.volume,
            received_at,
        )

    return read
