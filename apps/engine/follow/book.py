"""Our book after what happened: what every ledger must come to."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from apps.engine import events
from apps.engine.follow.orders import IN_DOUBT
from apps.engine.values.book import SymbolBook, TrackedOrder, TrackedPosition
from apps.engine.values.position import PositionStatus


def book_after(book: SymbolBook, happened: Iterable[events.Event]) -> SymbolBook:
    """`book` with the rows of its symbol's events; closed positions leave it."""
    for event in happened:
        if event.symbol != book.symbol:
            raise ValueError(f"an event of {event.symbol} is not of the book of {book.symbol}")
        book = _after(book, event)
    return book


def _after(book: SymbolBook, event: events.Event) -> SymbolBook:
    if isinstance(event, events.PlanClaimed):
        return replace(
            book, locked_by=event.plan.decision_key, orders=_with_order(book, TrackedOrder.of(event.plan))
        )
    if isinstance(event, events.OrderEvent):
        return replace(book, orders=_with_order(book, event.order))
    if isinstance(event, events.PositionEvent):
        return replace(book, positions=_with_position(book, event.position))
    if isinstance(event, events.FillSeen):
        return replace(book, trade_ids=book.trade_ids | {event.fill.trade_id})
    if isinstance(event, events.SymbolReleased):
        return replace(book, locked_by=None)
    return book


def _with_order(book: SymbolBook, order: TrackedOrder) -> tuple[TrackedOrder, ...]:
    others = tuple(one for one in book.orders if one.client_order_id != order.client_order_id)
    return (*others, order)


def _with_position(book: SymbolBook, position: TrackedPosition) -> tuple[TrackedPosition, ...]:
    others = tuple(one for one in book.positions if one.side != position.side)
    return others if position.status == PositionStatus.CLOSED else (*others, position)


LOOK_UPS_SOON = 2
"""An order in doubt is looked up 1 and 3 s after it was sent; later ones can wait for a sweep."""


def is_urgent(book: SymbolBook) -> bool:
    """Whether a position is unprotected or ending, or an order was sent a moment ago and not seen yet."""
    for position in book.positions:
        if position.flat_since is not None:
            return True
        if position.status not in (PositionStatus.PROTECTED, PositionStatus.FOREIGN):
            return True
    return any(one.status in IN_DOUBT and one.looked_up < LOOK_UPS_SOON for one in book.orders)
