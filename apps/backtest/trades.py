"""Trades read from the exchange's own books: every fill, fee and payment belongs to one of them."""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from apps.backtest.outcome import Exit, Trade
from apps.engine.values.plan import OrderPlan
from apps.exchange.simulator.account import rows as account_rows
from apps.exchange.simulator.account.account import Account
from apps.exchange.simulator.account.margin import unrealised
from apps.exchange.simulator.codes import BUYS, CLEARANCE, FUNDING, LONG, OPENS, SHORT
from apps.exchange.simulator.exchange import Exchange
from apps.exchange.simulator.market.archive import MINUTE_S
from apps.exchange.simulator.market.listing import Listing
from apps.exchange.simulator.market.market import Market
from apps.exchange.simulator.market.path import LAST_TICK, Moment, moment_at
from apps.exchange.simulator.reports import datetime_of
from apps.exchange.simulator.tape.code import HIGH, LOW

ZERO = Decimal(0)
_KINDS = {"stop_loss": Exit.STOP, "take_profit": Exit.TARGET}


@dataclass
class _Held:
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


def trades(floor: Exchange, plans: Mapping[str, OrderPlan], end_ms: int) -> tuple[Trade, ...]:
    """By their opening; what is open at `end_ms` is valued. `plans`: by the client id of each order.

    KeyError for a position that no plan opened. Their net adds up to the change of the account's equity.
    """
    walked = sorted(_walk(floor.account, plans), key=lambda held: (held.opened_ms, held.symbol))
    return tuple(_trade(floor, held, end_ms) for held in walked)


def _walk(account: Account, plans: Mapping[str, OrderPlan]) -> Iterator[_Held]:
    """All rows of money in the order they were booked."""
    newest: dict[tuple[str, int], _Held] = {}
    paid = (line for line in account.ledger_lines.values() if line.flow_type in (FUNDING, CLEARANCE))
    rows: Iterator[account_rows.Trade | account_rows.LedgerLine] = heapq.merge(
        account.trades.values(), paid, key=_number
    )
    for row in rows:
        if isinstance(row, account_rows.LedgerLine):
            _pay(newest, row)
            continue
        held = newest.get((row.symbol, _position_type(row)))
        if held is None or not held.left:
            held = _Held(plans[row.client_order_id], row.symbol, _position_type(row), row.at_ms)
            newest[row.symbol, held.position_type] = held
            yield held
        _fill(account, held, row)


def _number(row: account_rows.Trade | account_rows.LedgerLine) -> int:
    return row.trade_id if isinstance(row, account_rows.Trade) else row.entry_id


def _position_type(row: account_rows.Trade) -> int:
    return LONG if (row.side in BUYS) == (row.side in OPENS) else SHORT


def _fill(account: Account, held: _Held, row: account_rows.Trade) -> None:
    held.gross += row.realised
    held.fees += row.fee
    if row.side in OPENS:
        held.size += row.contracts
        held.left += row.contracts
        held.entry_value += row.price * row.contracts
        return
    held.left -= row.contracts
    held.exit_value += row.price * row.contracts
    held.closed_ms = row.at_ms
    held.exit = _exit(account, row) if not held.left else Exit.OPEN


def _exit(account: Account, row: account_rows.Trade) -> Exit:
    order = account.orders[str(row.order_id)]
    if order.kind == "liquidate":
        return Exit.LIQUIDATION
    plan = account.plans.get(str(order.plan_order_id))
    return Exit.CLOSED if plan is None else _KINDS.get(plan.kind, Exit.CLOSED)


def _pay(newest: Mapping[tuple[str, int], _Held], line: account_rows.LedgerLine) -> None:
    """Funding, and what a liquidation kept of the margin: of the position that was there last."""
    held = max(
        (one for (symbol, _), one in newest.items() if symbol == line.symbol),
        key=lambda one: (bool(one.left), one.opened_ms),
    )
    if line.flow_type == FUNDING:
        held.funding += line.amount
    else:
        held.fees -= line.amount


def _trade(floor: Exchange, held: _Held, end_ms: int) -> Trade:
    listing, market = floor.account.listing(held.symbol), floor.market
    closed_ms = held.closed_ms if held.exit is not Exit.OPEN else end_ms
    best, worst = _range(market, listing, held, closed_ms)
    gross, exit_value = held.gross, held.exit_value
    if held.left:
        last = floor.last(held.symbol, moment_at(end_ms / 1000))
        position = floor.account.position(held.symbol, held.position_type)
        gross += unrealised(listing, position, last)
        exit_value += last * held.left
    return Trade(
        plan=held.plan,
        opened_at=datetime_of(held.opened_ms),
        closed_at=datetime_of(closed_ms),
        size=Decimal(held.size),
        entry_price=held.entry_value / held.size,
        exit_price=exit_value / held.size,
        exit=held.exit,
        gross=gross,
        fees=held.fees,
        funding=held.funding,
        best=best,
        worst=worst,
    )


def _range(market: Market, listing: Listing, held: _Held, closed_ms: int) -> tuple[Decimal, Decimal]:
    """The most favourable and the most adverse last price from the first fill to the last."""
    first, last = moment_at(held.opened_ms / 1000), moment_at(closed_ms / 1000)
    lows, highs = [], []
    for minute in {first.minute, last.minute}:
        line = market.minute_path(held.symbol, minute).last
        low, high = line.reach(_tick(first, minute, 0), _tick(last, minute, LAST_TICK))
        lows.append(low)
        highs.append(high)
    between = last.minute - first.minute - 1
    if between > 0:
        candles = market.archive.matrix(held.symbol, MINUTE_S, (first.minute + 1) * MINUTE_S, between)
        lows.append(int(candles[LOW].min()))
        highs.append(int(candles[HIGH].max()))
    lowest, highest = listing.price(min(lows)), listing.price(max(highs))
    return (highest, lowest) if held.position_type == LONG else (lowest, highest)


def _tick(edge: Moment, minute: int, otherwise: int) -> int:
    return edge.tick if edge.minute == minute else otherwise
