"""The watch of a backtest: looks at a symbol when something happened there or its time has come.

What a look means and what must be done is decided by the engine's `follow`; here is only when to look:
when live would, after the push of an event, at the tick at which a resting entry is taken back for where the
mark is, and again each second while seconds count.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

from apps.backtest.ledger import MemoryLedger
from apps.engine import events
from apps.engine.cycle import follow, observe, perform
from apps.engine.follow.exit import exit_due_at
from apps.engine.follow.fallback import waiting_rest, watched_by_quote
from apps.engine.follow.orders import IN_DOUBT, LIVE
from apps.engine.ports.account import Broker
from apps.engine.values.book import ExchangeBook, SymbolBook, TrackedOrder
from apps.engine.values.contract import Contract
from apps.exchange.simulator.broker import CONSTRAINTS
from apps.exchange.simulator.market.path import next_tick

TOGETHER = timedelta(milliseconds=50)
"""A push is read so long after it."""
SOON = timedelta(seconds=1)
"""While seconds count for a symbol."""


MarkLeaves = Callable[[str, Decimal, Decimal, datetime, datetime], datetime | None]
"""When the mark of a symbol is first below one price or above another, after a moment and up to another."""


class SymbolWatch:
    """Looks that are due, by symbol. `broker` stands at the moment of each look."""

    def __init__(self, ledger: MemoryLedger, broker: Broker, mark_leaves: MarkLeaves) -> None:
        self._ledger = ledger
        self._broker = broker
        self._mark_leaves = mark_leaves
        self._waiting: dict[str, TrackedOrder] = {}
        self._due: dict[str, datetime] = {}

    @property
    def next_at(self) -> datetime | None:
        """When the next look is due; None when nothing is followed."""
        return min(self._due.values(), default=None)

    def note_push(self, symbol: str, now: datetime) -> None:
        """Look at `symbol` soon: something happened there."""
        self._due[symbol] = min(self._due.get(symbol, now + TOGETHER), now + TOGETHER)

    def take_waiting(self) -> list[TrackedOrder]:
        """Return the orders that were seen to be over and whose rest is to be sent now, each once a look."""
        waiting, self._waiting = list(self._waiting.values()), {}
        return waiting

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
        seen, _ = observe(
            self._broker, book, ExchangeBook(symbol), constraints=CONSTRAINTS, clock=lambda: now, trades=True
        )
        if watched_by_quote(book):
            seen = replace(seen, quote=self._broker.quote(symbol))
        step = follow(book, seen, contract, constraints=CONSTRAINTS, off=self._ledger.off, now=now)
        recorded = list(step.events)
        self._ledger.record(recorded)
        for action in step.actions:
            failures = perform(action, broker=self._broker, now=now)
            self._ledger.record(failures)
            recorded += failures
        # soon where seconds count, else when an order's or an exit's time has come; a push comes before it
        in_doubt = any(order.status in IN_DOUBT for order in step.book.orders)
        ends = [order.expires_at for order in step.book.orders if order.status in LIVE]
        exit_at = exit_due_at(step.book)
        ends += [] if exit_at is None else [exit_at]
        rest = waiting_rest(step.book, now)
        if rest is not None:
            self._waiting[symbol] = rest
        if step.soon or in_doubt or rest is not None:
            ends.append(now + SOON)
        ends += self._quotes_due(step.book, now)
        if ends:
            self._due[symbol] = min(at if at > now else now + SOON for at in ends)
        else:
            self._due.pop(symbol, None)
        return recorded

    def _quotes_due(self, book: SymbolBook, now: datetime) -> Iterator[datetime]:
        """Yield when the mark goes too far for a resting entry, and each tick at which its rest may be taken
        from the book."""
        for order in watched_by_quote(book):
            rules = order.entry_rules
            if rules.zone is not None:
                leaves_at = self._mark_leaves(book.symbol, *rules.zone.marks, now, order.expires_at)
                if leaves_at is not None:
                    yield leaves_at
            if rules.fallback is not None and order.fallback_before is None:
                begins = order.expires_at - timedelta(seconds=rules.fallback.ttl_threshold_s)
                yield max(begins, next_tick(now))
