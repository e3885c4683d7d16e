"""From BitMart's public REST data to the engine's values; their names, units and stamps stop here."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal

from apps.engine.values.candle import Candle, Source, aligned_open_time
from apps.engine.values.contract import Contract
from apps.engine.values.timeframe import Timeframe
from apps.exchange.bitmart import json_field
from apps.exchange.bitmart.json_field import ParseError, Row, Rows

PERPETUAL = 1
DEFAULT_FUNDING_INTERVAL_HOURS = 8
UNKNOWN_STATUS = "Unknown"
"""Of a contract whose status is not sent: it is not "Trading", so nobody trades it."""


def server_time_ms(data: object) -> int:
    return json_field.whole(json_field.mapping(data, "data"), "server_time")


def contracts(data: object) -> Rows[Contract]:
    """Return every perpetual of the details; dated contracts are left out."""
    listed = json_field.sequence(json_field.mapping(data, "data").get("symbols"), "symbols")
    perpetual = [row for row in listed if not isinstance(row, dict) or row.get("product_type") != 2]
    return json_field.rows(perpetual, "symbols", _contract)


def klines(
    data: object, *, symbol: str, timeframe: Timeframe, contract_size: Decimal, closed_by: datetime
) -> Rows[Candle]:
    """Return closed candles, rising, one per open time (the last one sent wins); volume turned into coins.

    The bar that still forms at `closed_by` (server time) is left out: no flag marks it.
    """

    def candle(row: Row) -> Candle:
        return Candle(
            symbol,
            timeframe,
            aligned_open_time(json_field.moment(row, "timestamp"), timeframe),
            json_field.number(row, "open_price"),
            json_field.number(row, "high_price"),
            json_field.number(row, "low_price"),
            json_field.number(row, "close_price"),
            json_field.number(row, "volume") * contract_size,
            Source.REST,
        )

    rows = json_field.rows(data, "data", candle)
    closed = {each.open_time: each for each in rows.values if each.close_time <= closed_by}
    return Rows([closed[open_time] for open_time in sorted(closed)], rows.faults)


def best_prices(data: object) -> tuple[Decimal, Decimal, datetime]:
    """Return best bid and ask of a depth, and when it was made by the exchange's clock.

    ParseError for an empty side: then there is no market to quote.
    """
    row = json_field.mapping(data, "data")
    bid, ask = max(_prices(row.get("bids"), "bids")), min(_prices(row.get("asks"), "asks"))
    return bid, ask, json_field.moment(row, "timestamp")


def mark_price(not_before: datetime) -> Callable[[object], Decimal]:
    """Return what reads the close of the newest mark-price bar.

    It raises ParseError when none opened after `not_before`.
    """

    def read(data: object) -> Decimal:
        bars = [json_field.mapping(row, "data") for row in json_field.sequence(data, "data")]
        newest = max(bars, key=lambda bar: json_field.moment(bar, "timestamp"), default={})
        if json_field.moment(newest, "timestamp") < not_before:
            raise ParseError("timestamp", newest["timestamp"])
        return json_field.number(newest, "close_price")

    return read


def last_price(data: object) -> Decimal:
    """Return the price of the newest trade."""
    trades = json_field.sequence(data, "data")
    return json_field.number(json_field.mapping(trades[0] if trades else None, "data"), "price")


def _contract(row: Row) -> Contract:
    if json_field.whole(row, "product_type") != PERPETUAL:
        raise ParseError("product_type", row["product_type"])
    number = json_field.number
    max_volume = number(row, "max_volume")
    try:
        return Contract(
            symbol=json_field.text(row, "symbol"),
            base=json_field.text(row, "base_currency"),
            quote=json_field.text(row, "quote_currency"),
            contract_size=number(row, "contract_size"),
            tick_size=number(row, "price_precision"),
            volume_step=number(row, "vol_precision"),
            min_volume=number(row, "min_volume"),
            max_volume=max_volume,
            market_max_volume=number(row, "market_max_volume") if "market_max_volume" in row else max_volume,
            min_leverage=number(row, "min_leverage"),
            max_leverage=number(row, "max_leverage"),
            status=json_field.text(row, "status") if "status" in row else UNKNOWN_STATUS,
            listed_at=json_field.optional_moment(row, "open_timestamp"),
            delist_at=json_field.optional_moment(row, "delist_time"),
            expires_at=json_field.optional_moment(row, "expire_timestamp"),
            settles_at=json_field.optional_moment(row, "settle_timestamp"),
            last_price=number(row, "last_price"),
            index_price=number(row, "index_price"),
            volume_24h=number(row, "volume_24h"),
            turnover_24h=number(row, "turnover_24h"),
            high_24h=number(row, "high_24h"),
            low_24h=number(row, "low_24h"),
            change_24h_ratio=number(row, "change_24h"),
            open_interest=number(row, "open_interest"),
            open_interest_value=number(row, "open_interest_value"),
            funding_rate_ratio=number(row, "funding_rate"),
            expected_funding_rate_ratio=number(row, "expected_funding_rate"),
            funding_interval_hours=(
                json_field.whole(row, "funding_interval_hours")
                if "funding_interval_hours" in row
                else DEFAULT_FUNDING_INTERVAL_HOURS
            ),
            funding_at=json_field.optional_moment(row, "funding_time"),
        )
    except ValueError as fault:  # the value's own laws: a size or step that cannot be
        raise ParseError("symbols", str(fault)) from fault


def _prices(levels: object, side: str) -> list[Decimal]:
    prices = [
        json_field.number({side: level[0]}, side)
        for level in json_field.sequence(levels, side)
        if isinstance(level, list) and level
    ]
    if not prices:
        raise ParseError(side, levels)
    return prices
