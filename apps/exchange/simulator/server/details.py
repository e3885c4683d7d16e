"""One contract as /contract/public/details describes it."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from apps.exchange.simulator.market.path import Moment
from apps.exchange.simulator.market.ticker_stats import FUNDING_HOURS, FUNDING_S, next_settlement_s
from apps.exchange.simulator.server.views import Views
from apps.exchange.simulator.server.wire import plain


def detail(views: Views, symbol: str, moment: Moment) -> dict[str, Any]:
    return _terms(views, symbol) | _figures(views, symbol, moment) | _funding(views, symbol, moment)


def _terms(views: Views, symbol: str) -> dict[str, Any]:
    listing = views.listing(symbol)
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
    }


def _figures(views: Views, symbol: str, moment: Moment) -> dict[str, Any]:
    listing, prices, day = views.listing(symbol), views.prices(symbol, moment), views.day(symbol, moment)
    interest = views.ticker_stats.open_interest(symbol, moment)
    turnover = Decimal(day.turnover).scaleb(-listing.price_decimals - listing.volume_decimals)
    return {
        "last_price": prices.last,
        "index_price": prices.index,
        "volume_24h": str(day.volume),
        "turnover_24h": plain(turnover),
        "high_24h": listing.price_text(day.high),
        "low_24h": listing.price_text(day.low),
        "change_24h": views.change(symbol, moment),
        "open_interest": str(interest),
        "open_interest_value": views.value(symbol, interest, moment),
    }


def _funding(views: Views, symbol: str, moment: Moment) -> dict[str, Any]:
    settles_s = next_settlement_s(moment)
    return {
        "funding_rate": plain(views.ticker_stats.funding_rate(symbol, settles_s)),
        "expected_funding_rate": plain(views.ticker_stats.funding_rate(symbol, settles_s + FUNDING_S)),
        "funding_interval_hours": FUNDING_HOURS,
        "funding_time": settles_s * 1000,
    }
