"""The market in the exchange's shapes: what both REST and WebSocket say about a contract."""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from apps.exchange.simulator.codes import REFUSALS, Code
from apps.exchange.simulator.market.archive import Archive
from apps.exchange.simulator.market.listing import Listing
from apps.exchange.simulator.market.market import MAX_LEVELS, Book, Market, Stretch, book
from apps.exchange.simulator.market.path import Moment
from apps.exchange.simulator.market.ticker_stats import (
    FUNDING_HOURS,
    FUNDING_S,
    DayStats,
    TickerStats,
    next_settlement_s,
)
from apps.exchange.simulator.server.faults import Faults

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


def contract_detail(views: Views, symbol: str, moment: Moment) -> dict[str, Any]:
    listing, prices, day = views.listing(symbol), views.prices(symbol, moment), views.day(symbol, moment)
    interest, settles_s = views.ticker_stats.open_interest(symbol, moment), next_settlement_s(moment)
    turnover = Decimal(day.turnover).scaleb(-listing.price_decimals - listing.volume_decimals)
    return {
        "symbol": symbol,
        "product_type": 1,
        "open_timestamp": listing.listed_at_ms,
        "expire_timestamp": 0,
        "settle_timestamp": 0,
        "base_currency": listing.base,
        "quote_currency": "USDT",
        "index_name": symbol,
        "contract_size": plain(listing.contract_size),
        "min_leverage": "1",
        "max_leverage": str(listing.max_leverage),
        "price_precision": plain(listing.tick),
        "vol_precision": "1",
        "max_volume": str(listing.max_volume),
        "market_max_volume": str(listing.market_max_volume),
        "min_volume": "1",
        "status": listing.status,
        "delist_time": 0,
        "last_price": prices.last,
        "index_price": prices.index,
        "volume_24h": str(day.volume),
        "turnover_24h": plain(turnover),
        "high_24h": listing.price_text(day.high),
        "low_24h": listing.price_text(day.low),
        "change_24h": views.change(symbol, moment),
        "open_interest": str(interest),
        "open_interest_value": views.value(symbol, interest, moment),
        "funding_rate": plain(views.ticker_stats.funding_rate(symbol, settles_s)),
        "expected_funding_rate": plain(views.ticker_stats.funding_rate(symbol, settles_s + FUNDING_S)),
        "funding_interval_hours": FUNDING_HOURS,
        "funding_time": settles_s * 1000,
    }


MAX_ROWS = 500


def kline_rows(
    views: Views,
    faults: Faults,
    symbol: str,
    step_s: int,
    span_s: tuple[int, int],
    moment: Moment,
    *,
    mark: bool,
) -> list[dict[str, Any]]:
    """Rows with start <= timestamp <= end, rising, the forming one too; the newest 500 of a longer span."""
    offset = faults.kline_ts_offset_s
    first = -(-(span_s[0] - offset) // step_s) * step_s
    newest = min(span_s[1] - offset, moment.minute * 60)
    last = newest - newest % step_s
    first = max(first, last - (MAX_ROWS - 1) * step_s, 0)
    if last < first:
        return []
    stretch = views.market.stretch(symbol, step_s, first, last, moment, mark=mark)
    keys = ("open_price", "high_price", "low_price", "close_price", "volume", "timestamp")
    return [dict(zip(keys, each, strict=True)) for each in _written(views, faults, symbol, stretch)]


def kline_items(views: Views, faults: Faults, symbol: str, stretch: Stretch) -> list[dict[str, Any]]:
    """The same in a push's short names."""
    return [
        dict(zip("ohlcv", each, strict=False)) | {"ts": each[5]}
        for each in _written(views, faults, symbol, stretch)
    ]


def _written(
    views: Views, faults: Faults, symbol: str, stretch: Stretch
) -> list[tuple[str, str, str, str, str, int]]:
    text = views.listing(symbol).price_text
    written = []
    for at, (opened, high, low, closed, volume) in enumerate(stretch.candles.T.tolist()):
        open_s = stretch.first_open_s + at * stretch.step_s
        if not faults.misses(symbol, open_s, stretch.step_s):
            stamp = open_s + faults.kline_ts_offset_s
            written.append((text(opened), text(high), text(low), text(closed), str(volume), stamp))
    return written


def compact(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"))


def success_body(data: Any) -> bytes:
    return compact(
        {"code": Code.OK.value, "message": "Ok", "trace": str(uuid.uuid4()), "data": data}
    ).encode()


def refusal_body(code: Code) -> bytes:
    message = REFUSALS[code][1]
    return compact({"message": message, "code": code.value, "trace": str(uuid.uuid4()), "data": {}}).encode()


def plain(number: Decimal) -> str:
    """Digits without exponent and without zeros at the end."""
    text = format(number, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def rfc3339(at_s: float) -> str:
    """UTC with nine digits of a second, e.g. 2023-12-03T15:48:23.517518538Z."""
    return f"{datetime.fromtimestamp(at_s, UTC):%Y-%m-%dT%H:%M:%S.%f}000Z"
