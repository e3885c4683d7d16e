"""The books that following works with: those in the rooms, or, while they are away, what is remembered.

Protection does not wait for a database: what is decided from memory meanwhile is written down afterwards.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Protocol

import psycopg
import structlog
from django.db import InterfaceError, OperationalError, connection, transaction

from apps.db.deadline import deadline
from apps.engine import events
from apps.engine.cycle import follow
from apps.engine.cycle.view import BROKER_FAULTS
from apps.engine.follow.symbol import FollowResult
from apps.engine.ports.account import Broker
from apps.engine.ports.clock import Clock
from apps.engine.values.book import CloseRequest, ExchangeBook, SymbolBook, TrackedOrder
from apps.engine.values.contract import Contract
from apps.engine.values.position import PositionReport, PositionStatus
from apps.engine.values.venue import VenueConstraints
from apps.live.ledger import AccountLedger
from apps.market import store as market
from apps.orders import store as orders
from apps.switches import store as switches

log = structlog.get_logger("positions")

DATABASE_FAULTS = (OperationalError, InterfaceError, psycopg.OperationalError)
ANSWERED_WITHIN_S = 3.0
"""A database that takes longer is away: a position must not wait for it."""
CONTRACT_KEPT = timedelta(minutes=1)
ALARMS = (events.PositionNaked, events.PositionForeign, events.EmergencyClose, events.CallFailed)


@dataclass(frozen=True, slots=True)
class FollowRules:
    """How every symbol of the account is followed, whatever the books say.

    `adopt_foreign`: what was opened by hand gets a stop.
    """

    constraints: VenueConstraints
    adopt_foreign: bool = False

    def follow(
        self,
        book: SymbolBook,
        seen: ExchangeBook,
        contract: Contract | None,
        off: Mapping[str, str],
        now: datetime,
    ) -> FollowResult:
        """Decide what `seen` means for `book`; nothing is kept of it."""
        if book.changed_at is not None and book.changed_at > now:
            # our clock was set back: no read would ever be newer than this event of ours
            book = replace(book, changed_at=None)
        return follow(
            book,
            seen,
            contract,
            constraints=self.constraints,
            off=off,
            now=now,
            adopt_foreign=self.adopt_foreign,
        )


class Books(Protocol):
    """Our side of the comparison, for one account."""

    def active_symbols(self) -> list[str]:
        """Return the symbols of which something is booked."""

    def symbols_entered_since(self, moment: datetime) -> Collection[str]:
        """Return the symbols where an entry of ours rests, or ended since then."""

    def off_switches(self) -> Mapping[str, str]:
        """Return key → reason of every switch that is off."""

    def load(self, symbols: Collection[str], now: datetime) -> dict[str, SymbolBook]:
        """Return the books of `symbols`, without their stored fills."""

    def contract(self, symbol: str) -> Contract | None:
        """Return its contract; None when nobody lists it."""

    def follow(self, seen: ExchangeBook, contract: Contract | None, off: Mapping[str, str]) -> FollowResult:
        """Decide what `seen` means for the symbol, and keep it before anything is done about it."""

    def record(self, happened: Sequence[events.Event]) -> None:
        """Keep what happened."""

    def save_protections(self, seen: ExchangeBook) -> None:
        """Store the stops and targets of a symbol, if they were read and are not those that are stored."""

    def save_marks(self, reports: Sequence[PositionReport]) -> None:
        """Store the mark prices and unrealised results that were read, where they are old or noticeably
        others."""


class StoredBooks:
    """See Books: those in the rooms. Each call raises one of DATABASE_FAULTS after ANSWERED_WITHIN_S."""

    def __init__(self, ledger: AccountLedger, broker: Broker, rules: FollowRules, clock: Clock) -> None:
        self._ledger = ledger
        self._clock = clock
        self._marks = orders.PositionMarks(ledger.account)
        self.rules = rules
        self.contracts = ContractCache(broker, clock)
        self._resting: orders.RestingProtections = {}
        self.remembered: dict[str, SymbolBook] = {}
        self.remembered_off: Mapping[str, str] = {}

    def active_symbols(self) -> list[str]:
        with deadline(ANSWERED_WITHIN_S):
            return orders.active_symbols(self._ledger.account)

    def symbols_entered_since(self, moment: datetime) -> Collection[str]:
        with deadline(ANSWERED_WITHIN_S):
            return orders.symbols_entered_since(self._ledger.account, moment)

    def off_switches(self) -> Mapping[str, str]:
        with deadline(ANSWERED_WITHIN_S):
            self.remembered_off = switches.off_switches()
        return self.remembered_off

    def close_requests(self) -> Mapping[str, Sequence[CloseRequest]]:
        """Return symbol → what people want closed there."""
        with deadline(ANSWERED_WITHIN_S):
            return orders.open_requests(self._ledger.account)

    def load(self, symbols: Collection[str], now: datetime) -> dict[str, SymbolBook]:
        with deadline(ANSWERED_WITHIN_S):
            books = orders.books(self._ledger.account, symbols, now)
            self._resting = orders.resting_protections(self._ledger.account)
        self.remembered = dict(books)
        return books

    def contract(self, symbol: str) -> Contract | None:
        return self.contracts.get(symbol)

    def follow(self, seen: ExchangeBook, contract: Contract | None, off: Mapping[str, str]) -> FollowResult:
        account, symbol = self._ledger.account, seen.symbol
        with deadline(ANSWERED_WITHIN_S), transaction.atomic():
            orders.lock_for_update(account, symbol)
            now = self._clock()
            result = self.rules.follow(orders.book(account, symbol, now), seen, contract, off, now)
            self._ledger.record(result.events)
        self.remembered[symbol] = _changed(result, now)
        log_events(result.events)
        return result

    def record(self, happened: Sequence[events.Event]) -> None:
        with deadline(ANSWERED_WITHIN_S):
            self._ledger.record(happened)
        log_events(happened)

    def save_protections(self, seen: ExchangeBook) -> None:
        shown = {(row.exchange_order_id, row.trigger_price, row.size) for row in seen.protections}
        if seen.protections_at is None or shown == self._resting.get(seen.symbol, set()):
            return
        with deadline(ANSWERED_WITHIN_S):
            orders.sync_protections(self._ledger.account, seen.symbol, seen.protections, self._clock())

    def save_marks(self, reports: Sequence[PositionReport]) -> None:
        self._marks.save(reports, self._clock())


class RememberedBooks:
    """See Books: as the rooms last were, while they cannot be reached. `pending` is to be written down."""

    def __init__(self, stored: StoredBooks, clock: Clock) -> None:
        self._books = dict(stored.remembered)
        self._contracts = stored.contracts
        self._off = dict(stored.remembered_off)
        self._rules = stored.rules
        self._clock = clock
        self.pending: list[events.Event] = []

    def active_symbols(self) -> list[str]:
        return sorted(self._books)

    def symbols_entered_since(self, moment: datetime) -> Collection[str]:
        return [symbol for symbol, book in self._books.items() if book.orders]

    def off_switches(self) -> Mapping[str, str]:
        return self._off

    def load(self, symbols: Collection[str], now: datetime) -> dict[str, SymbolBook]:
        return {symbol: self._remembered(symbol) for symbol in symbols}

    def contract(self, symbol: str) -> Contract | None:
        return self._contracts.kept(symbol)

    def follow(self, seen: ExchangeBook, contract: Contract | None, off: Mapping[str, str]) -> FollowResult:
        now = self._clock()
        result = self._rules.follow(self._remembered(seen.symbol), seen, contract, off, now)
        self._books[seen.symbol] = _changed(result, now)
        self.record(result.events)
        return result

    def record(self, happened: Sequence[events.Event]) -> None:
        self.pending += happened
        log_events(happened)

    def _remembered(self, symbol: str) -> SymbolBook:
        """What others claimed after the last look is not in it."""
        return replace(self._books.get(symbol, SymbolBook(symbol)), may_lack_orders=True)

    def save_protections(self, seen: ExchangeBook) -> None:
        """They are read again when there is somewhere to store them."""

    def save_marks(self, reports: Sequence[PositionReport]) -> None:
        """See save_protections."""

    def write_down(self, ledger: AccountLedger) -> None:
        """Store what happened meanwhile, symbol by symbol; raises one of DATABASE_FAULTS while none can be.

        A position goes to the decision that the rooms know of the order that opened it. What they refuse is
        logged: the next look compares the books anyway.
        """
        by_symbol: dict[str, list[events.Event]] = {}
        for event in self.pending:
            by_symbol.setdefault(event.symbol, []).append(event)
        connection.close()
        with deadline(ANSWERED_WITHIN_S):
            connection.ensure_connection()
        for symbol, happened in by_symbol.items():
            try:
                with deadline(ANSWERED_WITHIN_S):
                    found = [event.order for event in happened if isinstance(event, events.OrderAdopted)]
                    ids = [order.client_order_id for order in found]
                    booked = orders.orders_by_id(ledger.account, ids)
                    ledger.record(list(_with_decisions(happened, booked)))
            except DATABASE_FAULTS:
                raise
            except Exception:  # one symbol's rows must not keep the others from being written
                log.exception("not_written_down", symbol=symbol, events=[event.name for event in happened])
            self.pending = [event for event in self.pending if event.symbol != symbol]


def log_events(happened: Iterable[events.Event]) -> None:
    for event in happened:
        level = log.warning if isinstance(event, ALARMS) else log.info
        level(event.name, symbol=event.symbol, detail=getattr(event, "detail", ""))
        if isinstance(event, events.CloseFailing):  # the ledger switches GLOBAL off with it
            log.critical(event.name, because=event.detail, effect="nothing opens until GLOBAL is on")


def _with_decisions(
    happened: Sequence[events.Event], booked: Iterable[TrackedOrder]
) -> Iterator[events.Event]:
    """Yield the events; positions that one of the `booked` orders opened, found without its plan, with the
    decision, stop, target and exits of that plan."""
    openers = {order.side: order for order in booked if order.decision_key}
    for event in happened:
        if isinstance(event, events.PositionEvent) and not event.position.decision_key:
            position, opener = event.position, openers.get(event.position.side)
            if opener is not None and position.status != PositionStatus.FOREIGN:
                position = replace(
                    position,
                    decision_key=opener.decision_key,
                    stop=position.stop or opener.stop,
                    target=position.target or opener.target,
                    exits=opener.exits,
                )
                event = replace(event, position=position)
        yield event


def _changed(result: FollowResult, now: datetime) -> SymbolBook:
    return replace(result.book, changed_at=now) if result.events else result.book


class ContractCache:
    """The contracts as the feed stored them, delisted ones too; one that is not stored is asked for once.

    Each is kept for a minute.
    """

    def __init__(self, broker: Broker, clock: Clock) -> None:
        self._broker = broker
        self._clock = clock
        self._kept: dict[str, tuple[Contract | None, datetime]] = {}

    def get(self, symbol: str) -> Contract | None:
        """Return None for a symbol that nobody lists, or while that cannot be read."""
        now = self._clock()
        if symbol in self._kept and abs(now - self._kept[symbol][1]) <= CONTRACT_KEPT:
            return self._kept[symbol][0]
        with deadline(ANSWERED_WITHIN_S):
            contract = market.find_contract(symbol)
        if contract is None and symbol in self._kept:
            contract = self._kept[symbol][0]
        elif contract is None:
            try:
                listed = {contract.symbol: contract for contract in self._broker.contracts()}
            except BROKER_FAULTS as fault:
                log.warning("contracts_unreadable", symbol=symbol, error=str(fault))
                return None
            contract = listed.get(symbol)
            if contract is None:
                log.warning("contract_not_listed", symbol=symbol, effect="followed without its limits")
        self._kept[symbol] = (contract, now)
        return contract

    def kept(self, symbol: str) -> Contract | None:
        """Return what was last read of it."""
        return self._kept.get(symbol, (None, None))[0]
