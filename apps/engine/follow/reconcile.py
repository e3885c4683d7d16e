"""Two books of one symbol compared: where ours differs from the exchange's. Exchange truth wins."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal

from apps.engine import events
from apps.engine.follow.orders import LIVE, absence_event, order_after_report
from apps.engine.values.book import SymbolBook, SymbolSeen, TrackedOrder, TrackedPosition
from apps.engine.values.order import Fill, OrderReport, OrderStatus
from apps.engine.values.position import PositionReport, PositionStatus
from apps.engine.values.venue import VenueConstraints

OWN_ID_PREFIX = "tv3"
"""How our client ids begin."""


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


def compare(book: SymbolBook, seen: SymbolSeen) -> Differences:
    """How `seen` differs from `book`; neither is changed."""
    held = {position.side: position for position in book.positions}
    there = {report.side: report for report in seen.positions}
    both = [(held[side], report) for side, report in there.items() if side in held]
    return Differences(
        orders_moved=_moved(book, seen),
        orders_absent=tuple(
            order
            for order in book.orders
            if order.status in LIVE and seen.looked_up.get(order.client_order_id, order) is None
        ),
        orders_unbooked=_unbooked(book, seen),
        fills_unbooked=tuple(fill for fill in seen.fills if fill.trade_id not in book.trade_ids),
        positions_unbooked=tuple(report for side, report in there.items() if side not in held),
        positions_moved=tuple((position, report) for position, report in both if _differs(position, report)),
        positions_gone=tuple(position for side, position in held.items() if side not in there),
    )


def _moved(book: SymbolBook, seen: SymbolSeen) -> tuple[tuple[TrackedOrder, TrackedOrder], ...]:
    looked_up = [report for report in seen.looked_up.values() if report is not None]
    reports = {report.client_order_id: report for report in (*looked_up, *seen.orders)}
    pairs = [
        (order, order_after_report(order, reports[order.client_order_id], seen.read_at))
        for order in book.orders
        if order.client_order_id in reports
    ]
    return tuple((before, after) for before, after in pairs if before != after)


def _unbooked(book: SymbolBook, seen: SymbolSeen) -> tuple[OrderReport, ...]:
    known = {order.client_order_id for order in book.orders}
    return tuple(
        report
        for report in seen.orders
        if report.opens
        and report.client_order_id.startswith(OWN_ID_PREFIX)
        and report.client_order_id not in known
    )


def _differs(position: TrackedPosition, report: PositionReport) -> bool:
    size_or_price = position.size != report.size or position.entry_price != report.entry_price
    return size_or_price or position.flat_since is not None


FLAT_AGAIN_AFTER_S = 2
"""A second read without a position, so much later, is believed."""

_BY_STATUS = {
    OrderStatus.SUBMITTED: events.OrderResting,
    OrderStatus.PARTIALLY_FILLED: events.OrderFilled,
    OrderStatus.FILLED: events.OrderFilled,
    OrderStatus.CANCELLED: events.OrderCancelled,
    OrderStatus.EXPIRED: events.OrderExpired,
}


def order_events(
    found: Differences, seen: SymbolSeen, constraints: VenueConstraints, now: datetime
) -> Iterator[events.OrderEvent]:
    """Orders that moved, are gone, or are ours without our knowing."""
    for before, after in found.orders_moved:
        kind = _BY_STATUS.get(after.status, events.OrderResting)
        if after.status == before.status and after.filled > before.filled:
            kind = events.OrderFilled
        yield kind(symbol=after.symbol, at=now, order=after)
    for order in found.orders_absent:
        event = absence_event(order, seen, constraints, now)
        if event is not None:
            yield event
    for report in found.orders_unbooked:
        yield events.OrderAdopted(symbol=report.symbol, at=now, order=_adopted(report))


def fill_events(found: Differences, book: SymbolBook, now: datetime) -> Iterator[events.FillSeen]:
    """New trades of ours; late when their order was over in our book."""
    over = {order.exchange_order_id for order in book.orders if order.status not in LIVE}
    for fill in found.fills_unbooked:
        kind = events.FillLate if fill.opens and fill.exchange_order_id in over else events.FillSeen
        yield kind(symbol=fill.symbol, at=now, fill=fill)


def position_events(
    found: Differences, book: SymbolBook, seen: SymbolSeen, now: datetime
) -> Iterator[events.PositionEvent]:
    """Positions that appeared, changed or went. `book` has its orders up to date already."""
    yield from _unseen(found, book, seen, now)
    for report in found.positions_unbooked:
        opener = _opener(book, report)
        if opener is None:
            foreign = replace(_opened(report, None, now), status=PositionStatus.FOREIGN, naked_since=None)
            yield events.PositionForeign(symbol=report.symbol, at=now, position=foreign)
        else:
            opened = _opened(report, opener, now)
            yield events.PositionOpened(symbol=report.symbol, at=now, position=opened)
    for position, report in found.positions_moved:
        changed = replace(position, size=report.size, entry_price=report.entry_price, flat_since=None)
        yield events.PositionChanged(symbol=report.symbol, at=now, position=changed)
    for position in found.positions_gone:
        event = _gone(position, found.fills_unbooked, seen, now)
        if event is not None:
            yield event


def _unseen(
    found: Differences, book: SymbolBook, seen: SymbolSeen, now: datetime
) -> Iterator[events.PositionOpened]:
    """A fill makes a position, visible yet or not; its end must be read like any other's."""
    known = {position.side for position in book.positions} | {report.side for report in seen.positions}
    for before, order in found.orders_moved:
        if order.filled > before.filled and order.side not in known:
            known.add(order.side)
            opened = TrackedPosition(
                symbol=order.symbol,
                side=order.side,
                decision_key=order.decision_key,
                status=PositionStatus.NAKED,
                size=order.filled - before.filled,
                entry_price=order.average_price,
                stop=order.stop,
                target=order.target,
                opened_at=now,
                naked_since=now,
            )
            yield events.PositionOpened(symbol=order.symbol, at=now, position=opened)


