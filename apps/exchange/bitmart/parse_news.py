"""From BitMart's private WebSocket messages to what they concern; their figures are not read, only believed
to have changed."""

from __future__ import annotations

import json
from dataclasses import dataclass

from apps.exchange.bitmart import fields
from apps.exchange.bitmart.fields import ParseError, Row

ORDERS = "futures/order"
POSITIONS = "futures/position"
ASSET = "futures/asset:USDT"
TOPICS = (ORDERS, POSITIONS, ASSET)
_LONGEST_PONG = 100


@dataclass(frozen=True, slots=True)
class Answer:
    """To the login (`topic` empty) or to a subscription."""

    topic: str
    success: bool
    error: str


@dataclass(frozen=True, slots=True)
class Changed:
    """Symbols of the push, None among them for what concerns the whole account."""

    symbols: tuple[str | None, ...]


class Pong:
    """The answer to our ping, in any of its three known spellings."""


def message(text: str) -> Answer | Changed | Pong:
    """ParseError when `text` is none of the documented messages."""
    if len(text) < _LONGEST_PONG and "pong" in text:
        return Pong()
    row = _json(text)
    if "action" in row or "success" in row or "error" in row:
        return Answer(str(row.get("group") or ""), row.get("success") is True, str(row.get("error") or ""))
    if "data" not in row:
        raise ParseError("data", text)
    return Changed(_symbols(row))


def _symbols(row: Row) -> tuple[str | None, ...]:
    group = row.get("group")
    if group == ORDERS:
        orders = (fields.mapping(each, "data").get("order") for each in fields.sequence(row["data"], "data"))
        return tuple(dict.fromkeys(fields.text(fields.mapping(order, "order"), "symbol") for order in orders))
    if group == POSITIONS:
        held = fields.sequence(row["data"], "data")
        return tuple(dict.fromkeys(fields.text(fields.mapping(each, "data"), "symbol") for each in held))
    if isinstance(group, str) and group.startswith("futures/asset:"):
        return (None,)
    raise ParseError("group", group)


def _json(text: str) -> Row:
    try:
        return fields.mapping(json.loads(text), "message")
    except (ValueError, RecursionError):
        raise ParseError("message", text) from None
