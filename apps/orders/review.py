"""A person's answer to a plan: one conditional update, so that of two answers only the first counts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction

from apps.db.bookkeeping import bookkeeping
from apps.engine.values.errors import TradingError
from apps.engine.values.order import OrderStatus
from apps.engine.values.plan import OrderPlan as Plan
from apps.orders.claims import release_lock
from apps.orders.models import OrderPlan, OrderPlanQuerySet
from apps.orders.values import plan_value

REJECTED = "review_rejected"
UNANSWERED = "review_unanswered"


@dataclass(frozen=True, slots=True)
class ApprovedPlan:
    """A plan a person approved, with the run it came from and what the reviewer saw beside it."""

    plan: Plan
    run_id: UUID
    context: Mapping[str, Any]


class NotWaiting(TradingError):
    """The plan no longer waits for a review, or never did; not retryable."""

    def __init__(self, plan_id: int, status: str) -> None:
        super().__init__(f"plan {plan_id} is {status}: only a plan in PENDING_REVIEW can be answered")


def approved_plans(account: str) -> list[ApprovedPlan]:
    """Return the plans that were approved and not claimed since, oldest first."""
    rows = OrderPlan.objects.for_account(account).approved().order_by("id")
    return [ApprovedPlan(plan_value(row), row.run_id, row.context_json) for row in rows]


def approve(plan_id: int, *, actor: str, now: datetime) -> OrderPlan:
    """Let the plan be planned again on current data and then sent. NotWaiting when it does not wait."""
    return _answer(plan_id, OrderStatus.APPROVED, actor=actor, reason="", now=now)


@transaction.atomic
def reject(plan_id: int, *, actor: str, reason: str, now: datetime) -> OrderPlan:
    """End the plan and free its symbol: nothing was sent. NotWaiting when it does not wait."""
    plan = _answer(plan_id, OrderStatus.DENIED, actor=actor, reason=reason or REJECTED, now=now)
    release_lock(plan.account, plan.symbol, plan.decision_key, now)
    return plan


@transaction.atomic
def expire_approved(account: str, decision_key: str, *, reason: str, now: datetime) -> bool:
    """End an approved plan that no longer holds on current data; False when no approved plan is called so."""
    approved = OrderPlan.objects.for_account(account).approved()
    return _expire(approved.filter(decision_key=decision_key), reason=reason, now=now) > 0


def expire_reviews(account: str, *, older_than: datetime, now: datetime) -> int:
    """End the plans nobody answered since then, each by itself; return how many ended.

    One that cannot end, its symbol being locked by hand perhaps, is logged and waits for the next look.
    """
    ended = 0
    rows = OrderPlan.objects.for_account(account).in_review().filter(plan_time__lt=older_than)
    unanswered: list[tuple[int, str]] = []
    with bookkeeping("reviews", older_than=older_than):
        unanswered = list(rows.values_list("pk", "decision_key"))
    for plan_id, decision_key in unanswered:
        with bookkeeping("review_expiry", plan=plan_id, decision_key=decision_key) as attempt:
            ended += _expire(rows.filter(pk=plan_id), reason=UNANSWERED, now=now)
        if attempt.busy:
            break
    return ended


def _expire(rows: OrderPlanQuerySet, *, reason: str, now: datetime) -> int:
    """End `rows` one by one, conditionally: an answer or a claim at the same moment wins or loses whole."""
    end = {"status": OrderStatus.EXPIRED, "reason": reason, "updated_at": now}
    ended = [row for row in rows if rows.filter(pk=row.pk).update(**end)]
    for row in ended:
        release_lock(row.account, row.symbol, row.decision_key, now)
    return len(ended)


def _answer(plan_id: int, status: OrderStatus, *, actor: str, reason: str, now: datetime) -> OrderPlan:
    answered = OrderPlan.objects.in_review().filter(pk=plan_id)
    written = answered.update(
        status=status, reviewed_by=actor, reviewed_at=now, reason=reason, updated_at=now
    )
    plan = OrderPlan.objects.get(pk=plan_id)
    if not written:
        raise NotWaiting(plan_id, str(plan.status))
    return plan
