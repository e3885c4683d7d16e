"""The arithmetic of isolated margin. Values are notionals in USDT: contracts x contract size x price.

A position's margin is value / leverage plus what its closing may cost in fees at worst: value x taker for a
long, value x (1 + 1/leverage) x taker for a short. Maintenance is value x ratio - cum of the bracket that the
value falls in. All of it is measured at the entry price.
"""

from __future__ import annotations

from decimal import Decimal

from apps.exchange.simulator.account.rows import ZERO, Position
from apps.exchange.simulator.codes import LONG
from apps.exchange.simulator.market.listing import Listing

TAKER, MAKER = Decimal("0.0006"), Decimal("0.0002")
"""Fees, ratios of notional."""


def margin(value: Decimal, leverage: int, position_type: int) -> Decimal:
    worst = value if position_type == LONG else value + value / leverage
    return value / leverage + worst * TAKER


def entry_value(listing: Listing, position: Position) -> Decimal:
    return position.cost * listing.contract_size


def position_margin(listing: Listing, position: Position) -> Decimal:
    return margin(entry_value(listing, position), position.leverage, position.position_type)


def unrealised(listing: Listing, position: Position, price: Decimal) -> Decimal:
    gain = (position.size * price - position.cost) * listing.contract_size
    return gain if position.position_type == LONG else -gain


def maintenance(listing: Listing, value: Decimal) -> Decimal:
    bracket = _bracket(listing, value)
    return value * Decimal(bracket["maint_margin_ratio"]) - Decimal(bracket["cum"])


def max_leverage(listing: Listing, value: Decimal) -> int:
    """The highest leverage the bracket of this value allows."""
    return int(_bracket(listing, value)["initial_leverage"])


def max_value(listing: Listing, leverage: int) -> Decimal:
    """The largest notional that may be held at this leverage."""
    caps = [Decimal(row["notional_cap"]) for row in listing.brackets if row["initial_leverage"] >= leverage]
    return max(caps, default=ZERO)


def is_liquidated(listing: Listing, position: Position, mark: Decimal) -> bool:
    """Is the position's equity at this mark price down to its maintenance?"""
    equity = position_margin(listing, position) + unrealised(listing, position, mark)
    return equity <= maintenance(listing, entry_value(listing, position))


def liquidation_price(listing: Listing, position: Position) -> Decimal:
    """entry -/+ (margin - maintenance) / coins; never below 0, and 0 when flat."""
    if not position.size:
        return ZERO
    value = entry_value(listing, position)
    room = (position_margin(listing, position) - maintenance(listing, value)) / listing.contract_size
    entry = position.cost
    total = entry - room if position.position_type == LONG else entry + room
    return max(ZERO, total / position.size)


def _bracket(listing: Listing, value: Decimal) -> dict[str, str]:
    for bracket in listing.brackets:
        if value <= Decimal(bracket["notional_cap"]):
            return bracket
    return listing.brackets[-1]
