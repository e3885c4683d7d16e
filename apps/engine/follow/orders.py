"""An opening order's life: what the exchange says of it changes it, only forward or to where reality went."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

from apps.engine import events
from apps.engine.values.book import ExchangeBook, SymbolBook, TrackedOrder
from apps.engine.values.order import TRANSITIONS, OrderReport, OrderStatus
from apps.engine.values.position import PositionStatus
from apps.engine.values.venue import VenueConstraints

LIVE = frozenset(
    {OrderStatus.SUBMITTING, OrderStatus.UNKNOWN, OrderStatus.SUBMITTED, OrderStatus.PARTIALLY_FILLED}
)
"""Something of it may still fill."""

IN_DOUBT = frozenset({OrderStatus.SUBMITTING, OrderStatus.UNKNOWN})
"""It may not exist at all."""

LOOKUPS_S = (1, 3, 10, 30)
"""When an order in doubt is looked up by its client id, once it may have been signed. The last look-ups
come when even a signature of the latest moment has lost its validity."""

ABSENT_READS = 2
"""So many complete reads without an order, after that, make it one that never arrived."""


def next_status(status: OrderStatus, reported: OrderStatus) -> OrderStatus:
    """Return `reported` where the table allows it; else `status`: the report is old, or says the same."""
    return reported if reported in TRANSITIONS[status] else status


def order_after_report(order: TrackedOrder, report: OrderReport, now: datetime) -> TrackedOrder:
    """Return the order after `report`. One with less filled than known is old and changes nothing.

    An order that is over comes back to life by a fill, and when the exchange shows that it rests: believed
    over, it would never be cancelled. One that ended at or after its time EXPIRED.
    """
    is_old = report.filled < order.filled
    is_over = order.status not in LIVE and report.filled <= order.filled and not report.open
    if is_old or is_over:
        return order
    status = next_status(order.status, report.status)
    if status == OrderStatus.CANCELLED != order.status and now >= order.expires_at:
        status = next_status(order.status, OrderStatus.EXPIRED)
        status = OrderStatus.CANCELLED if status == order.status else status
    return replace(
        order,
        status=status,
        filled=report.filled,
        average_price=report.average_price,
        exchange_order_id=report.exchange_order_id or order.exchange_order_id,
        absent_reads=0,
    )


def merged_order(row: TrackedOrder, news: TrackedOrder, *, read_back: bool = True) -> TrackedOrder:
    """Return the stored row, perhaps changed meanwhile, after `news` made from it or from an older one.

    What was not `read_back`, a sender's word that it was taken, may be older than its end: it revives none.
    """
    filled = max(row, news, key=lambda order: order.filled)
    revives = row.status not in LIVE and news.status in LIVE and filled.filled == row.filled
    cancels = [order.cancel_asked_at for order in (row, news) if order.cancel_asked_at is not None]
    # a fallback that was given up stays so, whatever older news says
    fallbacks = [order.fallback_before for order in (row, news) if order.fallback_before is not None]
    return replace(
        row,
        status=row.status if revives and not read_back else next_status(row.status, news.status),
        filled=filled.filled,
        average_price=filled.average_price,
        exchange_order_id=row.exchange_order_id or news.exchange_order_id,
        cancel_asked_at=max(cancels, default=None),
        fallback_before=min(fallbacks, default=None),
        looked_up=max(row.looked_up, news.looked_up),
        absent_reads=(news if news.looked_up >= row.looked_up else row).absent_reads,
    )


def due_lookups(
    book: SymbolBook, seen: ExchangeBook, constraints: VenueConstraints, now: datetime
) -> tuple[str, ...]:
    """Return client ids to read one by one: of orders that should be open and are not, at once; of those in
    doubt, at their times; none while the open orders are not known."""
    if seen.orders_at is None:
        return ()
    open_ids = {report.client_order_id for report in seen.orders}
    due: list[str] = []
    for order in book.orders:
        if order.client_order_id in open_ids or order.status not in LIVE:
            continue
        due_at = order.sent_at
        if order.status in IN_DOUBT:
            times = [order.sent_at + timedelta(seconds=after_s) for after_s in LOOKUPS_S]
            due_at = [*times, _arrives_by(order, constraints)][min(order.looked_up, len(times))]
        if now >= due_at:
            due.append(order.client_order_id)
    return tuple(due)


def suspect_lookups(book: SymbolBook, seen: ExchangeBook) -> tuple[str, ...]:
    """Return client ids of orders that are unfilled as far as we know, beside a position that is not booked,
    or booked as ours though nothing of its decision filled: each may have filled after the open orders were
    read, or after it was believed over."""
    filled = {(order.side, order.decision_key) for order in book.orders if order.filled}
    explained = {
        position.side
        for position in book.positions
        if position.status == PositionStatus.FOREIGN or (position.side, position.decision_key) in filled
    }
    unexplained = {report.side for report in seen.positions} - explained
    return tuple(
        order.client_order_id for order in book.orders if not order.filled and order.side in unexplained
    )


def absence_event(
    order: TrackedOrder, book: SymbolBook, seen: ExchangeBook, constraints: VenueConstraints, now: datetime
) -> events.OrderEvent | None:
    """Return what a complete look-up without the order means; None for one that is over.

    It never arrived, or is lost, when it can no longer arrive and nothing is held on its side but what is
    known to be somebody else's, or what the other tranches of its decision filled.
    """
    if order.status not in LIVE:
        return None
    provable = seen.orders_at is not None and seen.orders_at >= _arrives_by(order, constraints)
    order = replace(
        order, looked_up=order.looked_up + 1, absent_reads=order.absent_reads + 1 if provable else 0
    )
    foreign = {held.side for held in book.positions if held.status == PositionStatus.FOREIGN}
    held = sum(
        (report.size for report in seen.positions if report.side == order.side and order.side not in foreign),
        Decimal(0),
    )
    others = [each for each in tranches_of(book, order) if each.client_order_id != order.client_order_id]
    flat = seen.positions_at is not None and held <= sum((each.filled for each in others), Decimal(0))
    if order.absent_reads < ABSENT_READS or not flat:
        return events.OrderLookedUp(symbol=order.symbol, at=now, order=order)
    if order.status in IN_DOUBT:
        never_arrived = replace(order, status=OrderStatus.NEVER_ARRIVED)
        return events.OrderNeverArrived(symbol=order.symbol, at=now, order=never_arrived)
    # what it filled is not known for certain: its rest is not sent anew
    given_up = None if order.fallback_before is None else order.sent_at
    lost = replace(order, status=OrderStatus.CANCELLED, fallback_before=given_up)
    return events.OrderLost(symbol=order.symbol, at=now, order=lost)


def tranches_of(book: SymbolBook, order: TrackedOrder) -> tuple[TrackedOrder, ...]:
    """Return all orders of its decision, itself among them: every tranche, in every attempt."""
    if not order.decision_key:
        return (order,)
    return tuple(each for each in book.orders if each.decision_key == order.decision_key)


def unanswered_order_events(
    book: SymbolBook, constraints: VenueConstraints, now: datetime
) -> Iterator[events.OrderUnknown]:
    """Yield orders whose sender has fallen silent: unknown from now on."""
    answer_time = timedelta(seconds=constraints.answer_s)
    for order in book.orders:
        if order.status == OrderStatus.SUBMITTING and now > order.send_before + answer_time:
            unknown = replace(order, status=OrderStatus.UNKNOWN)
            yield events.OrderUnknown(symbol=order.symbol, at=now, order=unknown, detail="no answer recorded")


def _arrives_by(order: TrackedOrder, constraints: VenueConstraints) -> datetime:
    return order.send_before + timedelta(seconds=constraints.signature_valid_s)
