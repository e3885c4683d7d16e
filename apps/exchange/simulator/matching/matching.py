"""Matching one account's orders: takers against the book, resting limits against the path of the price.

A fill changes positions, wallet and ledger here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from decimal import Decimal

from apps.exchange.simulator.account.account import Account
from apps.exchange.simulator.account.margin import MAKER, TAKER
from apps.exchange.simulator.account.rows import ZERO, Order, Plan, Position, Trade
from apps.exchange.simulator.codes import (
    APPROVAL,
    COMMISSION,
    FOK,
    GTC,
    LIVE,
    LONG,
    MAKER_ONLY,
    OVER,
    REALISED,
    SHORT,
    WHOLE,
)

VOLUME_SHARE = 10
"""All resting limits of a contract together get at most a tenth of a minute's volume."""

MATCHED, SUBMITTED, CANCELLED, LIQUIDATED = 1, 2, 3, 4
"""Actions of order events."""


@dataclass(frozen=True, slots=True)
class Event:
    """What happened to an order or plan, as it was then."""

    action: int
    row: Order | Plan
    trade: Trade | None = None


@dataclass(slots=True)
class Rules:
    """What the exchange does where it is not documented, or when it is made to misbehave.

    `preset_on_partial`: first_fill, complete, never. `fill_at_most`: contracts of an order at a tick, 0 all.
    `through_ticks`: by how many ticks the price must trade through a resting limit to fill it.
    `stop_first`: a target that is reached in a minute whose candle also reaches the stop gives way to it.
    `stop_slippage_bps`: stops get a price so much worse than the book's.
    """

    preset_on_partial: str = "first_fill"
    fill_at_most: int = 0
    through_ticks: int = 1
    stop_first: bool = False
    stop_slippage_bps: Decimal = Decimal(0)

    @classmethod
    def worst_case(cls, stop_slippage_bps: Decimal) -> Rules:
        """Return the rules by which what the recorded minutes leave open harms the account."""
        return cls(through_ticks=2, stop_first=True, stop_slippage_bps=stop_slippage_bps)


class Matching:
    """`on_filled` is called after each fill, with the order as it is then and the time in ms."""

    def __init__(
        self, account: Account, rules: Rules, on_filled: Callable[[Matching, Order, int], None]
    ) -> None:
        self.account = account
        self.rules = rules
        self.events: list[Event] = []
        self._on_filled = on_filled

    def approve(self, order: Order, tick: Tick) -> None:
        """Let an accepted order into the market: it takes what it may, and rests, or ends."""
        order = self._put(order, state=LIVE)
        self.events.append(Event(SUBMITTED, order))
        levels = [
            (price, contracts)
            for price, contracts in tick.levels(order.buys)
            if (price <= order.price if order.buys else price >= order.price)
        ]
        depth = sum(contracts for _, contracts in levels)
        wanted = fillable(self.account, order)
        if wanted and not (
            (order.mode == MAKER_ONLY and levels) or (order.mode == FOK and depth < order.remaining)
        ):
            most = self._most(wanted)
            for price, contracts in levels:
                taken = min(contracts, most)
                if not taken or order.state == OVER:
                    break
                most -= taken
                order = self.fill(order, price, taken, maker=False, at_ms=tick.at_ms)
            if order.state == OVER or (order.kind == "limit" and order.mode in (GTC, MAKER_ONLY)):
                return
        self.finish(order, CANCELLED, tick.at_ms)

    def fill_resting(self, tick: Tick) -> None:
        """Fill the resting limits that the path trades through, best price and oldest first."""
        step = self.account.listing(tick.symbol).tick * self.rules.through_ticks
        # Orders that were not let into the market yet are not filled.
        through = [
            order
            for order in self.account.live_orders(tick.symbol)
            if order.state != APPROVAL
            and (tick.last <= order.price - step if order.buys else tick.last >= order.price + step)
        ]
        through.sort(key=lambda order: (-order.price if order.buys else order.price, order.queued))
        for resting in through:
            order = self.account.orders[resting.key]
            if not self.account.is_live(order):
                continue
            contract = self.account.contract(tick.symbol)
            taken = contract.taken if contract.taken_minute == tick.minute else 0
            left = tick.volume // VOLUME_SHARE - taken
            contracts = min(left, self._most(fillable(self.account, order)))
            if contracts > 0:
                self.account.put(replace(contract, taken_minute=tick.minute, taken=taken + contracts))
                self.fill(order, order.price, contracts, maker=True, at_ms=tick.at_ms)

    def fill(self, order: Order, price: Decimal, contracts: int, *, maker: bool, at_ms: int) -> Order:
        """Book one fill and what follows from it; return the order as it is then."""
        trade = apply_fill(self.account, order, price, contracts, maker=maker, at_ms=at_ms)
        filled = order.filled + contracts
        order = self._put(
            order,
            filled=filled,
            value=order.value + price * contracts,
            state=OVER if filled == order.size else order.state,
            updated_ms=at_ms,
        )
        self.events.append(Event(LIQUIDATED if order.kind == "liquidate" else MATCHED, order, trade))
        self._on_filled(self, order, at_ms)
        side = order.closes
        if not (order.opens and self.account.hedged) and not self.account.position(order.symbol, side).size:
            # A position that ended takes its closing orders and its whole-position protection with it.
            self.cancel_closing(order.symbol, side, at_ms)
            for plan in self.account.live_plans(order.symbol):
                if plan.protects and plan.category == WHOLE and plan.closes == side:
                    self.finish(plan, CANCELLED, at_ms)
        return self.account.orders[order.key]

    def finish(self, row: Order | Plan, action: int, at_ms: int) -> None:
        """End what is live."""
        over = replace(row, state=OVER, updated_ms=max(at_ms, row.created_ms))
        self.account.put(over)
        self.events.append(Event(action, over))

    def cancel_all_by_dead_man(self, symbol: str, at_ms: int) -> None:
        """End every order of a contract, as its dead man's switch does; plans stay."""
        for order in self.account.live_orders(symbol):
            self.finish(replace(order, cancelled_by_dead_man=True), CANCELLED, at_ms)

    def cancel_closing(self, symbol: str, position_type: int, at_ms: int) -> None:
        """End the orders that rest to close a position."""
        for resting in self.account.live_orders(symbol):
            if not resting.opens and resting.closes == position_type:
                self.finish(resting, CANCELLED, at_ms)

    def _most(self, contracts: int) -> int:
        return min(contracts, self.rules.fill_at_most) if self.rules.fill_at_most else contracts

    def _put(self, order: Order, **changes: object) -> Order:
        order = replace(order, **changes)  # type: ignore[arg-type]  # the callers' keywords are its fields
        self.account.put(order)
        return order


