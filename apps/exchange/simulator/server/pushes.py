"""What is pushed on a topic at a moment: zero or more data objects, each with the group it goes out under."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from apps.exchange.simulator.market.market import Stretch
from apps.exchange.simulator.market.path import LAST_TICK, TICKS, Moment
from apps.exchange.simulator.market.ticker_stats import FUNDING_LIMIT, FUNDING_S, next_settlement_s
from apps.exchange.simulator.server import klines
from apps.exchange.simulator.server.books import Books
from apps.exchange.simulator.server.faults import Faults
from apps.exchange.simulator.server.topics import Topic
from apps.exchange.simulator.server.views import Views
from apps.exchange.simulator.server.wire import compact, plain, rfc3339

TICKER_SPEED = "@100ms"
"""Pushed tickers carry a speed that was not asked for: so the exchange does it."""

LEGACY_DEPTH_WAYS = ((1, "bids"), (2, "asks"))


class Pushes:
    """Builds the texts of every topic. `since` is the moment of the push before, None for a first push."""

    def __init__(self, views: Views, faults: Faults) -> None:
        self._views = views
        self._faults = faults
        self._books = Books(views)
        self._build: dict[str, Callable[[Topic, Moment, Moment | None], list[Any]]] = {
            "klineBin": self._kline,
            "markPriceKlineBin": self._kline,
            "ticker": self._ticker,
            "trade": self._trade,
            "bookticker": self._bookticker,
            "fundingRate": self._funding,
            "depth": self._depth,
            "depthAll": self._depth_all,
            "depthIncrease": self._depth_increase,
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
        """Nobody listens any more."""
        self._books.forget(topic)

    def _kline(self, topic: Topic, moment: Moment, since: Moment | None) -> list[Any]:
        """At most one push in 500 ms, so none at 59.9 s: the push at the open carries the final candle."""
        if since is not None and moment.tick == LAST_TICK:
            return []
        stretch = self._stretch(topic, moment, since)
        items = klines.items(self._views, self._faults, topic.symbol, stretch)
        return [{"symbol": topic.symbol, "items": items}] if items else []

    def _stretch(self, topic: Topic, moment: Moment, since: Moment | None) -> Stretch:
        step_s, now_s = topic.step_s, moment.minute * 60
        last_open_s = first_open_s = now_s - now_s % step_s
        if since is not None and since.minute * 60 < last_open_s and self._faults.final_push:
            first_open_s -= step_s
        mark = topic.channel == "markPriceKlineBin"
        return self._views.market.stretch(topic.symbol, step_s, first_open_s, last_open_s, moment, mark=mark)

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
        return [{"symbol": topic.symbol, **ticker, "ms_t": _ms(moment)}]

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
                "ts": _ms(moment),
            }
        ]

    def _depth(self, topic: Topic, moment: Moment, _: Moment | None) -> list[Any]:
        sides = self._books.sides(topic, moment)
        return [
            {"symbol": topic.symbol, "way": way, "depths": sides[name], "ms_t": _ms(moment)}
            for way, name in LEGACY_DEPTH_WAYS
        ]

    def _depth_all(self, topic: Topic, moment: Moment, _: Moment | None) -> list[Any]:
        return [{"symbol": topic.symbol, **self._books.sides(topic, moment), "ms_t": _ms(moment)}]

    def _depth_increase(self, topic: Topic, moment: Moment, since: Moment | None) -> list[Any]:
        if since is None:
            return [self._books.snapshot(topic, moment)]
        return [self._books.update(topic, moment)]


def _ms(moment: Moment) -> int:
    return round(moment.at_s * 1000)
