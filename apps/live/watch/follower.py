"""One look at the account: read it whole, then handle every symbol, the unprotected ones first."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta

import structlog
from django.db import InterfaceError, OperationalError, transaction

from apps.engine import events
from apps.engine.cycle import follow, perform
from apps.engine.follow.book import is_urgent
from apps.engine.ports import Broker
from apps.engine.values.book import ExchangeBook
from apps.engine.values.contract import Contract
from apps.engine.values.venue import VenueConstraints
from apps.live.ledger import AccountLedger
from apps.live.watch.account_view import read_account
from apps.market import store as market
from apps.orders import store as orders
from apps.switches import store as switches

log = structlog.get_logger("positions")

TRADES_EACH = timedelta(minutes=1)
ALARMS = (events.PositionNaked, events.PositionForeign, events.EmergencyClose, events.CallFailed)


class AccountFollower:
    """`clock` is ours; `ledger` belongs to the account that `broker` trades."""

    def __init__(
        self,
        ledger: AccountLedger,
        broker: Broker,
        constraints: VenueConstraints,
        clock: Callable[[], datetime],
    ) -> None:
        self._ledger = ledger
        self._broker = broker
        self._constraints = constraints
        self._clock = clock
        self._contracts = ContractCache(broker)
        self._traded_at: dict[str, datetime] = {}

    def follow(self, now: datetime, also: Iterable[str] = ()) -> bool:
        """Handle every symbol, those of `also` with all their trades; return whether seconds count for any.

        Raises the broker's fault when the account could not be read, and the database's.
        """
        account = self._ledger.account
        off = switches.off_switches()
        books = {
            symbol: orders.book(account, symbol, now) for symbol in {*orders.active_symbols(account), *also}
        }
        # to spare the limits one more symbol a pass: that whose trades were read longest ago, if that is long
        self._traded_at = {symbol: self._traded_at.get(symbol, now) for symbol in books}
        due = [symbol for symbol, at in self._traded_at.items() if now - at >= TRADES_EACH]
        view = read_account(
            self._broker,
            books,
            lambda symbol: orders.book(account, symbol, self._clock()),
            constraints=self._constraints,
            trades_of={*also, *sorted(due, key=self._traded_at.__getitem__)[:1]},
            now=now,
        )
        self._traded_at |= dict.fromkeys(view.traded, now)
        calm = {symbol for symbol, book in books.items() if not is_urgent(book)}
        by_urgency = sorted(view.seen.values(), key=lambda seen: (seen.symbol in calm, seen.symbol))
        urgent = [self._follow_guarded(seen, off) for seen in by_urgency]
        return any(urgent)

    def _follow_guarded(self, seen: ExchangeBook, off: Mapping[str, str]) -> bool:
        """Follow one symbol and return whether seconds count for it; a fault of its own is logged."""
        try:
            return follow_symbol(
                seen,
                self._contracts.get(seen.symbol),
                ledger=self._ledger,
                broker=self._broker,
                constraints=self._constraints,
                off=off,
                clock=self._clock,
            )
        except (OperationalError, InterfaceError):
            raise
        except Exception:  # whatever is wrong with one symbol must not leave the others unprotected
            log.exception("symbol_failed", symbol=seen.symbol)
            return False


def follow_symbol(
    seen: ExchangeBook,
    contract: Contract | None,
    *,
    ledger: AccountLedger,
    broker: Broker,
    constraints: VenueConstraints,
    off: Mapping[str, str],
    clock: Callable[[], datetime],
) -> bool:
    """Store what `seen` means, then do what must be done: a crash in between repeats the doing.

    Return whether seconds count for the symbol: what was asked of the exchange must be read back.
    """
    with transaction.atomic():
        orders.lock_for_update(ledger.account, seen.symbol)
        now = clock()
        book = orders.book(ledger.account, seen.symbol, now)
        if book.changed_at is not None and book.changed_at > now:
            # an event of ours in the future: our clock was set back, and no read would ever be newer
            book = replace(book, changed_at=None)
        if book.changed_at is not None and book.changed_at >= seen.read_at:
            return True
        followed = follow(book, seen, contract, constraints=constraints, off=off, now=now)
        ledger.record(followed.events)
        orders.sync_protections(ledger.account, seen.symbol, seen.protections, now)
    _log_events(followed.events)
    failures: list[events.Event] = []
    for action in followed.actions:  # all of them, before any failure is written down
        failures += perform(action, broker=broker, now=clock())
    if failures:
        ledger.record(failures)
        _log_events(failures)
    return bool(followed.actions) or is_urgent(followed.book)


def _log_events(recorded: Iterable[events.Event]) -> None:
    for event in recorded:
        level = log.warning if isinstance(event, ALARMS) else log.info
        level(event.name, symbol=event.symbol, detail=getattr(event, "detail", ""))
        if isinstance(event, events.CloseFailing):  # the ledger has switched GLOBAL off with it
            log.critical(event.name, because=event.detail, effect="nothing opens until GLOBAL is on")


class ContractCache:
    """The contracts as the feed stored them, delisted ones too; one that is not stored is asked for once."""

    def __init__(self, broker: Broker) -> None:
        self._broker = broker
        self._fetched: dict[str, Contract | None] = {}

    def get(self, symbol: str) -> Contract | None:
        """Return None for a symbol that nobody lists. Raises what the broker raises."""
        stored = market.find_contract(symbol)
        if stored is not None:
            return stored
        if symbol not in self._fetched:
            listed = {contract.symbol: contract for contract in self._broker.contracts()}
            self._fetched[symbol] = listed.get(symbol)
            if symbol not in listed:
                log.warning("contract_not_listed", symbol=symbol, effect="followed without its limits")
        return self._fetched[symbol]
