"""Events become rows: each order, fill, position and protection as it is from now on."""

from __future__ import annotations

from decimal import Decimal

import structlog

from apps.db.bookkeeping import bookkeeping
from apps.engine import events
from apps.engine.follow.orders import merged_order
from apps.engine.values.order import OrderStatus, decision_status
from apps.engine.values.position import PositionStatus
from apps.orders.claims import hold_lock, release_lock
from apps.orders.close_request import end_request
from apps.orders.models import ExchangeOrder, Fill, OrderPlan, Position
from apps.orders.models.order import OPEN_ORDER
from apps.orders.protections import save_requested_protection
from apps.orders.result import attach_fills, try_settle_position
from apps.orders.review import expire_approved
from apps.orders.values import order_columns, order_value, plan_value, position_columns, round_to_column

log = structlog.get_logger("positions")

WITHOUT_REASON = (
    OrderStatus.SUBMITTING,
    OrderStatus.SUBMITTED,
    OrderStatus.PARTIALLY_FILLED,
    OrderStatus.FILLED,
)
"""Statuses of an order whose plan needs no why."""


def record_event(account: str, event: events.Event) -> None:
    """Write what `event` says of our orders, positions, locks and requests; other events change nothing here,
    and fills have `save_fills`."""
    match event:
        case events.OrderEvent():
            _save_order(account, event)
        case events.PositionEvent():
            _save_position(account, event)
        case events.CloseRequestDone():
            end_request(account, event.symbol, event.side, outcome=event.detail, now=event.at)
        case events.SymbolReleased():
            release_lock(account, event.symbol, event.decision_key, event.at)
        case events.PlanRefused(approved=True):
            expire_approved(account, event.decision_key, reason=event.reason, now=event.at)


def _save_order(account: str, event: events.OrderEvent) -> None:
    """Store the order; its fills and its plan follow it.

    The plan's row first: its tranches are written by their sender and by following, at the same time.
    """
    order = event.order
    rows = ExchangeOrder.objects.filter(client_order_id=order.client_order_id)
    if isinstance(event, events.OrderSubmitted) and rows.exists():
        return  # the claim wrote the row, with its plan and lock, before anything could leave
    plans = OrderPlan.objects.for_account(account).filter(decision_key=order.decision_key)
    plan_id = plans.select_for_update(no_key=True).values_list("pk", flat=True).first()
    row = rows.select_for_update().first()
    if row is None:
        row = ExchangeOrder(account=account, plan_id=plan_id)
    else:
        read_back = not isinstance(event, events.OrderAcknowledged)
        order = merged_order(order_value(row), order, read_back=read_back)
    for name, value in order_columns(order).items():
        setattr(row, name, value)
    reason = event.detail
    if isinstance(event, events.OrderDenied | events.FallbackRefused):
        reason = event.reason
    row.reason = reason or row.reason
    row.updated_at = event.at
    row.save()
    if row.status in OPEN_ORDER and order.decision_key:
        hold_lock(account, row.symbol, order.decision_key, event.at)
    if row.exchange_order_id:
        fills = Fill.objects.filter(account=account, exchange_order_id=row.exchange_order_id)
        with bookkeeping("fills_of_order", symbol=row.symbol, order=row.exchange_order_id):
            fills.filter(order=None).update(order=row)
    if row.plan_id:
        # of each tranche the newest attempt counts
        attempts = ExchangeOrder.objects.filter(plan=row.plan_id).order_by("tranche", "attempt")
        newest = {each.tranche: each for each in attempts}.values()
        status = decision_status([OrderStatus(each.status) for each in newest])
        because = next((each.reason for each in newest if each.status == status), "")
        reason = "" if status in WITHOUT_REASON else because
        OrderPlan.objects.filter(pk=row.plan_id).update(
            status=status, reason=reason, updated_at=row.updated_at
        )


def _save_position(account: str, event: events.PositionEvent) -> None:
    """Store the position; its fills, its result once closed, and the protection asked for follow it."""
    position = event.position
    positions = Position.objects.for_account(account).open().select_related("plan")
    row = positions.select_for_update(of=("self",)).filter(symbol=position.symbol, side=position.side).first()
    if row is None:
        row = Position(account=account, decision_key="", max_size=position.size)
    if row.decision_key != position.decision_key:  # new, or found to be somebody else's
        row.plan = OrderPlan.objects.for_account(account).filter(decision_key=position.decision_key).first()
        row.profile = row.plan.profile if row.plan else ""
    reason = row.close_reason
    for name, value in position_columns(position).items():
        setattr(row, name, value)
    row.close_reason = position.close_reason or reason
    row.max_size = max(row.max_size, position.size)
    row.risk_usdt = _risk_of_filled_part(row)
    row.updated_at = event.at
    if isinstance(event, events.PositionProtected) and row.protected_at is None:
        row.protected_at = event.at
    if isinstance(event, events.RequestedClose):
        row.close_reason = event.detail
    if isinstance(event, events.PositionClosed):
        row.status, row.size = PositionStatus.CLOSED, Decimal(0)
        row.closed_at, row.naked_since, row.next_stop_price = event.at, None, None
        row.close_reason = event.detail or row.close_reason
        row.mark_price = row.unrealised_usdt = row.marked_at = None
        row.gross_usdt = row.fees_usdt = row.funding_usdt = row.realised_usdt = Decimal(0)
    row.save()
    if row.closed_at is None and position.decision_key:
        hold_lock(account, row.symbol, position.decision_key, event.at)
    attach_fills(account, row.symbol, row.side)
    if isinstance(event, events.PositionClosed):
        try_settle_position(row)
    if isinstance(event, events.ProtectionAsked):
        save_requested_protection(row, event)


def _risk_of_filled_part(row: Position) -> Decimal | None:
    """Return the plan's risk, or of what filled where that is only part of it.

    Rounded as stored, since results divide by it. Of tranches that cannot be read it is in proportion: what
    protects is written with it.
    """
    plan = row.plan
    if plan is None:
        return None
    risk = plan.risk_usdt * min(row.max_size / plan.size, Decimal(1))
    if plan.exec_json.get("scaled"):
        try:
            risk = plan_value(plan).risk_of(row.max_size)
        except (ValueError, KeyError) as fault:
            log.error("plan_unreadable", symbol=row.symbol, plan=plan.pk, error=str(fault))
    return round_to_column(Position, "risk_usdt", risk)
