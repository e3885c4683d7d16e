"""Our book of one symbol after what happened, and whether seconds count for it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta

from apps.engine import events
from apps.engine.follow.orders import IN_DOUBT, LIVE
from apps.engine.values.book import SymbolBook, TrackedOrder
from apps.engine.values.position import PositionStatus

ENDING = timedelta(minutes=2)
"""A position that is absent for longer and still in doubt does not become clear by asking each second."""
URGENT_LOOKUPS = 2
"""An order in doubt is looked up 1 and 3 s after it was sent; later ones can wait for a sweep."""


def book_after(book: SymbolBook, happened: Iterable[events.Event]) -> SymbolBook:
    """Return `book` with the rows of its symbol's events; closed positions leave it.

    What lives of a decision holds its symbol's lock, unless another decision does: also what came to life
    after its end. What every ledger must come to. ValueError for an event of another symbol.
    """
    for event in happened:
        if event.symbol != book.symbol:
            raise ValueError(f"an event of {event.symbol} is not of the book of {book.symbol}")
        match event:
            case events.PlanClaimed(plan=plan):
                book = replace(book, locked_by=plan.decision_key)
                for order in TrackedOrder.all_of(plan):
                    book = replace(book, orders=_orders_with(book, order))
            case events.OrderEvent(order=order):
                book = replace(book, orders=_orders_with(book, order))
                if order.status in LIVE:
                    book = replace(book, locked_by=book.locked_by or order.decision_key or None)
            case events.PositionEvent(position=position):
                others = tuple(other for other in book.positions if other.side != position.side)
                is_closed = position.status == PositionStatus.CLOSED
                book = replace(book, positions=others if is_closed else (*others, position))
                if not is_closed:
                    book = replace(book, locked_by=book.locked_by or position.decision_key or None)
            case events.FillSeen(fill=fill):
                book = replace(book, trade_ids=book.trade_ids | {fill.trade_id})
            case events.SymbolReleased():
                book = replace(book, locked_by=None)
            case events.CloseRequestDone(side=side):
                left = tuple(request for request in book.close_requests if request.side != side)
                book = replace(book, close_requests=left)
    return book


def is_urgent(book: SymbolBook, now: datetime) -> bool:
    """Whether a position is unprotected or ending, a person wants one closed, or an order was sent a moment
    ago and not seen yet."""
    if book.close_requests:
        return True
    safe = (PositionStatus.PROTECTED, PositionStatus.FOREIGN)
    for position in book.positions:
        is_ending = position.flat_since is not None and now - position.flat_since < ENDING
        if is_ending or position.status not in safe:
            return True
    return any(order.status in IN_DOUBT and order.looked_up < URGENT_LOOKUPS for order in book.orders)


def _orders_with(book: SymbolBook, order: TrackedOrder) -> tuple[TrackedOrder, ...]:
    others = tuple(other for other in book.orders if other.client_order_id != order.client_order_id)
    return (*others, order)
