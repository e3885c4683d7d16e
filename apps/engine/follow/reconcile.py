"""Two books of one symbol compared, and the events that bring ours up to the exchange's. Its truth wins.

Where a fill goes: `compare` finds it among `fills_unbooked`, `fill_events` says it, every ledger stores it
once by its trade id; the order and the position it changed are compared and said by themselves.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from enum import Enum, auto

from apps.engine import events
from apps.engine.follow.holding import holding
from apps.engine.follow.orders import LIVE, absence_event, order_after_report
from apps.engine.values.book import ExchangeBook, SymbolBook, TrackedOrder, TrackedPosition
from apps.engine.values.order import Fill, OrderReport, OrderStatus
from apps.engine.values.position import PositionReport, PositionStatus, Side
from apps.engine.values.venue import VenueConstraints

OWN_ID_PREFIX = "tv3"
"""How our client ids begin."""

FLAT_CONFIRMED_AFTER_S = 2
"""A second read without a position, so much later, is believed where nothing contradicts it."""

CLOCK_DRIFT = timedelta(seconds=5)
"""How much earlier than our clock the exchange may date a trade: beyond 3 s of drift nothing is opened."""

TRADES_WAITED_FOR_S = 60
"""A position that is gone from its list with its stop and target is believed flat so much later, though its
trades do not say so: they may have been lost."""

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


def compare(book: SymbolBook, seen: ExchangeBook, now: datetime) -> Differences:
    """Return how `seen` differs from `book`; neither is changed. Of what is not known nothing differs."""
    looked_up = [report for report in seen.looked_up.values() if report is not None]
    reports = {report.client_order_id: report for report in (*looked_up, *seen.orders)}
    reported = [
        (order, order_after_report(order, reports[order.client_order_id], now))
        for order in book.orders
        if order.client_order_id in reports
    ]
    known = {order.client_order_id for order in book.orders}
    held = {position.side: position for position in book.positions}
    there = {report.side: report for report in seen.positions}
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
            for position, report in held_and_shown(book, seen)
            if (position.size, position.entry_price) != (report.size, report.entry_price)
            or position.flat_since is not None
        ),
        positions_gone=tuple(
            position for side, position in held.items() if side not in there and seen.positions_at is not None
        ),
    )


def order_events(
    differences: Differences,
    book: SymbolBook,
    seen: ExchangeBook,
    constraints: VenueConstraints,
    now: datetime,
) -> Iterator[events.OrderEvent]:
    """Yield orders that changed, are gone, or are ours without our knowing."""
    for before, after in differences.orders_moved:
        kind = EVENT_BY_STATUS.get(after.status, events.OrderResting)
        if after.status == before.status and after.filled > before.filled:
            kind = events.OrderFilled
        unasked = after.status == OrderStatus.CANCELLED and after.cancel_asked_at is None
        yield kind(
            symbol=after.symbol, at=now, order=after, detail="we did not ask for it" if unasked else ""
        )
    for order in differences.orders_absent:
        event = absence_event(order, book, seen, constraints, now)
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
    filled_now = {
        order.side: order for before, order in differences.orders_moved if order.filled > before.filled
    }
    # A fill makes a position, visible yet or not; its end must be read like any other's.
    known = {position.side for position in book.positions} | {report.side for report in seen.positions}
    for side, order in filled_now.items():
        if side not in known:
            moved = [each for each in differences.orders_moved if each[1].side == side]
            yield events.PositionOpened(
                symbol=order.symbol, at=now, position=_filled_position(order, moved, seen, now)
            )

    for report in differences.positions_unbooked:
        opener = filled_now.get(report.side) or opening_order(book, seen, report)
        if isinstance(opener, TrackedOrder):
            opened = _position_of(opener, report.size, report.entry_price, report.opened_at, now)
            yield events.PositionOpened(symbol=report.symbol, at=now, position=opened)
        elif opener is Opener.NOT_OURS:
            yield events.PositionForeign(symbol=report.symbol, at=now, position=_foreign_position(report))

    changed_owner = set[Side]()
    for position, report in held_and_shown(book, seen):
        opener = opening_order(book, seen, report)
        trades = holding(seen, position.side, position.opened_at)
        is_ours = position.status != PositionStatus.FOREIGN
        if is_ours and opener is Opener.NOT_OURS and trades is not None and trades.size:
            changed_owner.add(position.side)
            yield events.PositionForeign(symbol=report.symbol, at=now, position=_foreign_position(report))
        if not is_ours:  # only a fill of ours makes it ours, no list and no order that might have filled
            opened_by = frozenset() if trades is None else trades.opened_by
            if not isinstance(opener, TrackedOrder) or opener.exchange_order_id not in opened_by:
                opener = filled_now.get(position.side, Opener.NOT_KNOWN_YET)
        if not is_ours and isinstance(opener, TrackedOrder):
            changed_owner.add(position.side)
            taken_back = _position_of(opener, report.size, report.entry_price, report.opened_at, now)
            yield events.PositionOpened(symbol=report.symbol, at=now, position=taken_back)

    for position, report in differences.positions_moved:
        if position.side not in changed_owner:
            changed = replace(position, size=report.size, entry_price=report.entry_price, flat_since=None)
            yield events.PositionChanged(symbol=report.symbol, at=now, position=changed)
    for position in differences.positions_gone:
        event = _gone_event(position, seen, now)
        if event is not None:
            yield event


class Opener(Enum):
    """Whose a position is when no order of ours is known to have opened it."""

    NOT_OURS = auto()
    NOT_KNOWN_YET = auto()


def held_and_shown(book: SymbolBook, seen: ExchangeBook) -> list[tuple[TrackedPosition, PositionReport]]:
    """Return the positions of our book that the exchange shows, each with what it shows of it."""
    held = {position.side: position for position in book.positions}
    return [(held[report.side], report) for report in seen.positions if report.side in held]


def opening_order(book: SymbolBook, seen: ExchangeBook, report: PositionReport) -> TrackedOrder | Opener:
    """Return the order of ours that opened `report`, by its fills: resting beside a position proves nothing.

    Its trades decide where they are known. Else an order that is filling, or that is gone from the open ones
    without our knowing how it ended; one that rested unfilled, or ended so, is looked up first. Where orders
    of ours may be lacking nothing is somebody else's.
    """
    nobody = Opener.NOT_KNOWN_YET if book.may_lack_orders else Opener.NOT_OURS
    orders = [order for order in book.orders if order.side == report.side]
    if not orders:
        return nobody
    trades = holding(seen, report.side, min(order.sent_at for order in orders))
    others_named = trades is not None and trades.size > 0
    if trades is not None and others_named:
        ours = [order for order in orders if order.exchange_order_id in trades.opened_by]
        if ours:
            return ours[-1]
        orders = [order for order in orders if not order.exchange_order_id]  # may be one of those named
    listed = {order.client_order_id for order in seen.orders}
    unanswered = [order for order in orders if order.client_order_id not in seen.looked_up]
    alive = [order for order in orders if order.status in LIVE]
    filling = [order for order in alive if order.filled]
    gone = [order for order in alive if order in unanswered and order.client_order_id not in listed]
    for order in (*filling, *gone):
        return order
    if any(not order.filled for order in unanswered):
        return Opener.NOT_KNOWN_YET
    if trades is None:
        # one that filled once: whether this is what it filled, the trades tell
        return Opener.NOT_KNOWN_YET if any(order.filled for order in orders) else nobody
    if not others_named and trades.traded_at is not None and seen.positions_at is not None:
        # closed by its trades and shown still: the list lags
        since_trade_s = (seen.positions_at - trades.traded_at).total_seconds()
        return Opener.NOT_KNOWN_YET if since_trade_s < TRADES_WAITED_FOR_S else nobody
    return nobody


def _foreign_position(report: PositionReport) -> TrackedPosition:
    return TrackedPosition(
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
        exits=order.exits,
    )


def _filled_position(
    order: TrackedOrder,
    moved: Sequence[tuple[TrackedOrder, TrackedOrder]],
    seen: ExchangeBook,
    now: datetime,
) -> TrackedPosition:
    """What the orders `moved` of a side filled just now, `order` the last of them, before any list shows it.

    It was filled now or before, since the order was sent: its trades, where they are known, say when.
    """
    filled = [
        (after, after.filled - before.filled) for before, after in moved if after.filled > before.filled
    ]
    size, entry_price = sum((more for _, more in filled), Decimal(0)), order.average_price
    if len(filled) > 1:
        entry_price = sum((after.average_price * more for after, more in filled), Decimal(0)) / size
    ids = {after.exchange_order_id for after, _ in filled}
    opened_at = min((fill.at for fill in seen.fills if fill.exchange_order_id in ids), default=order.sent_at)
    return _position_of(order, size, entry_price, opened_at, now)


def _gone_event(position: TrackedPosition, seen: ExchangeBook, now: datetime) -> events.PositionEvent | None:
    """Closed when its trades say so, or when nothing that was read contradicts it twice; else seen flat once.

    What its trades and resting protections show outweighs a list without it, which may lag or be wrong.
    """
    assert seen.positions_at is not None
    trades = holding(seen, position.side, position.opened_at)
    is_closed = (
        trades is not None
        and not trades.size
        and trades.traded_at is not None
        and trades.traded_at >= position.opened_at - CLOCK_DRIFT
    )
    flat_since = position.flat_since or seen.positions_at
    flat_s = (seen.positions_at - flat_since).total_seconds()
    rests = seen.protections_at is None or any(
        protection.side == position.side for protection in seen.protections
    )
    if position.status == PositionStatus.FOREIGN:
        is_believed, doubt = flat_s >= FLAT_CONFIRMED_AFTER_S, ""
    elif rests:
        is_believed, doubt = False, "its stop or target still rests"
    elif trades is None or trades.size:
        is_believed, doubt = flat_s >= TRADES_WAITED_FOR_S, "no trade is known that closed it"
    else:
        is_believed, doubt = flat_s >= FLAT_CONFIRMED_AFTER_S, ""
    if is_closed or is_believed:
        closed = replace(position, status=PositionStatus.CLOSED, flat_since=flat_since)
        detail = doubt if is_believed else ""
        return events.PositionClosed(symbol=position.symbol, at=now, position=closed, detail=detail)
    if position.flat_since is None:
        flat = replace(position, flat_since=seen.positions_at)
        return events.PositionFlatSeen(symbol=position.symbol, at=now, position=flat, detail=doubt)
    return None
