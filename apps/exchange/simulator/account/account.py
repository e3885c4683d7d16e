"""One account's books: every row it has, what is free of its wallet, and what changed since the last look."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from decimal import Decimal
from itertools import takewhile
from typing import Any

from apps.exchange.simulator.account.margin import TAKER, margin, position_margin, unrealised
from apps.exchange.simulator.account.rows import (
    ZERO,
    Contract,
    LedgerLine,
    Order,
    Plan,
    Position,
    Row,
    Trade,
    Wallet,
    position_key,
)
from apps.exchange.simulator.codes import APPROVAL, HEDGE, LONG, OVER, SHORT
from apps.exchange.simulator.market.listing import Listing

DEFAULT_LEVERAGE = 10
DEFAULT_OPEN_TYPE = "isolated"
FIRST_NUMBER = 3_000_000_000_000_000
"""Ids have 16 digits, as the exchange's."""


class Account:
    """Rows enter by `put` alone: it also keeps the live ones at hand and remembers what changed."""

    def __init__(self, listing: Callable[[str], Listing], wallet: Wallet) -> None:
        self.listing = listing
        self.wallet = wallet
        self.orders: dict[str, Order] = {}
        self.plans: dict[str, Plan] = {}
        self.positions: dict[str, Position] = {}
        self.trades: dict[str, Trade] = {}
        self.ledger_lines: dict[str, LedgerLine] = {}
        self.contracts: dict[str, Contract] = {}
        self._tables: dict[type[Row], dict[str, Any]] = {
            Contract: self.contracts,
            Order: self.orders,
            Plan: self.plans,
            Position: self.positions,
            Trade: self.trades,
            LedgerLine: self.ledger_lines,
        }
        self._live: dict[str, Order | Plan] = {}
        self._unapproved: dict[str, Order] = {}
        self._changed: dict[tuple[type[Row], str], Row] = {}
        self._versions: dict[str, int] = {}
        self.changes = 0

    def put(self, row: Row) -> None:
        self._changed[type(row), row.key] = row
        self.changes += 1
        if isinstance(row, Wallet):
            self.wallet = row
            return
        self._tables[type(row)][row.key] = row
        self._versions[row.symbol] = self.changes
        if isinstance(row, (Order, Plan)):
            self._live[row.key] = row
            if row.state == OVER:
                del self._live[row.key]
        if isinstance(row, Order):
            self._unapproved.pop(row.key, None)
            if row.state == APPROVAL:
                self._unapproved[row.key] = row

    def version(self, symbol: str) -> int:
        """Return another number whenever a row of the contract changed; `changes` for the whole account."""
        return self._versions.get(symbol, 0)

    def changed_rows(self) -> list[Row]:
        """Return the rows put since they were last taken, each in its newest version."""
        return list(self._changed.values())

    def take_changes(self) -> list[Row]:
        """Return the same, and begin anew."""
        changes = self.changed_rows()
        self._changed.clear()
        return changes

    def rows(self) -> Iterator[Row]:
        yield self.wallet
        for table in self._tables.values():
            yield from table.values()

    def take_number(self) -> int:
        """Count on and return a number above all before it: ids of orders, plans, trades and ledger lines."""
        self.put(replace(self.wallet, numbers=self.wallet.numbers + 1))
        return FIRST_NUMBER + self.wallet.numbers

    def book_line(
        self, flow_type: int, amount: Decimal, symbol: str, at_ms: int, *, transfer: str = ""
    ) -> None:
        """Change the wallet by a line of the ledger."""
        self.put(LedgerLine(self.take_number(), flow_type, amount, symbol, at_ms, transfer))
        self.put(replace(self.wallet, cash=self.wallet.cash + amount))

    @property
    def hedged(self) -> bool:
        return self.wallet.position_mode == HEDGE

    def live_orders(self, symbol: str | None = None) -> list[Order]:
        return [row for row in self._live_of(symbol) if isinstance(row, Order)]

    def unapproved(self) -> list[Order]:
        """Return the orders accepted, and not let into the market yet."""
        return list(self._unapproved.values())

    def live_plans(self, symbol: str | None = None) -> list[Plan]:
        return [row for row in self._live_of(symbol) if isinstance(row, Plan)]

    def is_live(self, row: Order | Plan) -> bool:
        return row.key in self._live

    def position(self, symbol: str, position_type: int) -> Position:
        """Return the position of that side; a flat one when nothing is held."""
        contract = self.contract(symbol)
        flat = Position(symbol, position_type, contract.leverage, contract.open_type, 0, 0)
        return self.positions.get(position_key(symbol, position_type), flat)

    def open_positions(self, symbol: str | None = None) -> list[Position]:
        """Return the positions that are not flat."""
        return [
            row for row in self.positions.values() if row.size and (symbol is None or row.symbol == symbol)
        ]

    def contract(self, symbol: str) -> Contract:
        return self.contracts.get(symbol, Contract(symbol, DEFAULT_LEVERAGE, DEFAULT_OPEN_TYPE))

    def active_symbols(self) -> list[str]:
        """Return the contracts on which anything may still happen, sorted."""
        armed = (row.symbol for row in self.contracts.values() if row.cancel_at_ms)
        return sorted({row.symbol for row in (*self._live.values(), *self.open_positions())} | set(armed))

    def trades_since(self, at_ms: int) -> Iterator[Trade]:
        """Yield them newest first."""
        return takewhile(lambda trade: trade.at_ms >= at_ms, reversed(self.trades.values()))

    def ledger_since(self, at_ms: int) -> Iterator[LedgerLine]:
        """Yield them newest first."""
        return takewhile(lambda entry: entry.at_ms >= at_ms, reversed(self.ledger_lines.values()))

    def frozen_by(self, order: Order) -> Decimal:
        """Return the margin and fee an order needs for what it may still open, at its price."""
        opening = self.opening_part(order.symbol, order.side, order.remaining) if order.opens else 0
        value = order.price * opening * self.listing(order.symbol).contract_size
        return margin(value, order.leverage, LONG if order.buys else SHORT) + value * TAKER

    def opening_part(self, symbol: str, side: int, contracts: int) -> int:
        """Return how many contracts open: in one-way mode an opposite position is reduced first."""
        if self.hedged:
            return contracts
        opposite = self.position(symbol, SHORT if side == 1 else LONG)
        return max(0, contracts - opposite.size)

    @property
    def frozen(self) -> Decimal:
        return sum((self.frozen_by(order) for order in self.live_orders()), ZERO)

    @property
    def deposit(self) -> Decimal:
        """The margin of all positions."""
        return sum((position_margin(self.listing(row.symbol), row) for row in self.open_positions()), ZERO)

    @property
    def available(self) -> Decimal:
        return self.wallet.cash - self.frozen - self.deposit

    def unrealised(self, last: Callable[[str], Decimal]) -> Decimal:
        """Return the unrealised profit of all positions, at last prices."""
        rows = self.open_positions()
        return sum((unrealised(self.listing(row.symbol), row, last(row.symbol)) for row in rows), ZERO)

    def _live_of(self, symbol: str | None) -> Iterable[Order | Plan]:
        return [row for row in self._live.values() if symbol is None or row.symbol == symbol]
