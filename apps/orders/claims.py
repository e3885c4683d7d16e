"""Claims: a plan, its symbol's lock and its reservation, stored together or not at all."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import IntegrityError, connection, transaction

from apps.engine.values.book import TrackedOrder
from apps.engine.values.order import OrderStatus
from apps.engine.values.plan import OrderPlan as Plan
from apps.engine.values.reason import Reason, Refusal
from apps.orders.models import ExchangeOrder, OrderPlan, SymbolLock
from apps.orders.plans import plan_columns
from apps.orders.values import order_columns

LOCK_WAIT = "2s"
"""A claim takes milliseconds; one that waits longer for others is a fault, and no entry."""

_TAKEN = {
    "order_plan_decision": Reason.DUPLICATE_DECISION,
    "order_plan_client_id": Reason.DUPLICATE_DECISION,
    "exchange_order_client_id": Reason.DUPLICATE_DECISION,
    "symbol_lock_alive": Reason.SYMBOL_LOCKED,
}
"""Which unique constraint stands for which refusal."""


@contextmanager
def account_lock(account: str) -> Iterator[None]:
    """One short transaction in which nobody else claims for `account`; OperationalError after 2 s waiting."""
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT set_config('lock_timeout', %s, true)", [LOCK_WAIT])
            cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended('claim ' || %s, 0))", [account])
        yield


def is_approved(account: str, decision_key: str) -> bool:
    """Whether a person approved this decision and it was not claimed since."""
    rows = OrderPlan.objects.filter(account=account, decision_key=decision_key)
    return rows.filter(status=OrderStatus.APPROVED.value).exists()


def claim(
    plan: Plan,
    *,
    account: str,
    run_id: UUID,
    context: Mapping[str, Any],
    review: bool,
    approved: bool,
    now: datetime,
) -> OrderStatus | Refusal:
    """Store `plan` with its lock: PENDING_REVIEW if `review`, else SUBMITTING with its first order's row.

    An `approved` decision's row is taken over with the new numbers. `context` is what else a reviewer should
    see. A consumed decision and a locked symbol are refused, whoever else claims at this moment.
    """
    columns = plan_columns(plan, context) | {"account": account, "run_id": run_id, "updated_at": now}
    try:
        with transaction.atomic():
            if approved:
                return _take_over(plan, columns)
            return _new(plan, columns, OrderStatus.PENDING_REVIEW if review else OrderStatus.SUBMITTING)
    except IntegrityError as fault:
        return _refusal(plan, fault)


def _new(plan: Plan, columns: Mapping[str, Any], status: OrderStatus) -> OrderStatus:
    row = OrderPlan.objects.create(**columns, status=status.value)
    SymbolLock.objects.create(
        account=row.account, symbol=row.symbol, plan=row, locked_at=columns["updated_at"]
    )
    if status is OrderStatus.SUBMITTING:
        _may_leave(plan, row)
    return status


def _take_over(plan: Plan, columns: Mapping[str, Any]) -> OrderStatus | Refusal:
    rows = OrderPlan.objects.filter(account=columns["account"], decision_key=plan.decision_key)
    waiting = rows.filter(status=OrderStatus.APPROVED.value)
    if not waiting.update(**columns, status=OrderStatus.SUBMITTING.value):
        return Refusal(Reason.DUPLICATE_DECISION, {"decision_key": plan.decision_key})
    _may_leave(plan, rows.get())
    return OrderStatus.SUBMITTING


def _may_leave(plan: Plan, row: OrderPlan) -> None:
    """The order's row before any byte of it: a crash after this is found by its client id."""
    order = order_columns(TrackedOrder.of(plan))
    ExchangeOrder.objects.create(account=row.account, plan=row, updated_at=row.updated_at, **order)


def _refusal(plan: Plan, fault: IntegrityError) -> Refusal:
    constraint = getattr(getattr(fault.__cause__, "diag", None), "constraint_name", None)
    if constraint not in _TAKEN:
        raise fault
    return Refusal(_TAKEN[constraint], {"decision_key": plan.decision_key, "symbol": plan.symbol})
