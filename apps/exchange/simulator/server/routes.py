"""The public REST routes: each turns a query into the data of the answer, or raises Refused."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from apps.exchange.simulator.codes import Code, Refused
from apps.exchange.simulator.market.archive import Archive
from apps.exchange.simulator.market.path import Moment
from apps.exchange.simulator.market.ticker_stats import FUNDING_LIMIT, FUNDING_S, next_settlement_s
from apps.exchange.simulator.server import views
from apps.exchange.simulator.server.faults import Faults
from apps.exchange.simulator.server.views import Views, contract_detail, plain


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
        return read_symbol(self.query, self.views.archive)


def details(call: Call) -> Any:
    chosen = read_symbols(call.query, call.views.archive)
    return {"symbols": [contract_detail(call.views, symbol, call.moment) for symbol in chosen]}


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
    limit = read_limit(call.query, default=50, most=100)
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
    symbol, step_s = call.symbol, read_step_s(call.query)
    return views.kline_rows(
        call.views, call.faults, symbol, step_s, read_span_s(call.query), call.moment, mark=mark
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
    limit = read_limit(call.query, default=100, most=100)
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
    chosen = read_symbols(call.query, call.views.archive)
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


STEPS_MIN = (1, 3, 5, 15, 30, 60, 120, 240, 360, 720, 1440, 4320, 10080)
LATEST_S = 100_000_000_000
"""Beyond this a number is milliseconds, sent to a route that wants seconds."""

Query = Mapping[str, str]


def read_symbol(query: Query, archive: Archive) -> str:
    named = query.get("symbol", "")
    if named not in archive.symbols:
        raise Refused(Code.BAD_SYMBOL)
    return named


def read_symbols(query: Query, archive: Archive) -> tuple[str, ...]:
    """The one named, or all without a name."""
    return (read_symbol(query, archive),) if "symbol" in query else archive.symbols


def read_limit(query: Query, *, default: int, most: int) -> int:
    wanted = query.get("limit", str(default))
    if not wanted.isdecimal() or not 1 <= int(wanted) <= most:
        raise Refused(Code.BAD_PARAMETER)
    return int(wanted)


def read_step_s(query: Query) -> int:
    """The candle length in seconds; the parameter is minutes, 1 when absent."""
    wanted = query.get("step", "1")
    if not wanted.isdecimal() or int(wanted) not in STEPS_MIN:
        raise Refused(Code.BAD_STEP)
    return int(wanted) * 60


def read_span_s(query: Query) -> tuple[int, int]:
    """(start_time, end_time) in seconds, both included."""
    start, end = query.get("start_time", ""), query.get("end_time", "")
    if not (start.isdecimal() and end.isdecimal()) or not int(start) <= int(end) < LATEST_S:
        raise Refused(Code.BAD_TIME)
    return int(start), int(end)
