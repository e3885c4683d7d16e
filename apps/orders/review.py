"""A person's answer to a plan: one conditional update, so that of two answers only the first counts."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import QuerySet

from apps.db.bookkeeping import bookkeeping
from apps.engine.values.errors import TradingError
from apps.engine.values.order import OrderStatus
from apps.orders import locks
from apps.orders.models import OrderPlan

REJECTED = "review_rejected"
UNANSWERED = "review_unanswered"


class NotWaiting(TradingError):
    """The plan no longer waits for a review, or never did; not retryable."""

    def __init__(self, plan_id: int, status: str) -> None:
        super().__init__(f"plan {plan_id} is {status}: only a plan in PENDING_REVIEW can be answered")


def approve(plan_id: int, *, actor: str, now: datetime) -> OrderPlan:
    """Let the plan be planned again on current data and then sent. NotWaiting when it does not wait."""
    return _answer(plan_id, OrderStatus.APPROVED, actor=actor, reason="", now=now)


@transaction.atomic
def reject(plan_id: int, *, actor: str, reason: str, now: datetime) -> OrderPlan:
    """End the plan and free its symbol: nothing was sent. NotWaiting when it does not wait."""
    plan = _answer(plan_id, OrderStatus.DENIED, actor=actor, reason=reason or REJECTED, now=now)
    locks.release_lock(plan.account, plan.symbol, plan.decision_key, now)
    return plan


@transaction.atomic
def expire_approved(account: str, decision_key: str, *, reason: str, now: datetime) -> bool:
    """End an approved plan that no longer holds on current data; False when no approved plan is called so."""
    rows = OrderPlan.objects.filter(account=account, decision_key=decision_key)
    return _expire(rows.filter(status=OrderStatus.APPROVED.value), reason=reason, now=now) > 0


def expire_reviews(account: str, *, older_than: datetime, now: datetime) -> int:
    """End the plans nobody answered since then, each by itself; how many.

    One that cannot end, its symbol being held by hand perhaps, is told and waits for the next look.
    """
    ended = 0
    rows = OrderPlan.objects.filter(account=account, plan_time__lt=older_than)
    rows = rows.filter(status=OrderStatus.PENDING_REVIEW.value)
    waiting: list[tuple[int, str]] = []
    with bookkeeping("reviews", older_than=older_than):
        waiting = list(rows.values_list("pk", "decision_key"))
    for plan_id, decision_key in waiting:
        with bookkeeping("review_expiry", plan=plan_id, decision_key=decision_key) as attempt:
            ended += _expire(rows.filter(pk=plan_id), reason=UNANSWERED, now=now)
        if attempt.busy:
            break
    return ended


def _expire(rows: QuerySet[OrderPlan], *, reason: str, now: datetime) -> int:
    """One by one and conditionally, so that an answer or a claim at the same moment wins or loses whole."""
    ended = [row for row in rows if rows.filter(pk=row.pk).update(**_expired(reason, now))]
    for row in ended:
        locks.release_lock(row.account, row.symbol, row.decision_key, now)
    return len(ended)


def _expired(reason: str, now: datetime) -> dict[str, Any]:
    return {"status": OrderStatus.EXPIRED.value, "reason": reason, "updated_at": now}


def _answer(plan_id: int, status: OrderStatus, *, actor: str, reason: str, now: datetime) -> OrderPlan:
    waiting = OrderPlan.objects.filter(pk=plan_id, status=OrderStatus.PENDING_REVIEW.value)
    answered = waiting.update(
        status=status.value, reviewed_by=actor, reviewed_at=now, reason=reason, updated_at=now
    )
    plan = OrderPlan.objects.get(pk=plan_id)
    if not answered:
        raise NotWaiting(plan_id, str(plan.status))
    return plan
