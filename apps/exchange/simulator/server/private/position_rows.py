"""Positions and balances as REST answers and pushes write them."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from apps.exchange.simulator.account.account import Account
from apps.exchange.simulator.account.margin import (
    entry_value,
    liquidation_price,
    maintenance,
    max_value,
    position_margin,
    unrealised,
)
from apps.exchange.simulator.account.rows import Position
from apps.exchange.simulator.codes import HEDGE, LONG
from apps.exchange.simulator.exchange import Exchange
from apps.exchange.simulator.market.listing import Listing
from apps.exchange.simulator.market.path import Moment
from apps.exchange.simulator.matching.new_order import frozen_contracts
from apps.exchange.simulator.server.private.rows import average, number

OPEN_TYPE_NUMBERS = {"isolated": 1, "cross": 2}


def position_row(
    listing: Listing, position: Position, last: Decimal, mark: Decimal, mode: str, now_ms: int
) -> dict[str, Any]:
    """/contract/private/position. Maintenance and margin are measured at the entry price."""
    return {
        **_common(listing, position, last, mark, now_ms),
        "unrealized_value": number(unrealised(listing, position, last)),
        "position_type": position.position_type,
        "margin_type": position.open_type.capitalize(),
        "position_mode": mode,
    }


def position_v2_row(
    listing: Listing, position: Position, last: Decimal, mark: Decimal, mode: str, now_ms: int
) -> dict[str, Any]:
    """/contract/private/position-v2: only the position_amount of a one-way short is negative."""
    short = position.position_type != LONG
    amount = -position.size if mode != HEDGE and short else position.size
    side = "both" if mode != HEDGE else ("short" if short else "long")
    return {
        **_common(listing, position, last, mark, now_ms),
        "position_amount": str(amount),
        "open_type": position.open_type,
        "position_side": side,
        "position_type": position.position_type,
        "unrealized_pnl": number(unrealised(listing, position, last)),
        "liquidation_price": number(liquidation_price(listing, position)),
        "max_notional_value": number(max_value(listing, position.leverage)),
        "initial_margin": number(entry_value(listing, position) / position.leverage),
    }


def risk_row(
    listing: Listing, position: Position, last: Decimal, mark: Decimal, mode: str, now_ms: int
) -> dict[str, Any]:
    """/contract/private/position-risk."""
    short = position.position_type != LONG
    return {
        "symbol": position.symbol,
        "position_amt": str(-position.size if mode != HEDGE and short else position.size),
        "mark_price": number(mark),
        "unrealized_profit": number(unrealised(listing, position, last)),
        "liquidation_price": number(liquidation_price(listing, position)),
        "leverage": str(position.leverage),
        "max_notional_value": number(max_value(listing, position.leverage)),
        "margin_type": position.open_type.capitalize(),
        "isolated_margin": number(position_margin(listing, position)),
        "position_side": "Both" if mode != HEDGE else ("Short" if short else "Long"),
        "notional": number(position.size * listing.contract_size * mark),
        "update_time": now_ms,
        "account": "futures",
    }


def pushed_position(account: Account, position: Position) -> dict[str, Any]:
    listing = account.listing(position.symbol)
    return {
        "symbol": position.symbol,
        "hold_volume": str(position.size),
        "position_type": position.position_type,
        "open_type": OPEN_TYPE_NUMBERS[position.open_type],
        "frozen_volume": str(frozen_contracts(account, position)),
        "close_volume": str(position.closed),
        "hold_avg_price": _entry(position),
        "close_avg_price": average(position.closed_value, position.closed),
        "open_avg_price": number(position.entry_price),
        "liquidate_price": number(liquidation_price(listing, position)),
        "create_time": position.opened_ms,
        "update_time": position.updated_ms,
        "position_mode": account.wallet.position_mode,
    }


def asset(floor: Exchange, currency: str, at: Moment) -> dict[str, str]:
    """One row of assets-detail; there is money in USDT alone."""
    account = floor.account
    if currency != "USDT":
        zeros = ("available_balance", "frozen_balance", "unrealized", "equity", "position_deposit")
        return {"currency": currency} | dict.fromkeys(zeros, "0")
    gain = account.unrealised(lambda symbol: floor.last(symbol, at))
    return {
        "currency": currency,
        "available_balance": number(account.available),
        "frozen_balance": number(account.frozen),
        "unrealized": number(gain),
        "equity": number(account.wallet.cash + gain),
        "position_deposit": number(account.deposit),
    }


def _common(
    listing: Listing, position: Position, last: Decimal, mark: Decimal, now_ms: int
) -> dict[str, Any]:
    coins, value = position.size * listing.contract_size, entry_value(listing, position)
    return {
        "symbol": position.symbol,
        "leverage": str(position.leverage),
        "timestamp": now_ms,
        "current_fee": number(position.funding),
        "open_timestamp": position.opened_ms,
        "current_value": number(coins * last),
        "mark_price": number(mark),
        "mark_value": number(coins * mark),
        "position_value": number(value),
        "position_cross": number(position_margin(listing, position)),
        "maintenance_margin": number(maintenance(listing, value)),
        "close_vol": str(position.closed),
        "close_avg_price": average(position.closed_value, position.closed),
        "open_avg_price": _entry(position),
        "entry_price": _entry(position),
        "current_amount": str(position.size),
        "realized_value": number(position.realised),
        "account": "futures",
    }


def _entry(position: Position) -> str:
    return number(position.entry_price) if position.size else "0"
