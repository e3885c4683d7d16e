"""The market in the exchange's shapes: what both REST and WebSocket say about a contract."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from apps.exchange.simulator.market.archive import Archive
from apps.exchange.simulator.market.listing import Listing
from apps.exchange.simulator.market.market import MAX_LEVELS, Book, Market, book
from apps.exchange.simulator.market.path import Moment
from apps.exchange.simulator.market.ticker_stats import DayStats, TickerStats
from apps.exchange.simulator.server.wire import plain

RATIO_DIGITS = Decimal("1e-16")


@dataclass(frozen=True, slots=True)
class Prices:
    """A contract's prices as the wire writes them."""

    last: str
    bid: str
    ask: str
    mark: str
    index: str


class Views:
    """One market, seen through the exchange's eyes. Sizes are contracts, values USDT."""

    def __init__(self, market: Market) -> None:
        self.market = market
        self.ticker_stats = TickerStats(market)

    @property
    def archive(self) -> Archive:
        return self.market.archive

    def listing(self, symbol: str) -> Listing:
        return self.archive.listing(symbol)

    def book(self, symbol: str, moment: Moment, levels: int = MAX_LEVELS) -> Book:
        return book(self.market, symbol, moment, levels)

    def prices(self, symbol: str, moment: Moment) -> Prices:
        quotes, row, text = (
            self.market.quotes(moment),
            self.market.row[symbol],
            self.listing(symbol).price_text,
        )
        columns = (quotes.last, quotes.bid, quotes.ask, quotes.mark, quotes.index)
        return Prices(*(text(column[row]) for column in columns))

    def day(self, symbol: str, moment: Moment) -> DayStats:
        """The 24 hours up to the moment, the forming minute included."""
        day = self.ticker_stats.day(symbol, moment)
        _, high, low, last, volume = self.market.forming(symbol, 60, moment)[:, 0].tolist()
        return DayStats(
            day.opened,
            max(day.high, high),
            min(day.low, low),
            day.volume + volume,
            day.turnover + last * volume,
        )

    def change(self, symbol: str, moment: Moment) -> str:
        """The last price against that of 24 hours ago, a ratio."""
        last = int(self.market.quotes(moment).last[self.market.row[symbol]])
        opened = self.ticker_stats.day(symbol, moment).opened
        return plain((Decimal(last) / Decimal(opened) - 1).quantize(RATIO_DIGITS))

    def value(self, symbol: str, contracts: int, moment: Moment) -> str:
        """What so many contracts are worth at the last price, in USDT."""
        last = int(self.market.quotes(moment).last[self.market.row[symbol]])
        listing = self.listing(symbol)
        return plain(listing.price(last) * listing.coins(contracts))

    def top(self, symbol: str, moment: Moment) -> dict[str, str]:
        """The best bid and ask with their contracts."""
        prices, best = self.prices(symbol, moment), self.book(symbol, moment, 1)
        return {
            "best_bid_price": prices.bid,
            "best_bid_vol": str(best.bids[0][1]),
            "best_ask_price": prices.ask,
            "best_ask_vol": str(best.asks[0][1]),
        }

    def ticker(self, symbol: str, moment: Moment) -> dict[str, Any]:
        prices, top = self.prices(symbol, moment), self.top(symbol, moment)
        return {
            "symbol": symbol,
            "last_price": prices.last,
            "volume_24": str(self.day(symbol, moment).volume),
            "range": self.change(symbol, moment),
            "mark_price": prices.mark,
            "index_price": prices.index,
            "ask_price": top["best_ask_price"],
            "ask_vol": top["best_ask_vol"],
            "bid_price": top["best_bid_price"],
            "bid_vol": top["best_bid_vol"],
        }
