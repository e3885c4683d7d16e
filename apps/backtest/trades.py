"""What became of the orders: trades from the exchange's own books, and the orders that never filled."""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from apps.backtest.ledger import MemoryLedger
from apps.backtest.outcome import Exit, Trade, UnfilledOrder
from apps.engine import events
from apps.engine.follow.orders import LIVE
from apps.engine.values.order import OrderStatus
from apps.engine.values.plan import OrderPlan
from apps.exchange.simulator.account import rows as account_rows
from apps.exchange.simulator.account.account import Account
from apps.exchange.simulator.account.margin import unrealised
from apps.exchange.simulator.codes import BUYS, CLEARANCE, FUNDING, LONG, OPENS, SHORT
from apps.exchange.simulator.exchange import Exchange
from apps.exchange.simulator.market.archive import MINUTE_S
from apps.exchange.simulator.market.path import LAST_TICK, moment_at
from apps.exchange.simulator.reports import datetime_of
from apps.exchange.simulator.tape.code import HIGH, LOW

ZERO = Decimal(0)
_KINDS = {"stop_loss": Exit.STOP, "take_profit": Exit.TARGET}


@dataclass
class _Position:
    """A position as its fills come; values are sums of price × contracts."""

    plan: OrderPlan
    symbol: str
    position_type: int
    opened_ms: int
    closed_ms: int = 0
    size: int = 0
    left: int = 0
    entry_value: Decimal = ZERO
    exit_value: Decimal = ZERO
    gross: Decimal = ZERO
    fees: Decimal = ZERO
    funding: Decimal = ZERO
    exit: Exit = field(default=Exit.OPEN)

    def add_fill(self, account: Account, row: account_rows.Trade) -> None:
        self.gross += row.realised
        self.fees += row.fee
        if row.side in OPENS:
            self.size += row.contracts
            self.left += row.contracts
            self.entry_value += row.price * row.contracts
            return
        self.left -= row.contracts
        self.exit_value += row.price * row.contracts
        self.closed_ms = row.at_ms
        if self.left:
            self.exit = Exit.OPEN
            return
        order = account.orders[str(row.order_id)]
        if order.kind == "liquidate":
            self.exit = Exit.LIQUIDATION
        else:
            plan = account.plans.get(str(order.plan_order_id))
            self.exit = Exit.CLOSED if plan is None else _KINDS.get(plan.kind, Exit.CLOSED)


def plans_by_order(ledger: MemoryLedger) -> dict[str, OrderPlan]:
    """Return client id → plan, of every attempt that was made."""
    return {
        event.order.client_order_id: ledger.plans[event.order.decision_key][0]
        for event in ledger.recorded
        if isinstance(event, events.OrderSubmitted)
    }


def trades(exchange: Exchange, plans: Mapping[str, OrderPlan], end_ms: int) -> tuple[Trade, ...]:
    """Return the trades by their opening; what is open at `end_ms` is valued. `plans`: by client id.

    Every fill, fee and payment belongs to one of them: their net adds up to the change of the account's
    equity. KeyError for a position that no plan opened.
    """
    account, rows = exchange.account, []
    for position in sorted(_positions(account, plans), key=lambda each: (each.opened_ms, each.symbol)):
        closed_ms = position.closed_ms if position.exit is not Exit.OPEN else end_ms
        best, worst = _best_and_worst_price(exchange, position, closed_ms)
        gross, exit_value = position.gross, position.exit_value
        if position.left:
            last = exchange.last(position.symbol, moment_at(end_ms / 1000))
            held = account.position(position.symbol, position.position_type)
            gross += unrealised(account.listing(position.symbol), held, last)
            exit_value += last * position.left
        rows.append(
            Trade(
                plan=position.plan,
                opened_at=datetime_of(position.opened_ms),
                closed_at=datetime_of(closed_ms),
                size=Decimal(position.size),
                entry_price=position.entry_value / position.size,
                exit_price=exit_value / position.size,
                exit=position.exit,
                gross=gross,
                fees=position.fees,
                funding=position.funding,
                best=best,
                worst=worst,
            )
        )
    return tuple(rows)


def unfilled_orders(ledger: MemoryLedger, now: datetime) -> tuple[UnfilledOrder, ...]:
    """Return the orders that ended without a fill, by their end; one that still rests, as it is now.

    What was denied before it left is no order: its reason is among the refusals.
    """
    attempts: dict[str, events.OrderEvent] = {}
    filled: set[str] = set()
    for event in ledger.recorded:
        if isinstance(event, events.OrderEvent) and event.order.decision_key in ledger.plans:
            attempts[event.order.client_order_id] = event
            if event.order.filled:
                filled.add(event.order.decision_key)
    left = [event for event in attempts.values() if event.order.status is not OrderStatus.DENIED]
    newest = {event.order.decision_key: event for event in left}
    orders = []
    for key, event in newest.items():
        status = event.order.status
        if key not in filled:
            ended_at = now if status in LIVE else event.at
            orders.append(UnfilledOrder(ledger.plans[key][0], ended_at, str(status)))
    return tuple(sorted(orders, key=lambda order: order.ended_at))


def _positions(account: Account, plans: Mapping[str, OrderPlan]) -> Iterator[_Position]:
    """Yield every position, from all rows of money in the order they were booked."""
    newest: dict[tuple[str, int], _Position] = {}
    payments = (line for line in account.ledger_lines.values() if line.flow_type in (FUNDING, CLEARANCE))
    rows: Iterator[account_rows.Trade | account_rows.LedgerLine] = heapq.merge(
        account.trades.values(),
        payments,
        key=lambda row: row.trade_id if isinstance(row, account_rows.Trade) else row.entry_id,
    )
    for row in rows:
        if isinstance(row, account_rows.LedgerLine):
            # funding, and what a liquidation kept of the margin: of the position that was there last
            of_symbol = (position for (symbol, _), position in newest.items() if symbol == row.symbol)
            position = max(of_symbol, key=lambda each: (bool(each.left), each.opened_ms))
            if row.flow_type == FUNDING:
                position.funding += row.amount
            else:
                position.fees -= row.amount
            continue
        position_type = LONG if (row.side in BUYS) == (row.side in OPENS) else SHORT
        current = newest.get((row.symbol, position_type))
        if current is None or not current.left:
            current = _Position(plans[row.client_order_id], row.symbol, position_type, row.at_ms)
            newest[row.symbol, position_type] = current
            yield current
        current.add_fill(account, row)


def _best_and_worst_price(exchange: Exchange, position: _Position, closed_ms: int) -> tuple[Decimal, Decimal]:
    """Return the most favourable and the most adverse last price from the first fill to the last."""
    market, listing = exchange.market, exchange.account.listing(position.symbol)
    first, last = moment_at(position.opened_ms / 1000), moment_at(closed_ms / 1000)
    lows, highs = [], []
    for minute in {first.minute, last.minute}:
        from_tick = first.tick if minute == first.minute else 0
        to_tick = last.tick if minute == last.minute else LAST_TICK
        low, high = market.minute_path(position.symbol, minute).last.reach(from_tick, to_tick)
        lows.append(low)
        highs.append(high)
    between = last.minute - first.minute - 1
    if between > 0:
        candles = market.archive.matrix(position.symbol, MINUTE_S, (first.minute + 1) * MINUTE_S, between)
        lows.append(int(candles[LOW].min()))
        highs.append(int(candles[HIGH].max()))
    lowest, highest = listing.price(min(lows)), listing.price(max(highs))
    return (highest, lowest) if position.position_type == LONG else (lowest, highest)