def _gone(
    position: TrackedPosition, fills: tuple[Fill, ...], seen: SymbolSeen, now: datetime
) -> events.PositionEvent | None:
    closing = [fill for fill in fills if fill.side == position.side and not fill.opens]
    adds_up = sum((fill.size for fill in closing), Decimal(0)) >= position.size
    since = position.flat_since or seen.read_at
    if adds_up or seen.read_at - since >= timedelta(seconds=FLAT_AGAIN_AFTER_S):
        closed = replace(position, status=PositionStatus.CLOSED, flat_since=since)
        return events.PositionClosed(symbol=position.symbol, at=now, position=closed)
    if position.flat_since is None:
        flat = replace(position, flat_since=seen.read_at)
        return events.PositionFlatSeen(symbol=position.symbol, at=now, position=flat)
    return None


def _opener(book: SymbolBook, report: PositionReport) -> TrackedOrder | None:
    """The order of ours that opened a position; one still in doubt is taken for it."""
    able = [order for order in book.orders if order.side == report.side]
    filled = [order for order in able if order.filled]
    alive = [order for order in able if order.status in LIVE]
    return next(iter((*filled, *alive)), None)


def _opened(report: PositionReport, opener: TrackedOrder | None, now: datetime) -> TrackedPosition:
    return TrackedPosition(
        symbol=report.symbol,
        side=report.side,
        decision_key="" if opener is None else opener.decision_key,
        status=PositionStatus.NAKED,
        size=report.size,
        entry_price=report.entry_price,
        stop=None if opener is None else opener.stop,
        target=None if opener is None else opener.target,
        opened_at=report.opened_at,
        naked_since=now,
    )


def _adopted(report: OrderReport) -> TrackedOrder:
    """Nothing of its plan is known, so its time is over at once."""
    return TrackedOrder(
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
