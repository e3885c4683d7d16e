"""BitMart's routes and the limit of each, as its documentation counts them; the public ones."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Route:
    """At most `limit` calls in any `window_s`, counted per address, key or account: we have one of each.

    `bulk`: read in long series, so its calls are evenly spaced and also count against the global ceiling.
    `prompt`: the bulk read of who decides now: it goes before its turn wherever the limit has room.
    `keyed`: a private read, which takes the key in a header and no signature.
    """

    path: str
    limit: int
    window_s: int = 2
    bulk: bool = False
    prompt: bool = False
    keyed: bool = False


SERVER_TIME = Route("/system/time", 10, window_s=1)
SERVICE = Route("/system/service", 10, window_s=1)
DETAILS = Route("/contract/public/details", 12)
DEPTH = Route("/contract/public/depth", 12)
MARKET_TRADE = Route("/contract/public/market-trade", 12)
KLINE = Route("/contract/public/kline", 12, bulk=True)
KLINE_NOW = Route("/contract/public/kline", 12, bulk=True, prompt=True)
MARKPRICE_KLINE = Route("/contract/public/markprice-kline", 12)
OPEN_INTEREST = Route("/contract/public/open-interest", 2)
FUNDING_RATE = Route("/contract/public/funding-rate", 12)
FUNDING_RATE_HISTORY = Route("/contract/public/funding-rate-history", 12)
LEVERAGE_BRACKET = Route("/contract/public/leverage-bracket", 12)

PUBLIC = (
    SERVER_TIME,
    SERVICE,
    DETAILS,
    DEPTH,
    MARKET_TRADE,
    KLINE,
    MARKPRICE_KLINE,
    OPEN_INTEREST,
    FUNDING_RATE,
    FUNDING_RATE_HISTORY,
    LEVERAGE_BRACKET,
)
