"""One symbol followed: what was read back becomes events, and what must be done next."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from apps.engine import events
from apps.engine.follow.action import Action, CancelOrder, Unprotect
from apps.engine.follow.book import book_after
from apps.engine.follow.orders import LIVE, unanswered_order_events
from apps.engine.follow.protection import ASK_AGAIN_S, protection_step
from apps.engine.follow.reconcile import OWN_ID_PREFIX, compare, fill_events, order_events, position_events
from apps.engine.values.book import SymbolBook, SymbolSeen, TrackedOrder
from apps.engine.values.contract import Contract
from apps.engine.values.order import OrderStatus
from apps.engine.values.position import PositionStatus
from apps.engine.values.switch import kill_switch
from apps.engine.values.venue import VenueConstraints


@dataclass(frozen=True, slots=True)
class FollowResult:
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
) -> FollowResult:
    """Nothing happens when the read began before our own last event: it may not know of it."""
    if book.changed_at is not None and book.changed_at >= seen.read_at:
        return FollowResult(book)
    arrived = _arrived(book, seen, constraints, now)
    book = book_after(book, arrived)
    guarded, protecting = _guarded(book, seen, contract, now)
    book = book_after(book, guarded)
    asked, cancelling = cancel_step(book, off, now)
    book = book_after(book, asked)
    released = release_events(book, seen, now)
    return FollowResult(
        book=book_after(book, released),
        events=(*arrived, *guarded, *asked, *released),
        actions=(*protecting, *cancelling, *leftover_protections(book, seen)),
    )


def _arrived(
    book: SymbolBook, seen: SymbolSeen, constraints: VenueConstraints, now: datetime
) -> tuple[events.Event, ...]:
    silent = tuple(unanswered_order_events(book, constraints, now))
    book = book_after(book, silent)
    found = compare(book, seen)
    orders = tuple(order_events(found, seen, constraints, now))
    fills = fill_events(found, book, now)
    return (*silent, *orders, *fills, *position_events(found, book_after(book, orders), seen, now))


def _guarded(
    book: SymbolBook, seen: SymbolSeen, contract: Contract, now: datetime
) -> tuple[tuple[events.Event, ...], tuple[Action, ...]]:
    """Foreign positions are left alone."""
    reports = {report.side: report for report in seen.positions}
    happened: list[events.Event] = []
    actions: list[Action] = []
    for position in book.positions:
        if position.side in reports and position.status != PositionStatus.FOREIGN:
            of_position = protection_step(position, reports[position.side], seen, contract, now)
            happened += of_position[0]
            actions += of_position[1]
    return tuple(happened), tuple(actions)


COOLDOWN = timedelta(hours=4)
"""After a submission."""

COOLDOWN_UNFILLED = timedelta(minutes=15)
"""Instead, when the order ended unfilled."""


def cancel_step(
    book: SymbolBook, off: Mapping[str, str], now: datetime
) -> tuple[tuple[events.OrderCancelAsked, ...], tuple[CancelOrder, ...]]:
    """Resting entries whose time is over, that a switch covers, or whose position is closing or closed."""
    asked = [(order, why) for order in book.orders if (why := _why_cancel(order, book, off, now))]
    return (
        tuple(
            events.OrderCancelAsked(
                symbol=order.symbol, at=now, order=replace(order, cancel_asked_at=now), detail=why
            )
            for order, why in asked
        ),
        tuple(CancelOrder(order.symbol, order.client_order_id) for order, _ in asked),
    )


def leftover_protections(book: SymbolBook, seen: SymbolSeen) -> tuple[Unprotect, ...]:
    """Protective orders of ours on a side where nothing is held: one would close the next position."""
    held = {report.side for report in seen.positions} | {position.side for position in book.positions}
    return tuple(
        Unprotect(one.symbol, one.exchange_order_id)
        for one in seen.protections
        if one.side not in held
        and (book.locked_by is not None or one.client_order_id.startswith(OWN_ID_PREFIX))
    )


def release_events(book: SymbolBook, seen: SymbolSeen, now: datetime) -> tuple[events.Event, ...]:
    """The lock's end: nothing of ours alive, held, resting or left over, and the exchange shows the same.

    A decision without an order waits for a person: that lock is not for following to end.
    """
    decision = book.locked_by
    own = [order for order in book.orders if order.decision_key == decision]
    if decision is None or not own or any(order.status in LIVE for order in book.orders):
        return ()
    if book.positions or seen.positions or leftover_protections(book, seen):
        return ()
    released = events.SymbolReleased(symbol=book.symbol, at=now, decision_key=decision)
    left = [order for order in own if order.status != OrderStatus.DENIED]
    if not left or any(order.filled for order in own):
        return (released,)
    return cooldown_event(book.symbol, decision, now, COOLDOWN_UNFILLED, "unfilled"), released


def cooldown_event(
    symbol: str, decision: str, now: datetime, lasts: timedelta, because: str
) -> events.CooldownSet:
    return events.CooldownSet(
        symbol=symbol, at=now, decision_key=decision, until=now + lasts, because=because
    )


def _why_cancel(order: TrackedOrder, book: SymbolBook, off: Mapping[str, str], now: datetime) -> str:
    """Empty when it may rest on, was asked just now, or may not have left yet."""
    sending = order.status == OrderStatus.SUBMITTING and now <= order.send_before
    waiting = order.cancel_asked_at is not None and now - order.cancel_asked_at < timedelta(
        seconds=ASK_AGAIN_S
    )
    if order.status not in LIVE or sending or waiting:
        return ""
    if now >= order.expires_at:
        return "its time is over"
    switched_off = kill_switch(off, order.profile, order.symbol, order.timeframes)
    if switched_off is not None:
        return f"{switched_off.reason}"
    positions = [position for position in book.positions if position.side == order.side]
    if order.filled and not positions:
        return "its position is closed"
    closing = any(position.status == PositionStatus.CLOSING for position in positions)
    return "its position is closing" if closing else ""
