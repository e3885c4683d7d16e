"""Events become rows: each order, fill, position and protection as it is from now on."""

from __future__ import annotations

from decimal import Decimal

from apps.db.bookkeeping import Attempt, bookkeeping
from apps.db.numeric import round_to_column
from apps.engine import events
from apps.engine.follow.orders import merged_order
from apps.engine.values.book import TrackedPosition
from apps.engine.values.order import OrderStatus
from apps.engine.values.position import PositionStatus
from apps.orders import fills, locks, protections, result, review
from apps.orders.models import ExchangeOrder, Fill, OrderPlan, Position
from apps.orders.values import order_columns, order_value, position_columns


def record_event(account: str, event: events.Event) -> Attempt:
    """Write what `event` says of our orders, fills, positions and locks; other events change nothing here.

    A fill may not be written, and is then told; what protection needs raises.
    """
    match event:
        case events.OrderEvent():
            _order(account, event)
        case events.FillSeen():
            return fills.save_fill(account, event.fill)
        case events.PositionEvent():
            _position(account, event)
        case events.SymbolReleased():
            locks.release_lock(account, event.symbol, event.decision_key, event.at)
        case events.PlanRefused():
            review.expire_approved(account, event.decision_key, reason=event.reason.value, now=event.at)
    return Attempt()


def _order(account: str, event: events.OrderEvent) -> None:
    order = event.order
    row = ExchangeOrder.objects.select_for_update().filter(client_order_id=order.client_order_id).first()
    if row is None:
        plan = OrderPlan.objects.filter(account=account, decision_key=order.decision_key).first()
        row = ExchangeOrder(account=account, plan=plan)
    else:
        order = merged_order(order_value(row), order)
    for name, value in order_columns(order).items():
        setattr(row, name, value)
    row.reason = _why(event) or row.reason
    row.updated_at = event.at
    row.save()
    if row.exchange_order_id:
        trades = Fill.objects.filter(account=account, exchange_order_id=row.exchange_order_id)
        with bookkeeping("fills_of_order", symbol=row.symbol, order=row.exchange_order_id):
            trades.filter(order=None).update(order=row)
    _plan_follows(row)


def _why(event: events.OrderEvent) -> str:
    return event.reason.value if isinstance(event, events.OrderDenied) else event.detail


def _plan_follows(row: ExchangeOrder) -> None:
    """A plan's status is its newest attempt's."""
    if row.plan_id and not ExchangeOrder.objects.filter(plan=row.plan_id, attempt__gt=row.attempt).exists():
        OrderPlan.objects.filter(pk=row.plan_id).update(
            status=row.status, reason=_ended(row), updated_at=row.updated_at
        )


def _ended(row: ExchangeOrder) -> str:
    running = {
        OrderStatus.SUBMITTING,
        OrderStatus.SUBMITTED,
        OrderStatus.PARTIALLY_FILLED,
        OrderStatus.FILLED,
    }
    return "" if OrderStatus(row.status) in running else row.reason


def _position(account: str, event: events.PositionEvent) -> None:
    position = event.position
    row = _alive(account, position) or _opened(account, position)
    for name, value in position_columns(position).items():
        setattr(row, name, value)
    row.max_size = max(row.max_size, position.size)
    row.risk_usdt = _risk(row)
    row.updated_at = event.at
    if isinstance(event, events.PositionProtected) and row.protected_at is None:
        row.protected_at = event.at
    if isinstance(event, events.PositionClosed):
        _close(row, event)
    else:
        row.status = position.status.value
        row.save()
        fills.attach_fills(account, row.symbol, row.side)
    if isinstance(event, events.ProtectionAsked):
        protections.save_requested_protection(row, event)


def _alive(account: str, position: TrackedPosition) -> Position | None:
    rows = Position.objects.select_for_update(of=("self",)).select_related("plan")
    return rows.filter(
        account=account, symbol=position.symbol, side=position.side.value, closed_at=None
    ).first()


def _opened(account: str, position: TrackedPosition) -> Position:
    plan = OrderPlan.objects.filter(account=account, decision_key=position.decision_key).first()
    return Position(account=account, plan=plan, profile=plan.profile if plan else "", max_size=position.size)


def _close(row: Position, event: events.PositionClosed) -> None:
    row.status, row.size = PositionStatus.CLOSED.value, 0
    row.closed_at, row.close_reason, row.naked_since = event.at, event.detail, None
    row.gross_usdt = row.fees_usdt = row.funding_usdt = row.realised_usdt = 0
    row.save()
    fills.attach_fills(row.account, row.symbol, row.side)
    result.try_settle_position(row)


def _risk(row: Position) -> Decimal | None:
    """The plan's risk, in proportion when only part of it filled; as stored, since results divide by it."""
    plan = row.plan
    if plan is None:
        return None
    return round_to_column(Position, "risk_usdt", plan.risk_usdt * min(row.max_size / plan.size, Decimal(1)))
