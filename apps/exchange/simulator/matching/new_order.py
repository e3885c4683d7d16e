"""An order as a client asks for it, and the checks it must pass: they refuse with the exchange's code."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal

from apps.exchange.simulator.account.account import Account
from apps.exchange.simulator.account.margin import entry_value, max_leverage
from apps.exchange.simulator.account.rows import NO_PRESETS, ZERO, Order, Plan, Position, Presets
from apps.exchange.simulator.codes import GTC, LONG, OPENS, SHORT, Code, Refused
from apps.exchange.simulator.market.listing import Listing


@dataclass(frozen=True, slots=True)
class NewOrder:
    """`price` None is a market order; `leverage` None takes the account's setting for the contract."""

    symbol: str
    side: int
    size: int
    price: Decimal | None
    mode: int = GTC
    leverage: int | None = None
    open_type: str = ""
    client_order_id: str = ""
    presets: Presets = NO_PRESETS
    plan_order_id: int = 0
    trigger_price: Decimal = ZERO


MOST_CLIENT_ID = 32
OPEN_TYPES = ("isolated", "cross")
LETTERS = re.compile(r"[A-Za-z0-9]*")


def check_opens(account: Account, symbol: str, side: int, contracts: int) -> None:
    """A delisted contract takes no order that opens. In one-way mode one that only reduces opens nothing."""
    if side in OPENS and account.listing(symbol).delisted and account.opening_part(symbol, side, contracts):
        raise Refused(Code.OFFLINE)


def check_size(listing: Listing, size: int, *, market: bool) -> None:
    if not 1 <= size <= (listing.market_max_volume if market else listing.max_volume):
        raise Refused(Code.BAD_RANGE)


def check_price(listing: Listing, price: Decimal) -> None:
    if price <= 0:
        raise Refused(Code.BAD_RANGE)
    if price % listing.tick:
        raise Refused(Code.BAD_PRECISION)


def check_client_id(account: Account, client_order_id: str) -> None:
    if len(client_order_id) > MOST_CLIENT_ID:
        raise Refused(Code.CLIENT_ID_LENGTH)
    if not LETTERS.fullmatch(client_order_id):
        raise Refused(Code.CLIENT_ID_LETTERS)
    live: list[Order | Plan] = [*account.live_orders(), *account.live_plans()]
    existing = (row.client_order_id for row in live)
    if client_order_id and client_order_id in existing:
        raise Refused(Code.CLIENT_ID_TAKEN)


def check_leverage(listing: Listing, leverage: int) -> None:
    if leverage > listing.max_leverage:
        raise Refused(Code.LEVERAGE_HIGH)
    if leverage < 1:
        raise Refused(Code.LEVERAGE_LOW)


def opening_settings(account: Account, request: NewOrder) -> tuple[int, str]:
    """Return the leverage and open type an opening order gets: those of what is held or rests already."""
    contract = account.contract(request.symbol)
    leverage, open_type = contract.leverage, contract.open_type
    if request.leverage is not None:
        check_leverage(account.listing(request.symbol), request.leverage)
        leverage, open_type = request.leverage, request.open_type or open_type
    if open_type not in OPEN_TYPES:
        raise Refused(Code.BAD_OPEN_TYPE)
    if is_in_use(account, request.symbol) and (leverage, open_type) != (
        contract.leverage,
        contract.open_type,
    ):
        raise Refused(Code.BAD_LEVERAGE)
    return leverage, open_type


def is_in_use(account: Account, symbol: str) -> bool:
    """Whether a position or an opening order holds the contract's leverage and margin mode."""
    return bool(account.open_positions(symbol)) or any(order.opens for order in account.live_orders(symbol))


def check_bracket(account: Account, request: NewOrder, value: Decimal, leverage: int) -> None:
    """Refuse unless the side's position, resting orders and the new one fit a bracket of the leverage."""
    listing = account.listing(request.symbol)
    resting = sum(
        (
            order.price * order.remaining * listing.contract_size
            for order in account.live_orders(request.symbol)
            if order.opens and order.side == request.side
        ),
        Decimal(0),
    )
    held = account.position(request.symbol, LONG if request.side == 1 else SHORT)
    if leverage > max_leverage(listing, entry_value(listing, held) + resting + value):
        raise Refused(Code.LEVERAGE_HIGH)


def closing_size(account: Account, request: NewOrder) -> int:
    """Return what a closing order may have of its size. In one-way mode it is cut to the position."""
    held = account.position(request.symbol, SHORT if request.side == 2 else LONG)
    if not held.size:
        raise Refused(Code.NO_POSITION)
    if not account.hedged:
        return min(request.size, held.size)
    if request.size > held.size - frozen_contracts(account, held):
        raise Refused(Code.SHORT_POSITION)
    return request.size


def frozen_contracts(account: Account, position: Position) -> int:
    """The contracts that resting closing orders hold."""
    closing = (
        order.remaining
        for order in account.live_orders(position.symbol)
        if not order.opens and order.closes == position.position_type
    )
    return min(position.size, sum(closing))
