"""The public REST routes: each turns a query into the data of the answer, or raises Refused."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from apps.exchange.simulator.market.path import Moment
from apps.exchange.simulator.market.ticker_stats import FUNDING_LIMIT, FUNDING_S, next_settlement_s
from apps.exchange.simulator.server import klines, query
from apps.exchange.simulator.server.details import detail
from apps.exchange.simulator.server.faults import Faults
from apps.exchange.simulator.server.query import Query
from apps.exchange.simulator.server.views import Views
from apps.exchange.simulator.server.wire import plain


@dataclass(frozen=True, slots=True)
class Call:
    """One request: its parameters, and the market at its moment. `now_ms` is the server's clock."""

    query: Query
    views: Views
    faults: Faults
    moment: Moment
    now_ms: int

    @property
    def symbol(self) -> str:
        return query.symbol(self.query, self.views.archive)


def details(call: Call) -> Any:
    chosen = query.symbols(call.query, call.views.archive)
    return {"symbols": [detail(call.views, symbol, call.moment) for symbol in chosen]}


def depth(call: Call) -> Any:
    symbol, text = call.symbol, call.views.listing(call.symbol).price_text
    book = call.views.book(symbol, call.moment)
    sides: dict[str, Any] = {"asks": [], "bids": []}
    for name, levels in (("asks", book.asks), ("bids", book.bids)):
        total = 0
        for price, contracts in levels:
            total += contracts
            sides[name].append([text(price), str(contracts), str(total)])
    return sides | {"timestamp": call.now_ms, "symbol": symbol}


def market_trade(call: Call) -> Any:
    symbol, listing = call.symbol, call.views.listing(call.symbol)
    limit = query.count(call.query, default=50, most=100)
    return [
        {
            "symbol": symbol,
            "price": listing.price_text(trade.price),
            "qty": listing.coins_text(trade.contracts),
            "quote_qty": plain(listing.price(trade.price) * listing.coins(trade.contracts)),
            "time": int(trade.at_s),
            "is_buyer_maker": trade.buyer_is_maker,
        }
        for trade in call.views.market.trades(symbol, call.moment, limit)
    ]


def kline(call: Call, *, mark: bool = False) -> Any:
    symbol, step_s = call.symbol, query.step_s(call.query)
    return klines.rows(
        call.views, call.faults, symbol, step_s, query.span_s(call.query), call.moment, mark=mark
    )


def markprice_kline(call: Call) -> Any:
    return kline(call, mark=True)


def open_interest(call: Call) -> Any:
    symbol = call.symbol
    contracts = call.views.ticker_stats.open_interest(symbol, call.moment)
    return {
        "timestamp": call.now_ms,
        "symbol": symbol,
        "open_interest": str(contracts),
        "open_interest_value": call.views.value(symbol, contracts, call.moment),
    }


def funding_rate(call: Call) -> Any:
    symbol, settles_s, ticker_stats = call.symbol, next_settlement_s(call.moment), call.views.ticker_stats
    return {
        "timestamp": call.now_ms,
        "symbol": symbol,
        "rate_value": plain(ticker_stats.funding_rate(symbol, settles_s)),
        "expected_rate": plain(ticker_stats.funding_rate(symbol, settles_s + FUNDING_S)),
        "funding_time": settles_s * 1000,
        "funding_upper_limit": plain(FUNDING_LIMIT),
        "funding_lower_limit": plain(-FUNDING_LIMIT),
    }


def funding_rate_history(call: Call) -> Any:
    symbol, next_s = call.symbol, next_settlement_s(call.moment)
    limit = query.count(call.query, default=100, most=100)
    settled = [next_s - FUNDING_S * back for back in range(1, limit + 1)]
    return {
        "list": [
            {
                "symbol": symbol,
                "funding_rate": plain(call.views.ticker_stats.funding_rate(symbol, at_s)),
                "funding_time": str(at_s * 1000),
            }
            for at_s in settled
        ]
    }


def leverage_bracket(call: Call) -> Any:
    chosen = query.symbols(call.query, call.views.archive)
    return {
        "rules": [{"symbol": each, "brackets": list(call.views.listing(each).brackets)} for each in chosen]
    }


def system_time(call: Call) -> Any:
    return {"server_time": call.now_ms}


def system_service(_: Call) -> Any:
    return {"service": []}


def spot_symbols(_: Call) -> Any:
    return {"symbols": []}


def spot_currencies(_: Call) -> Any:
    return {"currencies": []}


ROUTES: dict[str, Callable[[Call], Any]] = {
    "/contract/public/details": details,
    "/contract/public/depth": depth,
    "/contract/public/market-trade": market_trade,
    "/contract/public/kline": kline,
    "/contract/public/markprice-kline": markprice_kline,
    "/contract/public/open-interest": open_interest,
    "/contract/public/funding-rate": funding_rate,
    "/contract/public/funding-rate-history": funding_rate_history,
    "/contract/public/leverage-bracket": leverage_bracket,
    "/system/time": system_time,
    "/system/service": system_service,
    "/spot/v1/symbols/details": spot_symbols,
    "/account/v1/currencies": spot_currencies,
}
