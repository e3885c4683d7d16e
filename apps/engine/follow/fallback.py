"""The rest of an entry at the end of its time: until when it may still be sent anew, and when that is over.

Its order is cancelled first. While what it left may be sent as a new attempt its symbol stays locked.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime

from apps.engine import events
from apps.engine.follow.exit import leaving
from apps.engine.follow.orders import LIVE
from apps.engine.values.book import ExchangeBook, SymbolBook, TrackedOrder
from apps.engine.values.order import OrderStatus
from apps.engine.values.position import QUOTE_MAX_AGE_S, PositionStatus, Quote
from apps.engine.values.reason import Reason
from apps.engine.values.tick import plain

RESTING = frozenset({OrderStatus.SUBMITTED, OrderStatus.PARTIALLY_FILLED})
"""The exchange took it, and some of it is open as far as we know."""


def known_quote(quote: Quote | None, now: datetime) -> Quote | None:
    """Return `quote` where it is young enough to decide by; else None, by which nothing is decided."""
    if quote is None or abs((now - quote.at).total_seconds()) > QUOTE_MAX_AGE_S:
        return None
    return quote


def watched_by_quote(book: SymbolBook) -> list[TrackedOrder]:
    """Return the resting entries that are taken back by where the market goes."""
    return [order for order in book.orders if order.status in RESTING and order.entry_rules.zone is not None]


def waiting_rest(book: SymbolBook, now: datetime) -> TrackedOrder | None:
    """Return the order that was taken back, is over, and whose rest may still be sent anew; else None.

    Never while anything of its decision may still fill, beside a later attempt, or when its position is
    being closed or is gone.
    """
    for order in book.orders:
        if order.fallback_before is not None and now < order.fallback_before and _is_unfilled(order, book):
            return None if _why_given_up(order, book) else order
    return None


def fallback_events(book: SymbolBook, seen: ExchangeBook, now: datetime) -> Iterator[events.FallbackRefused]:
    """Yield the rests that are not sent anew any more: what they should join is being left, or nobody sent
    them in time."""
    for order in book.orders:
        if order.fallback_before in (None, order.sent_at) or not _is_unfilled(order, book):
            continue
        assert order.fallback_before is not None
        if why := _why_given_up(order, book) or leaving(book, order, seen):
            by_hand = book.close_request(order.side) is not None
            reason = Reason.CLOSE_REQUESTED if by_hand else Reason.FALLBACK_NOT_CONFIRMED
            yield refused_fallback(order, reason, why, now)
        elif now >= order.fallback_before:
            why = f"its rest, {plain(order.size - order.filled)} of {plain(order.size)}, was not sent in time"
            yield refused_fallback(order, Reason.SENT_TOO_LATE, why, now)


def refused_fallback(order: TrackedOrder, reason: Reason, why: str, now: datetime) -> events.FallbackRefused:
    """Return what is recorded when the rest of `order` is not sent: from now on nothing waits for it."""
    order = replace(order, fallback_before=order.sent_at)
    return events.FallbackRefused(symbol=order.symbol, at=now, order=order, reason=reason, detail=why)


def _is_unfilled(order: TrackedOrder, book: SymbolBook) -> bool:
    """Whether it is over for certain, left something, and is the last attempt of the lock's decision."""
    attempts = [each for each in book.orders if each.decision_key == order.decision_key]
    return (
        order.decision_key == book.locked_by
        and order.filled < order.size
        and all(each.status not in LIVE and each.attempt <= order.attempt for each in attempts)
    )


def _why_given_up(order: TrackedOrder, book: SymbolBook) -> str:
    request = book.close_request(order.side)
    if request is not None:
        return f"{request.asked_by} closes its side: {request.reason}"
    on_side = [position for position in book.positions if position.side == order.side]
    if any(position.status in (PositionStatus.CLOSING, PositionStatus.FOREIGN) for position in on_side):
        return "its position is closing, or is not ours"
    if order.filled and not on_side:
        return "what was filled of it is closed"
    return ""
