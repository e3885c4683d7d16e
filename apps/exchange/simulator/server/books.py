"""Books as pushes: whole sides, and for depthIncrease a snapshot followed by numbered changes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from apps.exchange.simulator.market.path import Moment
from apps.exchange.simulator.server.topics import Topic
from apps.exchange.simulator.server.views import Views

Side = dict[str, str]
"""Price -> contracts, best first."""


@dataclass(slots=True)
class _Published:
    """What every listener of a depthIncrease topic has by now."""

    version: int
    at_ms: int
    bids: Side
    asks: Side


class Books:
    def __init__(self, views: Views) -> None:
        self._views = views
        self._published: dict[str, _Published] = {}

    def sides(self, topic: Topic, moment: Moment) -> dict[str, list[dict[str, str]]]:
        """Both sides as rows of price and contracts."""
        bids, asks = self._read(topic, moment)
        return {"asks": _rows(asks), "bids": _rows(bids)}

    def snapshot(self, topic: Topic, moment: Moment) -> dict[str, Any]:
        """The published book: a new listener starts where all others are."""
        if topic.name not in self._published:
            bids, asks = self._read(topic, moment)
            self._published[topic.name] = _Published(1, _ms(moment), bids, asks)
        book = self._published[topic.name]
        return _message(topic, book, _rows(book.asks), _rows(book.bids), "snapshot")

    def update(self, topic: Topic, moment: Moment) -> dict[str, Any]:
        """What changed since the last push: contracts are absolute, "0" removes a level."""
        bids, asks = self._read(topic, moment)
        before = self._published.get(topic.name) or _Published(0, 0, {}, {})
        book = _Published(before.version + 1, _ms(moment), bids, asks)
        self._published[topic.name] = book
        return _message(topic, book, _changes(before.asks, asks), _changes(before.bids, bids), "update")

    def forget(self, topic: Topic) -> None:
        self._published.pop(topic.name, None)

    def _read(self, topic: Topic, moment: Moment) -> tuple[Side, Side]:
        text = self._views.listing(topic.symbol).price_text
        book = self._views.book(topic.symbol, moment, topic.levels)
        return (
            {text(price): str(contracts) for price, contracts in book.bids},
            {text(price): str(contracts) for price, contracts in book.asks},
        )


def _message(
    topic: Topic, book: _Published, asks: list[dict[str, str]], bids: list[dict[str, str]], kind: str
) -> dict[str, Any]:
    return {
        "symbol": topic.symbol,
        "asks": asks,
        "bids": bids,
        "ms_t": book.at_ms,
        "version": book.version,
        "type": kind,
    }


def _rows(side: Side) -> list[dict[str, str]]:
    return [{"price": price, "vol": contracts} for price, contracts in side.items()]


def _changes(before: Side, now: Side) -> list[dict[str, str]]:
    gone = dict.fromkeys((price for price in before if price not in now), "0")
    changed = {price: contracts for price, contracts in now.items() if before.get(price) != contracts}
    return _rows(gone | changed)


def _ms(moment: Moment) -> int:
    return round(moment.at_s * 1000)
