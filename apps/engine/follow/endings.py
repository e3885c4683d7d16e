"""When a resting entry is taken back, and when a symbol is free again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from apps.engine import events
from apps.engine.follow.actions import CancelOrder, Unprotect
from apps.engine.follow.orders import LIVE
from apps.engine.follow.protection import ASK_AGAIN_S
from apps.engine.follow.reconcile import OURS
from apps.engine.values.book import SymbolBook, SymbolSeen, TrackedOrder
from apps.engine.values.order import OrderStatus
from apps.engine.values.position import PositionStatus
from apps.engine.values.switch import kill_switch

COOLDOWN = timedelta(hours=4)
"""After a submission."""

COOLDOWN_UNFILLED = timedelta(minutes=15)
"""Instead, when the order ended unfilled."""


def cancels(
    book: SymbolBook, off: Mapping[str, str], now: datetime
) -> tuple[tuple[events.OrderCancelAsked, ...], tuple[CancelOrder, ...]]:
    """Resting entries whose time is over, that a switch covers, or whose position is closing or closed."""
    asked = [(order, why) for order in book.orders if (why := _why_cancel(order, book, off, now))]
    return (
        tuple(
            events.OrderCancelAsked(
                symbol=order.symbol, at=now, order=replace(order, cancel_asked_at=now), detail=why
            )
            for order, why in asked
        ),
        tuple(CancelOrder(order.symbol, order.client_order_id) for order, _ in asked),
    )


def leftovers(book: SymbolBook, seen: SymbolSeen) -> tuple[Unprotect, ...]:
    """Protective orders of ours on a side where nothing is held: one would close the next position."""
    held = {report.side for report in seen.positions} | {position.side for position in book.positions}
    return tuple(
        Unprotect(one.symbol, one.exchange_order_id)
        for one in seen.protections
        if one.side not in held and (book.locked_by is not None or one.client_order_id.startswith(OURS))
    )


def release(book: SymbolBook, seen: SymbolSeen, now: datetime) -> tuple[events.Event, ...]:
    """The lock's end: nothing of ours alive, held, resting or left over, and the exchange shows the same.

    A decision without an order waits for a person: that lock is not for following to end.
    """
    decision = book.locked_by
    own = [order for order in book.orders if order.decision_key == decision]
    if decision is None or not own or any(order.status in LIVE for order in book.orders):
        return ()
    if book.positions or seen.positions or leftovers(book, seen):
        return ()
    released = events.SymbolReleased(symbol=book.symbol, at=now, decision_key=decision)
    left = [order for order in own if order.status != OrderStatus.DENIED]
    if not left or any(order.filled for order in own):
        return (released,)
    return cooldown(book.symbol, decision, now, COOLDOWN_UNFILLED, "unfilled"), released


def cooldown(symbol: str, decision: str, now: datetime, lasts: timedelta, because: str) -> events.CooldownSet:
    return events.CooldownSet(
        symbol=symbol, at=now, decision_key=decision, until=now + lasts, because=because
    )


def _why_cancel(order: TrackedOrder, book: SymbolBook, off: Mapping[str, str], now: datetime) -> str:
    """Empty when it may rest on, was asked just now, or may not have left yet."""
    sending = order.status == OrderStatus.SUBMITTING and now <= order.send_before
    waiting = order.cancel_asked_at is not None and now - order.cancel_asked_at < timedelta(
        seconds=ASK_AGAIN_S
    )
    if order.status not in LIVE or sending or waiting:
        return ""
    if now >= order.expires_at:
        return "its time is over"
    switched_off = kill_switch(off, order.profile, order.symbol, order.timeframes)
    if switched_off is not None:
        return f"{switched_off.reason}"
    positions = [position for position in book.positions if position.side == order.side]
    if order.filled and not positions:
        return "its position is closed"
    closing = any(position.status == PositionStatus.CLOSING for position in positions)
    return "its position is closing" if closing else ""
