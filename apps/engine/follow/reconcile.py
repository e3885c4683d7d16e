"""Two books of one symbol compared: where ours differs from the exchange's. Exchange truth wins."""

from __future__ import annotations

from dataclasses import dataclass

from apps.engine.follow.orders import LIVE, moved
from apps.engine.values.book import SymbolBook, SymbolSeen, TrackedOrder, TrackedPosition
from apps.engine.values.order import Fill, OrderReport
from apps.engine.values.position import PositionReport

OURS = "tv3"
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
        (order, moved(order, reports[order.client_order_id], seen.read_at))
        for order in book.orders
        if order.client_order_id in reports
    ]
    return tuple((before, after) for before, after in pairs if before != after)


def _unbooked(book: SymbolBook, seen: SymbolSeen) -> tuple[OrderReport, ...]:
    known = {order.client_order_id for order in book.orders}
    return tuple(
        report
        for report in seen.orders
        if report.opens and report.client_order_id.startswith(OURS) and report.client_order_id not in known
    )


def _differs(position: TrackedPosition, report: PositionReport) -> bool:
    size_or_price = position.size != report.size or position.entry_price != report.entry_price
    return size_or_price or position.flat_since is not None
