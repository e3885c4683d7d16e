"""One symbol followed: what was read back becomes events, and what must be done next.

Also when a resting entry is taken back, and when the symbol is free again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from apps.engine import events
from apps.engine.follow.action import Action, CancelOrder, Unprotect
from apps.engine.follow.book import book_after, is_urgent
from apps.engine.follow.exit import exit_step, leaving
from apps.engine.follow.fallback import RESTING, fallback_events, known_quote, waiting_rest
from apps.engine.follow.foreign import foreign_step
from apps.engine.follow.holding import holding
from apps.engine.follow.orders import LIVE, tranches_of, unanswered_order_events
from apps.engine.follow.protection import is_due, protection_step
from apps.engine.follow.reconcile import OWN_ID_PREFIX, compare, fill_events, order_events, position_events
from apps.engine.follow.requested_close import covers, request_events, requested_close_step
from apps.engine.values.account import kill_switch_refusal
from apps.engine.values.book import ExchangeBook, SymbolBook, TrackedOrder
from apps.engine.values.contract import Contract
from apps.engine.values.order import OrderStatus, ProtectionReport
from apps.engine.values.position import PositionStatus, Quote
from apps.engine.values.venue import VenueConstraints

COOLDOWN = timedelta(hours=4)
"""After a submission."""

COOLDOWN_UNFILLED = timedelta(minutes=15)
"""Instead, when the order ended unfilled."""

EARLIEST = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class FollowResult:
    """`book` is ours after `events`. Record the events, commit, then do the actions.

    `soon`: seconds count, or something is not known yet: the symbol is to be read again in a second.
    """

    book: SymbolBook
    events: tuple[events.Event, ...] = ()
    actions: tuple[Action, ...] = ()
    soon: bool = False


def follow(
    book: SymbolBook,
    seen: ExchangeBook,
    contract: Contract | None,
    *,
    constraints: VenueConstraints,
    off: Mapping[str, str],
    now: datetime,
    adopt_foreign: bool = False,
) -> FollowResult:
    """Decide what `seen` means for `book`, and what must be done: pure, and safe to repeat.

    `contract` None is one that nobody lists any more: what is held there is followed to its end all the same.
    `off` maps the switches that are off to their reasons: they take back resting entries, never protection.
    `adopt_foreign`: what was opened by hand gets a stop.
    What was read before our own last event is not known: it may not show it.
    """
    current = seen.newer_than(book.changed_at)
    book, happened = _reconciled(book, current, constraints, now)
    book, news, actions = _positions_followed(book, current, contract, now, adopt_foreign=adopt_foreign)
    happened += news
    taken_back, cancelling = cancel_step(book, current, off, now)
    book = book_after(book, taken_back)
    given_up = tuple(fallback_events(book, current, now))
    book = book_after(book, given_up)
    done = tuple(request_events(book, current, now))
    book = book_after(book, done)
    released = release_events(book, current, now)
    book = book_after(book, released)

    actions += [*cancelling, *leftover_protections(book, current)]
    sides = {report.side for report in current.positions} - {position.side for position in book.positions}
    unknown = current != seen or bool(sides or loose_protections(book, current))
    return FollowResult(
        book=book,
        events=(*happened, *taken_back, *given_up, *done, *released),
        actions=tuple(actions),
        soon=bool(actions) or unknown or is_urgent(book, now),
    )


def _positions_followed(
    book: SymbolBook,
    seen: ExchangeBook,
    contract: Contract | None,
    now: datetime,
    *,
    adopt_foreign: bool,
) -> tuple[SymbolBook, list[events.PositionEvent], list[Action]]:
    """Return the book after what each position needs: closed, protected, or left as its plan says."""
    happened: list[events.PositionEvent] = []
    actions: list[Action] = []
    reports = {report.side: report for report in seen.positions}
    for position in book.positions:
        report, request = reports.get(position.side), book.close_request(position.side)
        if request is not None and report is not None and covers(request, position):
            news, acting = requested_close_step(request, position, report, contract, now)
        elif position.status != PositionStatus.FOREIGN:
            news, acting = protection_step(position, report, seen, contract, now)
        elif adopt_foreign and report is not None:
            news, acting = foreign_step(position, report, seen, contract, now)
        else:
            continue
        book = book_after(book, news)
        position = news[-1].position if news else position
        exit_news, exiting = exit_step(book, position, report, seen, contract, now)
        book = book_after(book, exit_news)
        happened += [*news, *exit_news]
        actions += [*acting, *exiting]
    return book, happened, actions


def _reconciled(
    book: SymbolBook, seen: ExchangeBook, constraints: VenueConstraints, now: datetime
) -> tuple[SymbolBook, list[events.Event]]:
    """Return the book after what the exchange shows, and the events that say it.

    Orders first, because a position is explained by the order that opened it.
    """
    unanswered = tuple(unanswered_order_events(book, constraints, now))
    book = book_after(book, unanswered)
    differences = compare(book, seen, now)
    orders = tuple(order_events(differences, book, seen, constraints, now))
    fills = tuple(fill_events(differences, book, now))
    book = book_after(book, orders)
    positions = tuple(position_events(differences, book, seen, now))
    return book_after(book, (*fills, *positions)), [*unanswered, *orders, *fills, *positions]


def cancel_step(
    book: SymbolBook, seen: ExchangeBook, off: Mapping[str, str], now: datetime
) -> tuple[tuple[events.OrderCancelAsked, ...], tuple[CancelOrder, ...]]:
    """Take back resting entries whose time is over, that a switch covers, whose side a person wants closed,
    whose decision is being left already, that would join a position of somebody else, that a later attempt
    replaced, that the mark left, or whose rest may be taken from the book as their time ends; not those that
    may not have left yet, whose cancel was sent just now, or that are gone from the open ones since: a
    look-up tells how they ended, and asking again would only put that off."""
    quote = known_quote(seen.quote, now)
    reports = (*seen.orders, *(report for report in seen.looked_up.values() if report is not None))
    open_ids = {report.client_order_id for report in reports if report.open}
    happened: list[events.OrderCancelAsked] = []
    actions: list[CancelOrder] = []
    for order in book.orders:
        may_not_have_left = order.status == OrderStatus.SUBMITTING and now <= order.send_before
        if order.status not in LIVE or may_not_have_left or not is_due(order.cancel_asked_at, now):
            continue
        was_asked = order.cancel_asked_at is not None and seen.orders_at is not None
        if was_asked and order.client_order_id not in open_ids:
            continue
        why, fallback_before = _why_taken_back(order, book, seen, off, quote, now), order.fallback_before
        if not why and quote is not None and order.status in RESTING:
            why = order.entry_rules.why_fallback(quote, (order.expires_at - now).total_seconds())
            fallback_before = order.expires_at
        if why:
            cancelled = replace(order, cancel_asked_at=now, fallback_before=fallback_before)
            happened.append(events.OrderCancelAsked(symbol=order.symbol, at=now, order=cancelled, detail=why))
            actions.append(CancelOrder(order.symbol, order.client_order_id))
    return tuple(happened), tuple(actions)


def _why_taken_back(
    order: TrackedOrder,
    book: SymbolBook,
    seen: ExchangeBook,
    off: Mapping[str, str],
    quote: Quote | None,
    now: datetime,
) -> str:
    """Return why `order` shall rest no longer; "" where it may."""
    on_side = {position.status for position in book.positions if position.side == order.side}
    request = book.close_request(order.side)
    switched_off = kill_switch_refusal(off, order.profile, order.symbol, order.timeframes)
    attempts = [other.attempt for other in tranches_of(book, order) if other.tranche == order.tranche]
    if now >= order.expires_at:
        return "its time is over"
    if switched_off is not None:
        return f"{switched_off.reason}"
    if request is not None:
        return f"{request.asked_by} closes its side: {request.reason}"
    if PositionStatus.FOREIGN in on_side:
        return "a position that is not ours is on its side"
    if left := leaving(book, order, seen):
        return left
    if order.attempt < max(attempts):
        return "a later attempt of its decision was sent"
    if order.fallback_before is not None:
        return "its cancel for the fallback is not confirmed"
    return "" if quote is None else order.entry_rules.why_out_of_zone(quote)


def loose_protections(book: SymbolBook, seen: ExchangeBook) -> tuple[ProtectionReport, ...]:
    """Return protective orders of ours on a side where nothing is held and no entry is alive.

    Attached ones have no client id: all on the side of the lock's decision are taken for ours. On another
    side, and after the lock's end, when a list may first show them, they are known by the price of an entry
    that filled.
    """
    locked = {order.side for order in book.orders if order.decision_key == book.locked_by}
    attached = {
        (order.side, price) for order in book.orders if order.filled for price in (order.stop, order.target)
    }
    held = {report.side for report in seen.positions} | {position.side for position in book.positions}
    held |= {order.side for order in book.orders if order.status in LIVE}
    return tuple(
        protection
        for protection in seen.protections
        if protection.side not in held
        and (
            protection.side in locked
            or protection.client_order_id.startswith(OWN_ID_PREFIX)
            or (protection.side, protection.trigger_price) in attached
        )
    )


def leftover_protections(book: SymbolBook, seen: ExchangeBook) -> tuple[Unprotect, ...]:
    """Take back loose protective orders that, by the trades read after them, protect nothing: one would close
    the next position. Lists of different moments alone never take a stop away."""
    leftovers: list[Unprotect] = []
    for protection in loose_protections(book, seen):
        sent_at = [order.sent_at for order in book.orders if order.side == protection.side]
        trades = holding(seen, protection.side, min(sent_at, default=seen.fills_at or EARLIEST))
        if seen.positions_at is not None and trades is not None and not trades.size:
            leftovers.append(Unprotect(protection.symbol, protection.exchange_order_id))
    return tuple(leftovers)


def release_events(book: SymbolBook, seen: ExchangeBook, now: datetime) -> tuple[events.Event, ...]:
    """End the lock when nothing of ours is alive, held, resting or left over, nor at the exchange, and no
    rest waits to be sent anew.

    A position of somebody else does not hold it. A decision without an order waits for a person: that lock is
    not for following to end.
    """
    decision_key = book.locked_by
    orders = [order for order in book.orders if order.decision_key == decision_key]
    if decision_key is None or not orders or any(order.status in LIVE for order in book.orders):
        return ()
    if None in (seen.orders_at, seen.positions_at, seen.protections_at) or waiting_rest(book, now):
        return ()
    foreign = {position.side for position in book.positions if position.status == PositionStatus.FOREIGN}
    held = {position.side for position in book.positions} | {report.side for report in seen.positions}
    if held - foreign or loose_protections(book, seen):
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
