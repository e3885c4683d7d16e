"""What the exchange shows: the whole account by three lists, and one symbol by what is missing of it there.

Protection is decided by the lists alone; look-ups and trades, which take longer, explain what they show.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Generic, Protocol, TypeVar

from apps.engine.follow.exit import holds_less_than_filled
from apps.engine.follow.fallback import waiting_rest
from apps.engine.follow.orders import LIVE, due_lookups, suspect_lookups
from apps.engine.follow.reconcile import OWN_ID_PREFIX, Differences, compare
from apps.engine.follow.symbol import loose_protections
from apps.engine.ports.account import Broker, BrokerRejected, BrokerUnavailable, BrokerUnknown, Listing
from apps.engine.ports.clock import Clock
from apps.engine.values.book import ExchangeBook, SymbolBook
from apps.engine.values.errors import TradingError
from apps.engine.values.order import OrderReport, ProtectionReport
from apps.engine.values.position import PositionReport, PositionStatus
from apps.engine.values.venue import VenueConstraints

BROKER_FAULTS = (BrokerRejected, BrokerUnknown, BrokerUnavailable)

TRADES_BEFORE = timedelta(hours=1)
"""Trades are read from so long before the first thing of ours on: of positions just closed as well."""
TRADES_OF_OTHERS = timedelta(minutes=10)
"""Where nothing of ours lives, only what was traded so shortly before is of interest."""


class _HasSymbol(Protocol):
    @property
    def symbol(self) -> str: ...


R = TypeVar("R", bound=_HasSymbol)


@dataclass(frozen=True, slots=True)
class Part(Generic[R]):
    """One list by symbol, asked for at `at`; `unknown` symbols, or all that are absent, may lack rows."""

    at: datetime
    rows: dict[str, list[R]]
    unknown: frozenset[str]
    whole: bool

    @classmethod
    def of(cls, listing: Listing[R], at: datetime) -> Part[R]:
        rows: defaultdict[str, list[R]] = defaultdict(list)
        for row in listing.rows:
            rows[row.symbol].append(row)
        return cls(at, dict(rows), frozenset(listing.unreadable), listing.whole)

    def known_at(self, symbol: str) -> datetime | None:
        """Return the time of the list where it is complete for `symbol`, else None."""
        return self.at if self.whole and symbol not in self.unknown else None


@dataclass(frozen=True, slots=True)
class AccountView:
    """The account's three lists, each None when it could not be read; `faults` says why."""

    orders: Part[OrderReport] | None = None
    positions: Part[PositionReport] | None = None
    protections: Part[ProtectionReport] | None = None
    faults: tuple[TradingError, ...] = ()

    @property
    def unreadable(self) -> frozenset[str]:
        """Symbols with a row that could not be read: what they have is not known."""
        parts = (self.orders, self.positions, self.protections)
        return frozenset().union(*(part.unknown for part in parts if part is not None)) - {""}

    def shown(self) -> set[str]:
        """Return the symbols of positions, stops and targets, and of orders with our prefix."""
        held = set(self.positions.rows) if self.positions is not None else set()
        protected = set(self.protections.rows) if self.protections is not None else set()
        orders = self.orders.rows if self.orders is not None else {}
        ours = {
            symbol
            for symbol, rows in orders.items()
            if any(row.client_order_id.startswith(OWN_ID_PREFIX) for row in rows)
        }
        return held | protected | ours

    def book(self, symbol: str) -> ExchangeBook:
        """Return what the lists tell of `symbol`."""
        book = ExchangeBook(symbol)
        if self.orders is not None:
            orders = tuple(self.orders.rows.get(symbol, ()))
            book = replace(book, orders_at=self.orders.known_at(symbol), orders=orders)
        if self.positions is not None:
            positions = tuple(self.positions.rows.get(symbol, ()))
            book = replace(book, positions_at=self.positions.known_at(symbol), positions=positions)
        if self.protections is not None:
            protections = tuple(self.protections.rows.get(symbol, ()))
            book = replace(book, protections_at=self.protections.known_at(symbol), protections=protections)
        return book


def read_account(broker: Broker, clock: Clock) -> AccountView:
    """Read the three lists, orders first: what filled an order is then in the positions."""
    faults: list[TradingError] = []

    def read(ask: Callable[[], Listing[R]]) -> Part[R] | None:
        at = clock()
        try:
            return Part.of(ask(), at)
        except BROKER_FAULTS as fault:
            faults.append(fault)
            return None

    orders, positions = read(broker.all_orders), read(broker.all_positions)
    protections = read(broker.all_protections)
    return AccountView(orders, positions, protections, tuple(faults))


