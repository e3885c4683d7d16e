"""What is pushed on a topic at a moment: zero or more data objects, each with the group it goes out under."""

from __future__ import annotations

import re
from collections.abc import Callable, Container
from dataclasses import dataclass
from typing import Any

from apps.exchange.simulator.market.path import LAST_TICK, TICKS, Moment
from apps.exchange.simulator.market.ticker_stats import FUNDING_LIMIT, FUNDING_S, next_settlement_s
from apps.exchange.simulator.server import views
from apps.exchange.simulator.server.faults import Faults
from apps.exchange.simulator.server.views import Views, compact, plain, rfc3339

TICKER_SPEED = "@100ms"
"""Pushed tickers carry a speed that was not asked for: so the exchange does it."""

LEGACY_DEPTH_WAYS = ((1, "bids"), (2, "asks"))


class Pushes:
    """Builds the texts of every topic. `since` is the moment of the push before, None for a first push."""

    def __init__(self, views: Views, faults: Faults) -> None:
        self._views = views
        self._faults = faults
        self._books = DepthBooks(views)
        self._build: dict[str, Callable[[Topic, Moment, Moment | None], list[Any]]] = {
            "klineBin": self._kline,
            "markPriceKlineBin": self._kline,
            "ticker": self._ticker,
            "trade": self._trade,
            "bookticker": self._bookticker,
            "fundingRate": self._funding,
            "depth": self._depth,
            "depthAll": self._depth,
            "depthIncrease": self._depth,
        }

    def texts(self, topic: Topic, moment: Moment, since: Moment | None) -> list[str]:
        group = topic.name
        if topic.channel == "ticker" and topic.symbol:
            group += TICKER_SPEED
        return [
            compact({"group": group, "data": data})
            for data in self._build[topic.channel](topic, moment, since)
        ]

    def forget(self, topic: Topic) -> None:
        """Forget what was published: nobody listens any more."""
        self._books.forget(topic)

    def _kline(self, topic: Topic, moment: Moment, since: Moment | None) -> list[Any]:
        """At most one push in 500 ms, so none at 59.9 s: the push at the open carries the final candle."""
        if since is not None and moment.tick == LAST_TICK:
            return []
        step_s, now_s = topic.step_s, moment.minute * 60
        last_open_s = first_open_s = now_s - now_s % step_s
        if since is not None and since.minute * 60 < last_open_s and self._faults.final_push:
            first_open_s -= step_s
        stretch = self._views.market.stretch(
            topic.symbol,
            step_s,
            first_open_s,
            last_open_s,
            moment,
            mark=topic.channel == "markPriceKlineBin",
        )
        items = views.kline_items(self._views, self._faults, topic.symbol, stretch)
        return [{"symbol": topic.symbol, "items": items}] if items else []

    def _ticker(self, topic: Topic, moment: Moment, _: Moment | None) -> list[Any]:
        symbols = (topic.symbol,) if topic.symbol else self._views.market.symbols
        return [self._views.ticker(symbol, moment) for symbol in symbols]

    def _trade(self, topic: Topic, moment: Moment, since: Moment | None) -> list[Any]:
        if since is None:
            return []
        listing = self._views.listing(topic.symbol)
        ticks = min(moment.number - since.number, TICKS)
        trades = [
            {
                "trade_id": trade.number,
                "symbol": topic.symbol,
                "deal_price": listing.price_text(trade.price),
                "deal_vol": str(trade.contracts),
                "way": 1 if trade.buyer_is_maker else 5,
                "created_at": rfc3339(trade.at_s),
                "m": trade.buyer_is_maker,
            }
            for trade in self._views.market.trades(topic.symbol, moment, ticks)
        ]
        return [trades] if trades else []

    def _bookticker(self, topic: Topic, moment: Moment, _: Moment | None) -> list[Any]:
        ticker = self._views.top(topic.symbol, moment)
        return [{"symbol": topic.symbol, **ticker, "ms_t": moment.at_ms}]

    def _funding(self, topic: Topic, moment: Moment, since: Moment | None) -> list[Any]:
        if since is not None and since.minute == moment.minute:
            return []
        ticker_stats, settles_s = self._views.ticker_stats, next_settlement_s(moment)
        return [
            {
                "symbol": topic.symbol,
                "fundingRate": plain(ticker_stats.funding_rate(topic.symbol, settles_s)),
                "fundingTime": int(moment.at_s) * 1000,
                "nextFundingRate": plain(ticker_stats.funding_rate(topic.symbol, settles_s + FUNDING_S)),
                "nextFundingTime": settles_s * 1000,
                "funding_upper_limit": plain(FUNDING_LIMIT),
                "funding_lower_limit": plain(-FUNDING_LIMIT),
                "ts": moment.at_ms,
            }
        ]

    def _depth(self, topic: Topic, moment: Moment, since: Moment | None) -> list[Any]:
        if topic.channel == "depthIncrease" and since is None:
            return [self._books.snapshot(topic, moment)]
        if topic.channel == "depthIncrease":
            return [self._books.update(topic, moment)]
        sides = self._books.sides(topic, moment)
        if topic.channel == "depthAll":
            return [{"symbol": topic.symbol, **sides, "ms_t": moment.at_ms}]
        return [
            {"symbol": topic.symbol, "way": way, "depths": sides[name], "ms_t": moment.at_ms}
            for way, name in LEGACY_DEPTH_WAYS
        ]


