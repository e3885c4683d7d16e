"""Claims: a plan, its symbol's lock and its reservation, stored together or not at all, and its end."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import IntegrityError, connection, transaction

from apps.db.bookkeeping import bookkeeping
from apps.engine.values.account import AccountLimits
from apps.engine.values.book import TrackedOrder
from apps.engine.values.errors import TradingError
from apps.engine.values.order import OrderStatus
from apps.engine.values.plan import OrderPlan as Plan
from apps.engine.values.reason import Reason, Refusal
from apps.orders.models import ExchangeOrder, OrderPlan, Position, SymbolLock
from apps.orders.protections import end_protections
from apps.orders.values import order_columns, plan_columns

LOCK_WAIT = "2s"
"""A claim takes milliseconds; one that waits longer for others is a fault, and no entry."""

_TAKEN = {
    "order_plan_decision": Reason.DUPLICATE_DECISION,
    "order_plan_client_id": Reason.DUPLICATE_DECISION,
    "exchange_order_client_id": Reason.DUPLICATE_DECISION,
    "symbol_lock_alive": Reason.SYMBOL_LOCKED,
}
"""Which unique constraint stands for which refusal."""


class NotClean(TradingError):
    """A lock was to go while something of the symbol may still live; not retryable until that is over."""

    def __init__(self, symbol: str, remains: Sequence[str]) -> None:
        super().__init__(f"lock of {symbol} stays: {', '.join(remains)}")


def account_limits() -> AccountLimits:
    """Return the limits over all profiles, as set: what live claims by and a backtest trades by."""
    return AccountLimits(
        daily_loss_pct=settings.MTF_ACCOUNT_DAILY_LOSS_PCT,
        total_notional_ratio=settings.MTF_ACCOUNT_TOTAL_NOTIONAL_RATIO,
        direction_notional_ratio=settings.MTF_ACCOUNT_DIRECTION_NOTIONAL_RATIO,
        max_positions=settings.MTF_ACCOUNT_MAX_POSITIONS,
    )


@contextmanager
def account_lock(account: str) -> Iterator[None]:
    """Open a short transaction in which nobody else claims for `account`; OperationalError after 2 s."""
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT set_config('lock_timeout', %s, true)", [LOCK_WAIT])
            cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended('claim ' || %s, 0))", [account])
        yield


def is_approved(account: str, decision_key: str) -> bool:
    """Whether a person approved this decision and it was not claimed since."""
    approved = OrderPlan.objects.for_account(account).approved()
    return approved.filter(decision_key=decision_key).exists()


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
    status = OrderStatus.PENDING_REVIEW if review and not approved else OrderStatus.SUBMITTING
    try:
        with transaction.atomic():
            if approved:
                rows = OrderPlan.objects.for_account(account).filter(decision_key=plan.decision_key)
                if not rows.approved().update(**columns, status=status):
                    return Refusal(Reason.DUPLICATE_DECISION, {"decision_key": plan.decision_key})
                row = rows.get()
            else:
                row = OrderPlan.objects.create(**columns, status=status)
                SymbolLock.objects.create(account=account, symbol=row.symbol, plan=row, locked_at=now)
            if status is OrderStatus.SUBMITTING:
                # the order's row before any byte of it: a crash after this is found by its client id
                order = order_columns(TrackedOrder.of(plan))
                ExchangeOrder.objects.create(account=account, plan=row, updated_at=now, **order)
            return status
    except IntegrityError as fault:
        constraint = getattr(getattr(fault.__cause__, "diag", None), "constraint_name", None)
        if constraint not in _TAKEN:
            raise
        return Refusal(_TAKEN[constraint], {"decision_key": plan.decision_key, "symbol": plan.symbol})


def lock_for_update(account: str, symbol: str) -> None:
    """Keep everybody else from handling `symbol` within the open transaction, as far as it is locked."""
    list(SymbolLock.objects.for_account(account).alive().filter(symbol=symbol).select_for_update())


@transaction.atomic
def release_lock(account: str, symbol: str, decision_key: str, now: datetime) -> bool:
    """Free `symbol` of this decision's lock; False when it does not hold it.

    NotClean naming what remains in our books: a plan that waits, an open order, a position. Clean means that
    the exchange shows no protection any more: ours are noted as over.
    """
    locks = SymbolLock.objects.for_account(account).alive().filter(symbol=symbol)
    if not locks.select_for_update().filter(plan__decision_key=decision_key).exists():
        return False
    remaining: list[OrderPlan | ExchangeOrder | Position] = [
        *OrderPlan.objects.for_account(account).waiting().filter(symbol=symbol),
        *ExchangeOrder.objects.for_account(account).open().filter(symbol=symbol),
        *Position.objects.for_account(account).open().filter(symbol=symbol),
    ]
    if remaining:
        raise NotClean(symbol, [f"{row._meta.verbose_name} {row.pk} is {row.status}" for row in remaining])
    with bookkeeping("protections_over", symbol=symbol) as attempt:
        end_protections(account, symbol, now)
    if attempt.fault is not None:  # noted with the lock's end or never
        raise NotClean(symbol, [f"protections, which cannot be noted as over: {attempt.fault}"])
    locks.update(released_at=now)
    return True
