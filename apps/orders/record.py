"""Events become rows: each order, fill, position and protection as it is from now on."""

from __future__ import annotations

from decimal import Decimal

from apps.db.bookkeeping import Attempt, bookkeeping
from apps.engine import events
from apps.engine.follow.orders import merged_order
from apps.engine.values.order import OrderStatus
from apps.engine.values.position import PositionStatus
from apps.orders.claims import release_lock
from apps.orders.models import ExchangeOrder, Fill, OrderPlan, Position
from apps.orders.protections import save_requested_protection
from apps.orders.result import attach_fills, save_fill, try_settle_position
from apps.orders.review import expire_approved
from apps.orders.values import order_columns, order_value, position_columns, round_to_column

WITHOUT_REASON = (
    OrderStatus.SUBMITTING,
    OrderStatus.SUBMITTED,
    OrderStatus.PARTIALLY_FILLED,
    OrderStatus.FILLED,
)
"""Statuses of an order whose plan needs no why."""


def record_event(account: str, event: events.Event) -> Attempt:
    """Write what `event` says of our orders, fills, positions and locks; other events change nothing here.

    A fill that cannot be written is logged and its Attempt returned; what protection needs raises.
    """
    match event:
        case events.OrderEvent():
            _save_order(account, event)
        case events.FillSeen():
            return save_fill(account, event.fill)
        case events.PositionEvent():
            _save_position(account, event)
        case events.SymbolReleased():
            release_lock(account, event.symbol, event.decision_key, event.at)
        case events.PlanRefused():
            expire_approved(account, event.decision_key, reason=event.reason, now=event.at)
    return Attempt()


def _save_order(account: str, event: events.OrderEvent) -> None:
    """Store the order; its fills and its plan follow it."""
    order = event.order
    row = ExchangeOrder.objects.select_for_update().filter(client_order_id=order.client_order_id).first()
    if row is None:
        plan = OrderPlan.objects.for_account(account).filter(decision_key=order.decision_key).first()
        row = ExchangeOrder(account=account, plan=plan)
    else:
        order = merged_order(order_value(row), order)
    for name, value in order_columns(order).items():
        setattr(row, name, value)
    reason = event.reason if isinstance(event, events.OrderDenied) else event.detail
    row.reason = reason or row.reason
    row.updated_at = event.at
    row.save()
    if row.exchange_order_id:
        fills = Fill.objects.filter(account=account, exchange_order_id=row.exchange_order_id)
        with bookkeeping("fills_of_order", symbol=row.symbol, order=row.exchange_order_id):
            fills.filter(order=None).update(order=row)
    # a plan's status is its newest attempt's
    if row.plan_id and not ExchangeOrder.objects.filter(plan=row.plan_id, attempt__gt=row.attempt).exists():
        reason = "" if row.status in WITHOUT_REASON else row.reason
        plans = OrderPlan.objects.filter(pk=row.plan_id)
        plans.update(status=row.status, reason=reason, updated_at=row.updated_at)


def _save_position(account: str, event: events.PositionEvent) -> None:
    """Store the position; its fills, its result once closed, and the protection asked for follow it."""
    position = event.position
    positions = Position.objects.for_account(account).open().select_related("plan")
    row = positions.select_for_update(of=("self",)).filter(symbol=position.symbol, side=position.side).first()
    if row is None:
        plan = OrderPlan.objects.for_account(account).filter(decision_key=position.decision_key).first()
        profile = plan.profile if plan else ""
        row = Position(account=account, plan=plan, profile=profile, max_size=position.size)
    for name, value in position_columns(position).items():
        setattr(row, name, value)
    row.max_size = max(row.max_size, position.size)
    row.risk_usdt = _risk_of_filled_part(row)
    row.updated_at = event.at
    if isinstance(event, events.PositionProtected) and row.protected_at is None:
        row.protected_at = event.at
    if isinstance(event, events.PositionClosed):
        row.status, row.size = PositionStatus.CLOSED, Decimal(0)
        row.closed_at, row.close_reason, row.naked_since = event.at, event.detail, None
        row.gross_usdt = row.fees_usdt = row.funding_usdt = row.realised_usdt = Decimal(0)
    row.save()
    attach_fills(account, row.symbol, row.side)
    if isinstance(event, events.PositionClosed):
        try_settle_position(row)
    if isinstance(event, events.ProtectionAsked):
        save_requested_protection(row, event)


def _risk_of_filled_part(row: Position) -> Decimal | None:
    """Return the plan's risk, in proportion when only part of it filled.

    Rounded as stored, since results divide by it.
    """
    plan = row.plan
    if plan is None:
        return None
    return round_to_column(Position, "risk_usdt", plan.risk_usdt * min(row.max_size / plan.size, Decimal(1)))