Level = tuple[Decimal, int]
"""(price, contracts)."""


@dataclass(frozen=True, slots=True)
class Tick:
    """`low`, `high` and `volume` (contracts) are those of the whole minute. `levels(buys)` gives the side of
    the book that a buyer (or a seller) takes from, best first."""

    symbol: str
    minute: int
    at_ms: int
    last: Decimal
    mark: Decimal
    volume: int
    low: Decimal
    high: Decimal
    levels: Callable[[bool], list[Level]]

    def far(self, *, buys: bool) -> Decimal:
        """Return the best price a taker gets."""
        return self.levels(buys)[0][0]


COST_DIGITS = Decimal("1e-12")
"""A partly closed position's cost is kept so exactly: what is rounded off is realised, so sums are exact."""

ENTRY_DIGITS = Decimal("1e-18")


def fillable(account: Account, order: Order) -> int:
    """Return how many contracts of the order could be filled now, given what is held."""
    if order.opens:
        return order.remaining
    return min(order.remaining, account.position(order.symbol, order.closes).size)


def apply_fill(
    account: Account, order: Order, price: Decimal, contracts: int, *, maker: bool, at_ms: int
) -> Trade:
    """Book and return one fill of `contracts` (at most `fillable`): positions, fee, realised profit."""
    closing = not account.hedged or not order.opens
    held = account.position(order.symbol, order.closes)
    closed = min(contracts, held.size) if closing else 0
    realised, fee = ZERO, ZERO
    if closed:
        realised = _reduce_position(account, held, price, closed, at_ms)
        fee += _pay_fee(account, held, price, closed, maker, at_ms)
    if contracts > closed:
        grown = _increase_position(account, order, price, contracts - closed, at_ms)
        fee += _pay_fee(account, grown, price, contracts - closed, maker, at_ms)
    trade = Trade(
        account.take_number(),
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


def _reduce_position(account: Account, held: Position, price: Decimal, closed: int, at_ms: int) -> Decimal:
    """Book what is closed; return the profit realised, without fees."""
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
    account.book_line(REALISED, realised, held.symbol, at_ms)
    return realised


def _increase_position(
    account: Account, order: Order, price: Decimal, contracts: int, at_ms: int
) -> Position:
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
    account.book_line(COMMISSION, -fee, position.symbol, at_ms)
    now = account.position(position.symbol, position.position_type)
    account.put(replace(now, realised=now.realised - fee))
    return fee