Side = dict[str, str]
"""Price -> contracts, best first."""


@dataclass(slots=True)
class _Published:
    """What every listener of a depthIncrease topic has by now."""

    version: int
    at_ms: int
    bids: Side
    asks: Side


class DepthBooks:
    """The order books of the depth topics, and what was published of each."""

    def __init__(self, views: Views) -> None:
        self._views = views
        self._published: dict[str, _Published] = {}

    def sides(self, topic: Topic, moment: Moment) -> dict[str, list[dict[str, str]]]:
        """Return both sides as rows of price and contracts."""
        bids, asks = self._read(topic, moment)
        return {"asks": _rows(asks), "bids": _rows(bids)}

    def snapshot(self, topic: Topic, moment: Moment) -> dict[str, Any]:
        """Return the published book: a new listener starts where all others are."""
        if topic.name not in self._published:
            bids, asks = self._read(topic, moment)
            self._published[topic.name] = _Published(1, moment.at_ms, bids, asks)
        book = self._published[topic.name]
        return _message(topic, book, _rows(book.asks), _rows(book.bids), "snapshot")

    def update(self, topic: Topic, moment: Moment) -> dict[str, Any]:
        """Publish and return what changed since the last: contracts are absolute, "0" removes a level."""
        bids, asks = self._read(topic, moment)
        before = self._published.get(topic.name) or _Published(0, 0, {}, {})
        book = _Published(before.version + 1, moment.at_ms, bids, asks)
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


STEPS_MIN = {"1m": 1, "5m": 5, "15m": 15, "30m": 30, "1H": 60, "2H": 120, "4H": 240, "1D": 1440, "1W": 10080}
PRIVATE = re.compile(r"futures/(asset:\w+|position|order)")

_PUBLIC = re.compile(
    r"futures/(?:"
    r"(?P<kline>klineBin|markPriceKlineBin)(?P<step>1m|5m|15m|30m|1H|2H|4H|1D|1W)"
    r"|(?P<depth>depth|depthAll|depthIncrease)(?P<levels>5|20|50)"
    r"|(?P<plain>ticker|trade|bookticker|fundingRate)"
    r"):(?P<symbol>[A-Z0-9]+)(?P<speed>@100ms|@200ms)?"
)


@dataclass(frozen=True, slots=True)
class Topic:
    """`name` as it was asked for. `symbol` is empty for the legacy ticker of all symbols."""

    name: str
    channel: str
    symbol: str
    step_s: int = 0
    levels: int = 0


def parse_topic(name: str, symbols: Container[str]) -> Topic | None:
    """Return the topic of that name, or None when there is no such channel or symbol."""
    if name == "futures/ticker":
        return Topic(name, "ticker", "")
    match = _PUBLIC.fullmatch(name)
    if match is None or match["symbol"] not in symbols or (match["speed"] and not match["depth"]):
        return None
    if match["kline"]:
        return Topic(name, match["kline"], match["symbol"], step_s=STEPS_MIN[match["step"]] * 60)
    if match["depth"]:
        return Topic(name, match["depth"], match["symbol"], levels=int(match["levels"]))
    return Topic(name, match["plain"], match["symbol"])
