"""Two books of one symbol compared, and the events that bring ours up to the exchange's. Its truth wins.

Where a fill goes: `compare` finds it among `fills_unbooked`, `fill_events` says it, every ledger stores it
once by its trade id; the order and the position it changed are compared and said by themselves.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal

from apps.engine import events
from apps.engine.follow.orders import LIVE, absence_event, order_after_report
from apps.engine.values.book import ExchangeBook, SymbolBook, TrackedOrder, TrackedPosition
from apps.engine.values.order import Fill, OrderReport, OrderStatus
from apps.engine.values.position import PositionReport, PositionStatus
from apps.engine.values.venue import VenueConstraints

OWN_ID_PREFIX = "tv3"
"""How our client ids begin."""

FLAT_CONFIRMED_AFTER_S = 2
"""A second read without a position, so much later, is believed."""

EVENT_BY_STATUS = {
    OrderStatus.SUBMITTED: events.OrderResting,
    OrderStatus.PARTIALLY_FILLED: events.OrderFilled,
    OrderStatus.FILLED: events.OrderFilled,
    OrderStatus.CANCELLED: events.OrderCancelled,
    OrderStatus.EXPIRED: events.OrderExpired,
}


@dataclass(frozen=True, slots=True)
class Differences:
    """All empty when the books say the same.

    `orders_moved`: as in our book, and as it is now. `orders_absent`: still alive in ours, looked up, and not
    there. `orders_unbooked`: opening orders with our prefix that our book does not know.
    """

    orders_moved: tuple[tuple[TrackedOrder, TrackedOrder], ...] = ()
    orders_absent: tuple[TrackedOrder, ...] = ()
    orders_unbooked: tuple[OrderReport, ...] = ()
    fills_unbooked: tuple[Fill, ...] = ()
    positions_unbooked: tuple[PositionReport, ...] = ()
    positions_moved: tuple[tuple[TrackedPosition, PositionReport], ...] = ()
    positions_gone: tuple[TrackedPosition, ...] = ()


def compare(book: SymbolBook, seen: ExchangeBook) -> Differences:
    """Return how `seen` differs from `book`; neither is changed."""
    looked_up = [report for report in seen.looked_up.values() if report is not None]
    reports = {report.client_order_id: report for report in (*looked_up, *seen.orders)}
    reported = [
        (order, order_after_report(order, reports[order.client_order_id], seen.read_at))
        for order in book.orders
        if order.client_order_id in reports
    ]
    known = {order.client_order_id for order in book.orders}
    held = {position.side: position for position in book.positions}
    there = {report.side: report for report in seen.positions}
    both = [(held[side], report) for side, report in there.items() if side in held]
    return Differences(
        orders_moved=tuple((before, after) for before, after in reported if before != after),
        orders_absent=tuple(
            order
            for order in book.orders
            if order.status in LIVE and seen.looked_up.get(order.client_order_id, order) is None
        ),
        orders_unbooked=tuple(
            report
            for report in seen.orders
            if report.opens
            and report.client_order_id.startswith(OWN_ID_PREFIX)
            and report.client_order_id not in known
        ),
        fills_unbooked=tuple(fill for fill in seen.fills if fill.trade_id not in book.trade_ids),
        positions_unbooked=tuple(report for side, report in there.items() if side not in held),
        positions_moved=tuple(
            (position, report)
            for position, report in both
            if (position.size, position.entry_price) != (report.size, report.entry_price)
            or position.flat_since is not None
        ),
        positions_gone=tuple(position for side, position in held.items() if side not in there),
    )


def order_events(
    differences: Differences, seen: ExchangeBook, constraints: VenueConstraints, now: datetime
) -> Iterator[events.OrderEvent]:
    """Yield orders that changed, are gone, or are ours without our knowing."""
    for before, after in differences.orders_moved:
        kind = EVENT_BY_STATUS.get(after.status, events.OrderResting)
        if after.status == before.status and after.filled > before.filled:
            kind = events.OrderFilled
        yield kind(symbol=after.symbol, at=now, order=after)
    for order in differences.orders_absent:
        event = absence_event(order, seen, constraints, now)
        if event is not None:
            yield event
    for report in differences.orders_unbooked:
        # Nothing of its plan is known, so its time is over at once.
        adopted = TrackedOrder(
            client_order_id=report.client_order_id,
            decision_key="",
            profile="",
            symbol=report.symbol,
            side=report.side,
            timeframes=(),
            attempt=0,
            status=report.status,
            price=report.price,
            size=report.size,
            stop=None,
            target=None,
            sent_at=report.updated_at,
            send_before=report.updated_at,
            expires_at=report.updated_at,
            exchange_order_id=report.exchange_order_id,
            filled=report.filled,
            average_price=report.average_price,
        )
        yield events.OrderAdopted(symbol=report.symbol, at=now, order=adopted)


def fill_events(differences: Differences, book: SymbolBook, now: datetime) -> Iterator[events.FillSeen]:
    """Yield new trades of ours; late when their order was over in our book."""
    over = {order.exchange_order_id for order in book.orders if order.status not in LIVE}
    for fill in differences.fills_unbooked:
        kind = events.FillLate if fill.opens and fill.exchange_order_id in over else events.FillSeen
        yield kind(symbol=fill.symbol, at=now, fill=fill)


def position_events(
    differences: Differences, book: SymbolBook, seen: ExchangeBook, now: datetime
) -> Iterator[events.PositionEvent]:
    """Yield positions that appeared, changed or went. `book` has its orders up to date already."""
    # A fill makes a position, visible yet or not; its end must be read like any other's.
    known = {position.side for position in book.positions} | {report.side for report in seen.positions}
    for before, order in differences.orders_moved:
        if order.filled > before.filled and order.side not in known:
            known.add(order.side)
            opened = _position_of(order, order.filled - before.filled, order.average_price, now, now)
            yield events.PositionOpened(symbol=order.symbol, at=now, position=opened)

    for report in differences.positions_unbooked:
        # The order of ours that opened it; one still in doubt is taken for it.
        on_side = [order for order in book.orders if order.side == report.side]
        filled = [order for order in on_side if order.filled]
        alive = [order for order in on_side if order.status in LIVE]
        opener = next(iter((*filled, *alive)), None)
        if opener is not None:
            opened = _position_of(opener, report.size, report.entry_price, report.opened_at, now)
            yield events.PositionOpened(symbol=report.symbol, at=now, position=opened)
            continue
        foreign = TrackedPosition(
            symbol=report.symbol,
            side=report.side,
            decision_key="",
            status=PositionStatus.FOREIGN,
            size=report.size,
            entry_price=report.entry_price,
            stop=None,
            target=None,
            opened_at=report.opened_at,
        )
        yield events.PositionForeign(symbol=report.symbol, at=now, position=foreign)

    for position, report in differences.positions_moved:
        changed = replace(position, size=report.size, entry_price=report.entry_price, flat_since=None)
        yield events.PositionChanged(symbol=report.symbol, at=now, position=changed)
    for position in differences.positions_gone:
        event = _gone_event(position, differences.fills_unbooked, seen, now)
        if event is not None:
            yield event


def _position_of(
    order: TrackedOrder, size: Decimal, entry_price: Decimal, opened_at: datetime, now: datetime
) -> TrackedPosition:
    """A position that `order` opened: naked until its stop is read back."""
    return TrackedPosition(
        symbol=order.symbol,
        side=order.side,
        decision_key=order.decision_key,
        status=PositionStatus.NAKED,
        size=size,
        entry_price=entry_price,
        stop=order.stop,
        target=order.target,
        opened_at=opened_at,
        naked_since=now,
    )


def _gone_event(
    position: TrackedPosition, fills: tuple[Fill, ...], seen: ExchangeBook, now: datetime
) -> events.PositionEvent | None:
    """Closed, when closing fills add up or a second read confirms it; seen flat once, before that."""
    closing = [fill for fill in fills if fill.side == position.side and not fill.opens]
    adds_up = sum((fill.size for fill in closing), Decimal(0)) >= position.size
    flat_since = position.flat_since or seen.read_at
    if adds_up or seen.read_at - flat_since >= timedelta(seconds=FLAT_CONFIRMED_AFTER_S):
        closed = replace(position, status=PositionStatus.CLOSED, flat_since=flat_since)
        return events.PositionClosed(symbol=position.symbol, at=now, position=closed)
    if position.flat_since is None:
        flat = replace(position, flat_since=seen.read_at)
        return events.PositionFlatSeen(symbol=position.symbol, at=now, position=flat)
    return None
