"""A contract as the engine knows it, at a moment of the market."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

from apps.engine.values.contract import Contract
from apps.exchange.simulator.figures import FUNDING_HOURS, FUNDING_S, Figures, next_settlement_s
from apps.exchange.simulator.listing import Listing
from apps.exchange.simulator.market import Market
from apps.exchange.simulator.path import Moment

ONE = Decimal(1)


def contract(market: Market, figures: Figures, symbol: str, at: Moment) -> Contract:
    """Its steps and limits, its last 24 hours up to the minute's open, and its funding."""
    listing, day = market.archive.listing(symbol), figures.day(symbol, at)
    last = _price(market, listing, at)
    interest = figures.open_interest(symbol, at)
    settles_s = next_settlement_s(at)
    return Contract(
        symbol=symbol,
        base=listing.base,
        quote="USDT",
        contract_size=listing.contract_size,
        tick_size=listing.tick,
        volume_step=ONE,
        min_volume=ONE,
        max_volume=Decimal(listing.max_volume),
        market_max_volume=Decimal(listing.market_max_volume),
        min_leverage=ONE,
        max_leverage=Decimal(listing.max_leverage),
        status=listing.status,
        listed_at=datetime.fromtimestamp(listing.listed_at_ms / 1000, UTC),
        delist_at=None,
        expires_at=None,
        settles_at=None,
        last_price=last,
        index_price=_index(market, listing, at),
        volume_24h=Decimal(day.volume),
        turnover_24h=Decimal(day.turnover).scaleb(-listing.price_decimals - listing.volume_decimals),
        high_24h=listing.price(day.high),
        low_24h=listing.price(day.low),
        change_24h_ratio=last / listing.price(day.opened) - 1,
        open_interest=Decimal(interest),
        open_interest_value=last * listing.coins(interest),
        funding_rate_ratio=figures.funding_rate(symbol, settles_s),
        expected_funding_rate_ratio=figures.funding_rate(symbol, settles_s + FUNDING_S),
        funding_interval_hours=FUNDING_HOURS,
        funding_at=datetime.fromtimestamp(settles_s, UTC),
    )


def _price(market: Market, listing: Listing, at: Moment) -> Decimal:
    return listing.price(market.run(listing.symbol, at.minute).last.price(at.tick))


def _index(market: Market, listing: Listing, at: Moment) -> Decimal:
    row = market.row[listing.symbol]
    return listing.price(int(market.path(at.minute).straight(at.tick)[row]))
