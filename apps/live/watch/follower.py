"""One symbol handled: its lock row held, the books compared, the events recorded, then what must be done."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

import structlog
from django.db import transaction

from apps.engine import events
from apps.engine.cycle import follow, perform
from apps.engine.follow.action import Action
from apps.engine.follow.book import is_urgent
from apps.engine.ports import Broker
from apps.engine.values.book import ExchangeBook, SymbolBook
from apps.engine.values.contract import Contract
from apps.engine.values.venue import VenueConstraints
from apps.live.ledger import AccountLedger
from apps.orders import store as orders

log = structlog.get_logger("positions")

ALARMS = (events.PositionNaked, events.PositionForeign, events.EmergencyClose, events.CallFailed)


@dataclass(frozen=True, slots=True)
class SymbolFollowed:
    """The book after it; `acted`: something was asked of the exchange, which must be read back."""

    book: SymbolBook
    acted: bool = False

    @property
    def soon(self) -> bool:
        """Whether seconds count for this symbol."""
        return self.acted or is_urgent(self.book)


def follow_symbol(
    seen: ExchangeBook,
    contract: Contract | None,
    *,
    ledger: AccountLedger,
    broker: Broker,
    constraints: VenueConstraints,
    off: Mapping[str, str],
    clock: Callable[[], datetime],
) -> SymbolFollowed:
    """Everything `seen` means, stored before anything of it is done: a crash in between repeats the doing."""
    with transaction.atomic():
        orders.lock_for_update(ledger.account, seen.symbol)
        now = clock()
        book = _believable(orders.book(ledger.account, seen.symbol, now), now)
        if book.changed_at is not None and book.changed_at >= seen.read_at:
            return SymbolFollowed(book, acted=True)
        followed = follow(book, seen, contract, constraints=constraints, off=off, now=now)
        ledger.record(followed.events)
        orders.sync_protections(ledger.account, seen.symbol, seen.protections, now)
    _tell(followed.events)
    _perform(followed.actions, ledger, broker, clock)
    return SymbolFollowed(followed.book, acted=bool(followed.actions))


def _believable(book: SymbolBook, now: datetime) -> SymbolBook:
    """An event of ours in the future: our clock was set back, and no read would ever be newer."""
    future = book.changed_at is not None and book.changed_at > now
    return replace(book, changed_at=None) if future else book


def _perform(
    actions: Iterable[Action], ledger: AccountLedger, broker: Broker, clock: Callable[[], datetime]
) -> None:
    """All of them, before any failure is written down."""
    failed: list[events.Event] = []
    for action in actions:
        failed += perform(action, broker=broker, now=clock())
    if failed:
        ledger.record(failed)
        _tell(failed)


def _tell(happened: Iterable[events.Event]) -> None:
    for event in happened:
        level = log.warning if isinstance(event, ALARMS) else log.info
        level(event.name, symbol=event.symbol, detail=getattr(event, "detail", ""))
        if isinstance(event, events.CloseFailing):  # the ledger has switched GLOBAL off with it
            log.critical(event.name, because=event.detail, effect="nothing opens until GLOBAL is on")
