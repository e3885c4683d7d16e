"""From BitMart's REST data to the engine's values; their names, units and stamps stop here."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal

from apps.engine.values.candle import Candle, Source, aligned
from apps.engine.values.contract import Contract
from apps.engine.values.timeframe import Timeframe
from apps.exchange.bitmart import fields
from apps.exchange.bitmart.fields import ParseError, Row, Rows

PERPETUAL = 1
DEFAULT_FUNDING_INTERVAL_HOURS = 8
UNKNOWN_STATUS = "Unknown"
"""Of a contract whose status is not sent: it is not "Trading", so nobody trades it."""


def server_time_ms(data: object) -> int:
    return fields.whole(fields.mapping(data, "data"), "server_time")


def contracts(data: object) -> Rows[Contract]:
    """Every perpetual of the details; dated contracts are left out."""
    listed = fields.sequence(fields.mapping(data, "data").get("symbols"), "symbols")
    perpetual = [row for row in listed if not isinstance(row, dict) or row.get("product_type") != 2]
    return fields.rows(perpetual, "symbols", _contract)


def klines(
    data: object, *, symbol: str, timeframe: Timeframe, contract_size: Decimal, closed_by: datetime
) -> Rows[Candle]:
    """Closed candles, rising, one per open time (the last one sent wins); volume turned into coins.

    The bar that still forms at `closed_by` (server time) is left out: no flag marks it.
    """
    read = fields.rows(data, "data", _candle(symbol, timeframe, contract_size))
    closed = {candle.open_time: candle for candle in read.values if candle.close_time <= closed_by}
    return Rows([closed[open_time] for open_time in sorted(closed)], read.faults)


def _candle(symbol: str, timeframe: Timeframe, contract_size: Decimal) -> Callable[[Row], Candle]:
    def read(row: Row) -> Candle:
        return Candle(
            symbol,
            timeframe,
            aligned(fields.moment(row, "timestamp"), timeframe),
            fields.number(row, "open_price"),
            fields.number(row, "high_price"),
            fields.number(row, "low_price"),
            fields.number(row, "close_price"),
            fields.number(row, "volume") * contract_size,
            Source.REST,
        )

    return read


def _contract(row: Row) -> Contract:
    if fields.whole(row, "product_type") != PERPETUAL:
        raise ParseError("product_type", row["product_type"])
    number = fields.number
    max_volume = number(row, "max_volume")
    try:
        return Contract(
            symbol=fields.text(row, "symbol"),
            base=fields.text(row, "base_currency"),
            quote=fields.text(row, "quote_currency"),
            contract_size=number(row, "contract_size"),
            tick_size=number(row, "price_precision"),
            volume_step=number(row, "vol_precision"),
            min_volume=number(row, "min_volume"),
            max_volume=max_volume,
            market_max_volume=number(row, "market_max_volume") if "market_max_volume" in row else max_volume,
            min_leverage=number(row, "min_leverage"),
            max_leverage=number(row, "max_leverage"),
            status=fields.text(row, "status") if "status" in row else UNKNOWN_STATUS,
            listed_at=fields.optional_moment(row, "open_timestamp"),
            delist_at=fields.optional_moment(row, "delist_time"),
            expires_at=fields.optional_moment(row, "expire_timestamp"),
            settles_at=fields.optional_moment(row, "settle_timestamp"),
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
                fields.whole(row, "funding_interval_hours")
                if "funding_interval_hours" in row
                else DEFAULT_FUNDING_INTERVAL_HOURS
            ),
            funding_at=fields.optional_moment(row, "funding_time"),
        )
    except ValueError as fault:  # the value's own laws: a size or step that cannot be
        raise ParseError("symbols", str(fault)) from fault
