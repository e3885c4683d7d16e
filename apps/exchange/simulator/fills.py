"""What a fill does to positions, wallet and ledger."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from apps.exchange.simulator.account import Account
from apps.exchange.simulator.holdings import ZERO, Position, Trade
from apps.exchange.simulator.margin import MAKER, TAKER
from apps.exchange.simulator.rows import Order
from apps.exchange.simulator.words import COMMISSION, LONG, REALISED, SHORT

COST_DIGITS = Decimal("1e-12")
"""A partly closed position's cost is kept so exactly: what is rounded off is realised, so sums are exact."""

ENTRY_DIGITS = Decimal("1e-18")


def closable(account: Account, order: Order) -> int:
    """How many contracts of the order could be filled now, given what is held."""
    if order.opens:
        return order.remaining
    return min(order.remaining, account.position(order.symbol, order.closes).size)


def book_fill(
    account: Account, order: Order, price: Decimal, contracts: int, *, maker: bool, at_ms: int
) -> Trade:
    """Book one fill of `contracts` (at most `closable`): positions, fee, realised profit, the trade."""
    closing = not account.hedged or not order.opens
    held = account.position(order.symbol, order.closes)
    closed = min(contracts, held.size) if closing else 0
    realised, fee = ZERO, ZERO
    if closed:
        realised = _reduced(account, held, price, closed, at_ms)
        fee += _pay_fee(account, held, price, closed, maker, at_ms)
    if contracts > closed:
        grown = _increased(account, order, price, contracts - closed, at_ms)
        fee += _pay_fee(account, grown, price, contracts - closed, maker, at_ms)
    trade = Trade(
        account.number(),
        order.order_id,
        order.client_order_id,
        order.symbol,
        order.side,
        price,
        contracts,
        maker,
        fee,
        realised,
        at_ms,
    )
    account.put(trade)
    return trade


def _reduced(account: Account, held: Position, price: Decimal, closed: int, at_ms: int) -> Decimal:
    left = held.size - closed
    cost = (held.cost * left / held.size).quantize(COST_DIGITS).normalize() if left else ZERO
    gain = (price * closed - (held.cost - cost)) * account.listing(held.symbol).contract_size
    realised = gain if held.position_type == LONG else -gain
    account.put(
        replace(
            held,
            size=left,
            cost=cost,
            realised=held.realised + realised,
            closed=held.closed + closed,
            closed_value=held.closed_value + price * closed,
            updated_ms=at_ms,
        )
    )
    account.record(REALISED, realised, held.symbol, at_ms)
    return realised


def _increased(account: Account, order: Order, price: Decimal, contracts: int, at_ms: int) -> Position:
    position_type = LONG if order.buys else SHORT
    held = account.position(order.symbol, position_type)
    if not held.size:
        held = Position(order.symbol, position_type, order.leverage, order.open_type, at_ms, at_ms)
    size, cost = held.size + contracts, held.cost + price * contracts
    entry = (cost / size).quantize(ENTRY_DIGITS)
    grown = replace(held, size=size, cost=cost, entry_price=entry, updated_ms=at_ms)
    account.put(grown)
    return grown


def _pay_fee(
    account: Account, position: Position, price: Decimal, contracts: int, maker: bool, at_ms: int
) -> Decimal:
    value = price * contracts * account.listing(position.symbol).contract_size
    fee = value * (MAKER if maker else TAKER)
    account.record(COMMISSION, -fee, position.symbol, at_ms)
    now = account.position(position.symbol, position.position_type)
    account.put(replace(now, realised=now.realised - fee))
    return fee