@dataclass
class _SymbolReader:
    """One symbol's own reads: what is not answered stays unknown, and is a fault of `faults`."""

    broker: Broker
    clock: Clock
    faults: list[TradingError] = field(default_factory=list)

    def parts(self, seen: ExchangeBook) -> ExchangeBook:
        """Return `seen` with the lists that it lacks."""
        symbol = seen.symbol
        if seen.orders_at is None:
            at, orders = self._ask(lambda: self.broker.orders(symbol))
            seen = seen if orders is None else replace(seen, orders_at=at, orders=tuple(orders))
        if seen.positions_at is None:
            at, positions = self._ask(lambda: self.broker.positions(symbol))
            seen = seen if positions is None else replace(seen, positions_at=at, positions=tuple(positions))
        if seen.protections_at is None:
            at, protections = self._ask(lambda: self.broker.protections(symbol))
            if protections is not None:
                seen = replace(seen, protections_at=at, protections=tuple(protections))
        return seen

    def look_ups(self, seen: ExchangeBook, client_ids: Iterable[str]) -> ExchangeBook:
        """Return `seen` with the orders looked up one by one; one not answered is not one that is absent."""
        answers = dict(seen.looked_up)
        for client_id in dict.fromkeys(client_ids):
            try:
                answers[client_id] = self.broker.order(seen.symbol, client_id)
            except BROKER_FAULTS as fault:
                self.faults.append(fault)
        return replace(seen, looked_up=answers)

    def trades(self, seen: ExchangeBook, since: datetime) -> ExchangeBook:
        """Return `seen` with its trades since then."""
        at, fills = self._ask(lambda: self.broker.fills(seen.symbol, since))
        if fills is None:
            return seen
        return replace(seen, fills_at=at, fills_since=since, fills=tuple(fills))

    def _ask(self, read: Callable[[], list[R]]) -> tuple[datetime, list[R] | None]:
        at = self.clock()
        try:
            return at, read()
        except BROKER_FAULTS as fault:
            self.faults.append(fault)
            return at, None


def observe(
    broker: Broker,
    book: SymbolBook,
    seen: ExchangeBook,
    *,
    constraints: VenueConstraints,
    clock: Clock,
    trades: bool = False,
) -> tuple[ExchangeBook, tuple[TradingError, ...]]:
    """Read what `seen`, made from the account's lists or empty, lacks of a symbol; return it with the faults.

    The lists first, then the orders that must be looked up, last the trades: where the books differ or
    something protects nothing, or always with `trades`.
    """
    reader = _SymbolReader(broker, clock)
    seen = reader.parts(seen)
    seen = reader.look_ups(seen, _lookups(book, seen, constraints, clock()))
    if trades or _is_unexplained(book, seen, clock()):
        seen = reader.trades(seen, _trades_since(book, seen, clock()))
    return seen, tuple(reader.faults)


def lacks_reads(book: SymbolBook, seen: ExchangeBook, constraints: VenueConstraints, now: datetime) -> bool:
    """Whether `observe` would read anything that `seen` lacks."""
    return (
        None in (seen.orders_at, seen.positions_at, seen.protections_at)
        or bool(_lookups(book, seen, constraints, now))
        or _is_unexplained(book, seen, now)
    )


def _lookups(
    book: SymbolBook, seen: ExchangeBook, constraints: VenueConstraints, now: datetime
) -> tuple[str, ...]:
    return *due_lookups(book, seen, constraints, now), *suspect_lookups(book, seen)


def _is_unexplained(book: SymbolBook, seen: ExchangeBook, now: datetime) -> bool:
    """Whether the books differ, less is held than was filled, or something protects nothing: its trades tell
    why."""
    current = seen.newer_than(book.changed_at)
    differs = compare(book, current, now) != Differences() or holds_less_than_filled(
        book, waiting_rest(book, now)
    )
    return differs or bool(loose_protections(book, current))


def _trades_since(book: SymbolBook, seen: ExchangeBook, now: datetime) -> datetime:
    """Return from when on trades explain what is there; of what others opened long ago only the newest."""
    unexplained = {report.side for report in seen.positions} - {position.side for position in book.positions}
    # a leftover goes only when the trades since the first of its side's orders show that it protects nothing
    unexplained |= {protection.side for protection in loose_protections(book, seen)}
    starts = [
        order.sent_at
        for order in book.orders
        if order.status in LIVE or order.decision_key == book.locked_by or order.side in unexplained
    ]
    starts += [held.opened_at for held in book.positions if held.status != PositionStatus.FOREIGN]
    return min(starts) - TRADES_BEFORE if starts else now - TRADES_OF_OTHERS
