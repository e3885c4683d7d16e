"""The watch of a backtest: looks at a symbol when something happened there or its time has come.

What a look means and what must be done is decided by the engine's `follow`; here is only when to look:
when live would, after the push of an event, and again each second while seconds count.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from apps.backtest.ledger import MemoryLedger
from apps.engine import events
from apps.engine.cycle import follow, perform
from apps.engine.follow.book import is_urgent
from apps.engine.follow.orders import IN_DOUBT, LIVE, due_lookups, suspect_lookups
from apps.engine.ports import Broker
from apps.engine.values.book import ExchangeBook, SymbolBook
from apps.engine.values.contract import Contract
from apps.exchange.simulator.broker import CONSTRAINTS

TOGETHER = timedelta(milliseconds=50)
"""A push is read so long after it."""
SOON = timedelta(seconds=1)
"""While seconds count for a symbol."""
TRADES_BEFORE = timedelta(hours=1)
"""Trades are read from so long before the first thing in the book on."""


class SymbolWatch:
    """Looks that are due, by symbol. `broker` stands at the moment of each look."""

    def __init__(self, ledger: MemoryLedger, broker: Broker) -> None:
        self._ledger = ledger
        self._broker = broker
        self._due: dict[str, datetime] = {}

    @property
    def next_at(self) -> datetime | None:
        """When the next look is due; None when nothing is followed."""
        return min(self._due.values(), default=None)

    def note_push(self, symbol: str, now: datetime) -> None:
        """Look at `symbol` soon: something happened there."""
        self._due[symbol] = min(self._due.get(symbol, now + TOGETHER), now + TOGETHER)

    def follow_due(self, now: datetime, contract: Callable[[str], Contract]) -> list[events.Event]:
        """Follow every symbol that is due, in their order; return the events, recorded already."""
        return [
            event
            for symbol in sorted(symbol for symbol, at in self._due.items() if at <= now)
            for event in self.follow_symbol(symbol, contract(symbol), now)
        ]

    def follow_symbol(self, symbol: str, contract: Contract, now: datetime) -> list[events.Event]:
        """Read one symbol, follow it and do what must be done; return the events, recorded already."""
        book = self._ledger.book(symbol, now)
        exchange_book = read_symbol(self._broker, book, now)
        step = follow(book, exchange_book, contract, constraints=CONSTRAINTS, off=self._ledger.off, now=now)
        recorded = list(step.events)
        self._ledger.record(recorded)
        for action in step.actions:
            failures = perform(action, broker=self._broker, now=now)
            self._ledger.record(failures)
            recorded += failures
        # soon where seconds count, else when an order's time is over; a push comes before either
        in_doubt = any(order.status in IN_DOUBT for order in step.book.orders)
        ends = [order.expires_at for order in step.book.orders if order.status in LIVE]
        if step.actions or in_doubt or is_urgent(step.book):
            self._due[symbol] = now + SOON
        elif ends:
            self._due[symbol] = min(at if at > now else now + SOON for at in ends)
        else:
            self._due.pop(symbol, None)
        return recorded


def read_symbol(broker: Broker, book: SymbolBook, now: datetime) -> ExchangeBook:
    """Return one symbol, read completely, in the order that following needs."""
    symbol = book.symbol
    open_orders = broker.orders(symbol)
    due = due_lookups(book, open_orders, CONSTRAINTS, now)
    looked_up = {client_id: broker.order(symbol, client_id) for client_id in due}
    positions = broker.positions(symbol)
    doubtful = suspect_lookups(book, positions)
    if doubtful:
        looked_up |= {client_id: broker.order(symbol, client_id) for client_id in doubtful}
        positions = broker.positions(symbol)
    begun_at = [
        now,
        *(order.sent_at for order in book.orders),
        *(position.opened_at for position in book.positions),
    ]
    return ExchangeBook(
        symbol=symbol,
        read_at=now,
        orders=tuple(open_orders),
        looked_up=looked_up,
        positions=tuple(positions),
        protections=tuple(broker.protections(symbol)),
        fills=tuple(broker.fills(symbol, min(begun_at) - TRADES_BEFORE)),
    )
