"""One symbol followed: what was read back becomes events, and what must be done next."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from apps.engine import events
from apps.engine.follow.actions import Action
from apps.engine.follow.arrivals import fill_events, order_events, position_events
from apps.engine.follow.books import after
from apps.engine.follow.endings import cancels, leftovers, release
from apps.engine.follow.orders import unanswered
from apps.engine.follow.protection import guard
from apps.engine.follow.reconcile import compare
from apps.engine.values.book import SymbolBook, SymbolSeen
from apps.engine.values.contract import Contract
from apps.engine.values.position import PositionStatus
from apps.engine.values.venue import VenueConstraints


@dataclass(frozen=True, slots=True)
class Followed:
    """`book` is ours after `events`. Record the events, commit, then do the actions."""

    book: SymbolBook
    events: tuple[events.Event, ...] = ()
    actions: tuple[Action, ...] = ()


def follow_symbol(
    book: SymbolBook,
    seen: SymbolSeen,
    contract: Contract,
    constraints: VenueConstraints,
    off: Mapping[str, str],
    now: datetime,
) -> Followed:
    """Nothing happens when the read began before our own last event: it may not know of it."""
    if book.changed_at is not None and book.changed_at >= seen.read_at:
        return Followed(book)
    arrived = _arrived(book, seen, constraints, now)
    book = after(book, arrived)
    guarded, protecting = _guarded(book, seen, contract, now)
    book = after(book, guarded)
    asked, cancelling = cancels(book, off, now)
    book = after(book, asked)
    released = release(book, seen, now)
    return Followed(
        book=after(book, released),
        events=(*arrived, *guarded, *asked, *released),
        actions=(*protecting, *cancelling, *leftovers(book, seen)),
    )


def _arrived(
    book: SymbolBook, seen: SymbolSeen, constraints: VenueConstraints, now: datetime
) -> tuple[events.Event, ...]:
    silent = tuple(unanswered(book, constraints, now))
    book = after(book, silent)
    found = compare(book, seen)
    orders = tuple(order_events(found, seen, constraints, now))
    fills = fill_events(found, book, now)
    return (*silent, *orders, *fills, *position_events(found, after(book, orders), seen, now))


def _guarded(
    book: SymbolBook, seen: SymbolSeen, contract: Contract, now: datetime
) -> tuple[tuple[events.Event, ...], tuple[Action, ...]]:
    """Foreign positions are left alone."""
    reports = {report.side: report for report in seen.positions}
    happened: list[events.Event] = []
    actions: list[Action] = []
    for position in book.positions:
        if position.side in reports and position.status != PositionStatus.FOREIGN:
            of_position = guard(position, reports[position.side], seen, contract, now)
            happened += of_position[0]
            actions += of_position[1]
    return tuple(happened), tuple(actions)
