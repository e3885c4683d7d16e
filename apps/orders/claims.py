"""Claims: a plan, its symbol's lock and its reservation, stored together or not at all, and its end."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import IntegrityError, connection, transaction

from apps.db.bookkeeping import bookkeeping
from apps.engine.values.account import AccountLimits
from apps.engine.values.book import RestPlan, TrackedOrder
from apps.engine.values.errors import TradingError
from apps.engine.values.order import OrderStatus
from apps.engine.values.plan import OrderPlan as Plan
from apps.engine.values.reason import Reason, Refusal
from apps.orders.models import ExchangeOrder, OrderPlan, Position, SymbolLock
from apps.orders.protections import end_protections
from apps.orders.values import order_columns, plan_columns, plan_value

LOCK_WAIT = "2s"
"""A claim takes milliseconds; one that waits longer for others is a fault, and no entry."""

TAKEN_LATELY = timedelta(hours=1)

_TAKEN = {
    "order_plan_decision": Reason.DUPLICATE_DECISION,
    "order_plan_client_id": Reason.DUPLICATE_DECISION,
    "exchange_order_client_id": Reason.DUPLICATE_DECISION,
    "exchange_order_attempt": Reason.DUPLICATE_DECISION,
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
        drawdown_pct=settings.MTF_ACCOUNT_DRAWDOWN_PCT,
        symbol_stop_streak=settings.MTF_ACCOUNT_SYMBOL_STOP_STREAK,
        account_stop_streak=settings.MTF_ACCOUNT_STOP_STREAK,
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


def took_another(account: str, symbol: str, now: datetime) -> bool:
    """Whether the exchange took an order of another symbol within the last hour."""
    taken = ExchangeOrder.objects.for_account(account).exclude(exchange_order_id="").exclude(symbol=symbol)
    return taken.filter(sent_at__gt=now - TAKEN_LATELY).exists()


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
    """Store `plan` with its lock: PENDING_REVIEW if `review`, else SUBMITTING with a row for each tranche.

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
                # each order's row before any byte of it: a crash after this is found by its client id
                for order in map(order_columns, TrackedOrder.all_of(plan)):
                    ExchangeOrder.objects.create(account=account, plan=row, updated_at=now, **order)
            return status
    except IntegrityError as fault:
        constraint = getattr(getattr(fault.__cause__, "diag", None), "constraint_name", None)
        if constraint not in _TAKEN:
            raise
        return Refusal(_TAKEN[constraint], {"decision_key": plan.decision_key, "symbol": plan.symbol})


def claim_rest(rest: RestPlan, *, account: str, now: datetime) -> OrderStatus | Refusal:
    """Store the order of a decision's rest as its next attempt, SUBMITTING, and reserve what it needs.

    For who holds the account's lock and the symbol's (`lock_for_update`), and looked at the books since.
    """
    plan, key = rest.plan, rest.plan.decision_key
    row = OrderPlan.objects.for_account(account).select_for_update().get(decision_key=key)
    reserved = plan_value(row).sizing.raised_to(rest.total)
    row.risk_usdt, row.notional_usdt, row.margin_usdt = reserved.risk, reserved.notional, reserved.margin
    row.status, row.reason, row.updated_at = OrderStatus.SUBMITTING, "", now
    columns = order_columns(TrackedOrder.of(plan, rest.order.attempt + 1))
    try:
        with transaction.atomic():
            ExchangeOrder.objects.create(account=account, plan=row, updated_at=now, **columns)
    except IntegrityError as fault:
        constraint = getattr(getattr(fault.__cause__, "diag", None), "constraint_name", None)
        if constraint not in _TAKEN:
            raise
        return Refusal(_TAKEN[constraint], {"decision_key": key, "symbol": plan.symbol})
    row.save(update_fields=["risk_usdt", "notional_usdt", "margin_usdt", "status", "reason", "updated_at"])
    return OrderStatus.SUBMITTING


def lock_for_update(account: str, symbol: str) -> None:
    """Keep everybody else from handling `symbol` within the open transaction, as far as it is locked."""
    list(SymbolLock.objects.for_account(account).alive().filter(symbol=symbol).select_for_update())


def hold_lock(account: str, symbol: str, decision_key: str, now: datetime) -> None:
    """Lock `symbol` for a decision of which something lives, unless it is locked: after a late fill too.

    A decision without a plan of ours, of an adopted order, has nothing to lock by.
    """
    if SymbolLock.objects.for_account(account).alive().filter(symbol=symbol).exists():
        return
    plan = OrderPlan.objects.for_account(account).filter(decision_key=decision_key).first()
    if plan is None:
        return
    # another claim at this moment holds it then, which is as good
    row = SymbolLock(account=account, symbol=symbol, plan=plan, locked_at=now)
    SymbolLock.objects.bulk_create([row], ignore_conflicts=True)


@transaction.atomic
def release_lock(account: str, symbol: str, decision_key: str, now: datetime) -> bool:
    """Free `symbol` of this decision's lock; False when it does not hold it.

    NotClean naming what remains in our books: a plan that waits, an open order, a position of ours. Clean
    means that the exchange shows no protection any more: ours are noted as over.
    """
    locks = SymbolLock.objects.for_account(account).alive().filter(symbol=symbol)
    if not locks.select_for_update().filter(plan__decision_key=decision_key).exists():
        return False
    remaining: list[OrderPlan | ExchangeOrder | Position] = [
        *OrderPlan.objects.for_account(account).waiting().filter(symbol=symbol),
        *ExchangeOrder.objects.for_account(account).open().filter(symbol=symbol),
        *Position.objects.for_account(account).open().ours().filter(symbol=symbol),
    ]
    if remaining:
        raise NotClean(symbol, [f"{row._meta.verbose_name} {row.pk} is {row.status}" for row in remaining])
    with bookkeeping("protections_over", symbol=symbol) as attempt:
        end_protections(account, symbol, now)
    if attempt.fault is not None:  # noted with the lock's end or never
        raise NotClean(symbol, [f"protections, which cannot be noted as over: {attempt.fault}"])
    locks.update(released_at=now)
    return True
