"""One symbol followed: what was read back becomes events, and what must be done next.

Also when a resting entry is taken back, and when the symbol is free again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from apps.engine import events
from apps.engine.follow.action import Action, CancelOrder, Unprotect
from apps.engine.follow.book import book_after
from apps.engine.follow.orders import LIVE, unanswered_order_events
from apps.engine.follow.protection import is_due, protection_step
from apps.engine.follow.reconcile import OWN_ID_PREFIX, compare, fill_events, order_events, position_events
from apps.engine.values.account import kill_switch_refusal
from apps.engine.values.book import ExchangeBook, SymbolBook
from apps.engine.values.contract import Contract
from apps.engine.values.order import OrderStatus
from apps.engine.values.position import PositionStatus
from apps.engine.values.venue import VenueConstraints

COOLDOWN = timedelta(hours=4)
"""After a submission."""

COOLDOWN_UNFILLED = timedelta(minutes=15)
"""Instead, when the order ended unfilled."""


@dataclass(frozen=True, slots=True)
class FollowResult:
    """`book` is ours after `events`. Record the events, commit, then do the actions."""

    book: SymbolBook
    events: tuple[events.Event, ...] = ()
    actions: tuple[Action, ...] = ()


def follow(
    book: SymbolBook,
    seen: ExchangeBook,
    contract: Contract | None,
    *,
    constraints: VenueConstraints,
    off: Mapping[str, str],
    now: datetime,
) -> FollowResult:
    """Decide what `seen` means for `book`, and what must be done: pure, and safe to repeat.

    `contract` None is one that nobody lists any more: what is held there is followed to its end all the same.
    `off` maps the switches that are off to their reasons: they take back resting entries, never protection.
    Nothing happens when the read began before our own last event: it may not know of it.
    """
    if book.changed_at is not None and book.changed_at >= seen.read_at:
        return FollowResult(book)
    book, happened = _reconciled(book, seen, constraints, now)
    actions: list[Action] = []

    reports = {report.side: report for report in seen.positions}
    for position in book.positions:
        if position.side in reports and position.status != PositionStatus.FOREIGN:
            protection_news, protecting = protection_step(
                position, reports[position.side], seen, contract, now
            )
            book = book_after(book, protection_news)
            happened += protection_news
            actions += protecting

    cancel_news, cancelling = cancel_step(book, off, now)
    book = book_after(book, cancel_news)
    released = release_events(book, seen, now)
    return FollowResult(
        book=book_after(book, released),
        events=(*happened, *cancel_news, *released),
        actions=(*actions, *cancelling, *leftover_protections(book, seen)),
    )


def _reconciled(
    book: SymbolBook, seen: ExchangeBook, constraints: VenueConstraints, now: datetime
) -> tuple[SymbolBook, list[events.Event]]:
    """Return the book after what the exchange shows, and the events that say it.

    Orders first, because a position is explained by the order that opened it.
    """
    unanswered = tuple(unanswered_order_events(book, constraints, now))
    book = book_after(book, unanswered)
    differences = compare(book, seen)
    orders = tuple(order_events(differences, seen, constraints, now))
    fills = tuple(fill_events(differences, book, now))
    book = book_after(book, orders)
    positions = tuple(position_events(differences, book, seen, now))
    return book_after(book, (*fills, *positions)), [*unanswered, *orders, *fills, *positions]


def cancel_step(
    book: SymbolBook, off: Mapping[str, str], now: datetime
) -> tuple[tuple[events.OrderCancelAsked, ...], tuple[CancelOrder, ...]]:
    """Take back resting entries whose time is over, that a switch covers, or whose position is closing or
    closed; not those that may not have left yet, or whose cancel was sent just now."""
    happened: list[events.OrderCancelAsked] = []
    actions: list[CancelOrder] = []
    for order in book.orders:
        may_not_have_left = order.status == OrderStatus.SUBMITTING and now <= order.send_before
        if order.status not in LIVE or may_not_have_left or not is_due(order.cancel_asked_at, now):
            continue
        positions = [position for position in book.positions if position.side == order.side]
        switched_off = kill_switch_refusal(off, order.profile, order.symbol, order.timeframes)
        if now >= order.expires_at:
            why = "its time is over"
        elif switched_off is not None:
            why = f"{switched_off.reason}"
        elif order.filled and not positions:
            why = "its position is closed"
        elif any(position.status == PositionStatus.CLOSING for position in positions):
            why = "its position is closing"
        else:
            continue
        cancelled = replace(order, cancel_asked_at=now)
        happened.append(events.OrderCancelAsked(symbol=order.symbol, at=now, order=cancelled, detail=why))
        actions.append(CancelOrder(order.symbol, order.client_order_id))
    return tuple(happened), tuple(actions)


def leftover_protections(book: SymbolBook, seen: ExchangeBook) -> tuple[Unprotect, ...]:
    """Take back protective orders of ours where nothing is held: one would close the next position."""
    held = {report.side for report in seen.positions} | {position.side for position in book.positions}
    return tuple(
        Unprotect(protection.symbol, protection.exchange_order_id)
        for protection in seen.protections
        if protection.side not in held
        and (book.locked_by is not None or protection.client_order_id.startswith(OWN_ID_PREFIX))
    )


def release_events(book: SymbolBook, seen: ExchangeBook, now: datetime) -> tuple[events.Event, ...]:
    """End the lock when nothing of ours is alive, held, resting or left over, nor at the exchange.

    A decision without an order waits for a person: that lock is not for following to end.
    """
    decision_key = book.locked_by
    orders = [order for order in book.orders if order.decision_key == decision_key]
    if decision_key is None or not orders or any(order.status in LIVE for order in book.orders):
        return ()
    if book.positions or seen.positions or leftover_protections(book, seen):
        return ()
    released = events.SymbolReleased(symbol=book.symbol, at=now, decision_key=decision_key)
    nothing_was_sent = all(order.status == OrderStatus.DENIED for order in orders)
    if nothing_was_sent or any(order.filled for order in orders):
        return (released,)
    return cooldown_event(book.symbol, decision_key, now, COOLDOWN_UNFILLED, "unfilled"), released


def cooldown_event(
    symbol: str, decision_key: str, now: datetime, duration: timedelta, because: str
) -> events.CooldownSet:
    return events.CooldownSet(
        symbol=symbol, at=now, decision_key=decision_key, until=now + duration, because=because
    )
