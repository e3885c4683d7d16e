"""Claims: a plan, its symbol's lock and its reservation, stored together or not at all."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection, transaction

from apps.engine.values.book import TrackedOrder
from apps.engine.values.order import OrderStatus
from apps.engine.values.plan import OrderPlan as Plan
from apps.engine.values.reason import Reason, Refusal
from apps.orders.models import ExchangeOrder, OrderPlan, SymbolLock
from apps.orders.plans import plan_columns
from apps.orders.values import order_columns

LOCK_WAIT = "2s"
"""A claim takes milliseconds; one that waits longer for others is a fault, and no entry."""


@contextmanager
def account_lock(account: str) -> Iterator[None]:
    """One short transaction in which nobody else claims for `account`; OperationalError after 2 s waiting."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT set_config('lock_timeout', %s, true)", [LOCK_WAIT])
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended('claim ' || %s, 0))", [account])
        yield


def is_approved(account: str, decision_key: str) -> bool:
    """Whether a person approved this decision and it was not claimed since."""
    return OrderPlan.objects.filter(
        account=account, decision_key=decision_key, status=OrderStatus.APPROVED.value
    ).exists()


def claim(
    plan: Plan, *, account: str, run_id: UUID, context: Mapping[str, Any], review: bool, now: datetime
) -> OrderStatus | Refusal:
    """Store `plan` with its lock, inside `account_lock`: PENDING_REVIEW, or SUBMITTING with its first order.

    An APPROVED row of the same decision is taken over with the new numbers. `context` is what else a reviewer
    should see. Refused are a consumed decision and a locked symbol.
    """
    stored = OrderPlan.objects.filter(decision_key=plan.decision_key).first()
    if stored is None:
        status = OrderStatus.PENDING_REVIEW if review else OrderStatus.SUBMITTING
        return _new(plan, status, account=account, run_id=run_id, context=context, now=now)
    if stored.account != account or not _take_over(stored, plan, run_id, context, now):
        return Refusal(
            Reason.DUPLICATE_DECISION, {"decision_key": plan.decision_key, "status": str(stored.status)}
        )
    return _submitting(plan, stored, now)


def _take_over(
    stored: OrderPlan, plan: Plan, run_id: UUID, context: Mapping[str, Any], now: datetime
) -> bool:
    approved = OrderPlan.objects.filter(pk=stored.pk, status=OrderStatus.APPROVED.value)
    return bool(
        approved.update(
            **plan_columns(plan, context),
            run_id=run_id,
            status=OrderStatus.SUBMITTING.value,
            updated_at=now,
        )
    )


def _new(
    plan: Plan,
    status: OrderStatus,
    *,
    account: str,
    run_id: UUID,
    context: Mapping[str, Any],
    now: datetime,
) -> OrderStatus | Refusal:
    alive = SymbolLock.objects.filter(account=account, symbol=plan.symbol, released_at=None)
    if lock := alive.select_related("plan").first():
        return Refusal(
            Reason.SYMBOL_LOCKED, {"locked_by": lock.plan.decision_key, "since": lock.locked_at.isoformat()}
        )
    row = OrderPlan.objects.create(
        **plan_columns(plan, context),
        account=account,
        run_id=run_id,
        status=status.value,
        updated_at=now,
    )
    SymbolLock.objects.create(account=account, symbol=plan.symbol, plan=row, locked_at=now)
    return _submitting(plan, row, now) if status is OrderStatus.SUBMITTING else status


def _submitting(plan: Plan, row: OrderPlan, now: datetime) -> OrderStatus:
    """The row of the order that may leave from now on: a crash after this is found by its client id."""
    order = order_columns(TrackedOrder.of(plan))
    ExchangeOrder.objects.create(account=row.account, plan=row, updated_at=now, **order)
    return OrderStatus.SUBMITTING
