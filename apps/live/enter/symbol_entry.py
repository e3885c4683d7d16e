"""A READY verdict becomes an order: found again, confirmed, planned on the market of now, claimed, sent."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from uuid import UUID

import structlog

from apps.engine import cycle
from apps.engine.cycle import EntryResult
from apps.engine.enter import guards
from apps.engine.enter.plan import EntryDecision, age_refusal, entry_decision
from apps.engine.evaluate.verdict import Verdict
from apps.engine.events import PlanRefused
from apps.engine.values.account import AccountState
from apps.engine.values.plan import OrderPlan
from apps.engine.values.reason import Reason, Refusal
from apps.live.enter import dry_result
from apps.live.enter.context import Clock, EntryContext, approved_context, dry_context, live_context
from apps.live.enter.decision import candle_refusal, read_candle, ready_verdict
from apps.live.enter.faults import fault_stored
from apps.live.enter.observation import read_observation
from apps.live.minute import closed_minute
from apps.live.models import MtfRun
from apps.live.watch.reconciliation import REVIEW_TTL
from apps.orders import store as orders

log = structlog.get_logger("order_journey")

MAX_DECISION_AGE = timedelta(seconds=60)
"""A verdict older than this is another minute's business."""
MAX_APPROVED_AGE = REVIEW_TTL + MAX_DECISION_AGE
"""Of a plan that waited for a person: one approved before an outage is not sent after it."""


def enter_symbol(run_id: str, symbol: str, *, clock: Clock) -> EntryResult | Refusal:
    """Enter what this run decided of `symbol`; a dry run's outcome goes to its own result and nowhere else.

    Every outcome is stored, a fault too before it is raised: MtfRun.DoesNotExist, NotReady, UnknownProfile,
    and what the database raises. Once the plan is claimed, what became of the order is read back by watching.
    """
    with (
        structlog.contextvars.bound_contextvars(run_id=run_id, symbol=symbol),
        fault_stored(UUID(run_id), symbol, clock),
    ):
        run = MtfRun.objects.get(run_id=run_id)
        verdict = ready_verdict(run, symbol)
        entry = dry_context(run, verdict, clock) if run.dry_run else live_context(run, verdict, clock)
        outcome = _entered(entry)
        _log(outcome, entry)
        if run.dry_run:
            dry_result.add_dry_outcome(run, verdict, outcome)
    return outcome


def enter_approved_plan(approved: orders.ApprovedPlan, *, clock: Clock) -> EntryResult | Refusal:
    """Plan an approved decision again on current data and send it; what got worse, or is late, ends."""
    symbol = approved.plan.symbol
    with (
        structlog.contextvars.bound_contextvars(run_id=str(approved.run_id), symbol=symbol),
        fault_stored(approved.run_id, symbol, clock),
    ):
        verdict = Verdict.from_json(approved.context["verdict"])
        entry = approved_context(approved, verdict, clock)
        outcome = _approved(entry, approved.plan)
        _log(outcome, entry)
    return outcome


def _log(outcome: EntryResult | Refusal, entry: EntryContext) -> None:
    profile = entry.profile.name
    if isinstance(outcome, Refusal):
        log.info("entry_refused", profile=profile, reason=outcome.reason.value)
    else:
        key = outcome.plan.decision_key
        log.info("entered", profile=profile, decision_key=key, status=_status(outcome))


def _status(entered: EntryResult) -> str:
    return "PENDING_REVIEW" if entered.sent is None else entered.sent.order.status.value


def _approved(entry: EntryContext, plan: OrderPlan) -> EntryResult | Refusal:
    now = entry.clock()
    refusal = _old(plan.created_at, now, MAX_APPROVED_AGE)
    if refusal is not None:
        return _refused(refusal, entry, plan.decision_key)
    return _sent(entry, closed_minute(now), plan)


def _entered(entry: EntryContext) -> EntryResult | Refusal:
    verdict, now = entry.verdict, entry.clock()
    made = entry_decision(verdict, entry.profile)
    if isinstance(made, Refusal):
        return _refused(made, entry, "")
    refusal = _old(verdict.evaluated_at, now, MAX_DECISION_AGE) or age_refusal(made, now)
    if refusal is not None:
        return _refused(refusal, entry, made.key)
    state = entry.ledger.state([made.symbol], now)
    refusal = _forbidden(entry, made, state, now)
    if refusal is not None:
        return _refused(refusal, entry, made.key)
    with ThreadPoolExecutor(max_workers=1) as beside:
        told = beside.submit(read_candle, entry.history, made)
        return _sent(
            entry,
            verdict.evaluated_at,
            state=state,
            unless=lambda: candle_refusal(made, told.result()),
            key=made.key,
        )


def _sent(
    entry: EntryContext,
    at: datetime,
    approved: OrderPlan | None = None,
    *,
    state: AccountState | None = None,
    unless: Callable[[], Refusal | None] = lambda: None,
    key: str = "",
) -> EntryResult | Refusal:
    """Read the market, and go on with it `unless` a refusal came meanwhile."""
    verdict, profile = entry.verdict, entry.profile
    assert profile.entry is not None
    assert verdict.execution_timeframe is not None
    seen = read_observation(verdict.symbol, profile.entry, verdict.execution_timeframe, at, entry.reads)
    refusal = unless()
    if refusal is not None:
        return _refused(refusal, entry, key)
    return cycle.enter(
        verdict,
        profile,
        seen,
        broker=entry.sends,
        ledger=entry.ledger,
        last_check=lambda plan: guards.send_refusal(plan, entry.off(), entry.clock()),
        now=entry.clock(),
        approved=approved,
        state=state,
    )


def _old(since: datetime, now: datetime, most: timedelta) -> Refusal | None:
    age = now - since
    if age <= most:
        return None
    numbers = {"age_s": age.total_seconds(), "limit_s": most.total_seconds()}
    return Refusal(Reason.DECISION_TOO_OLD, numbers)


def _forbidden(
    entry: EntryContext, made: EntryDecision, state: AccountState, now: datetime
) -> Refusal | None:
    """What our books say already, before the exchange is asked anything."""
    return guards.entry_refusal(state, entry.profile.name, made.symbol, made.timeframes, made.key, now)


def _refused(refusal: Refusal, entry: EntryContext, key: str) -> Refusal:
    verdict = entry.verdict
    told = PlanRefused(
        symbol=verdict.symbol,
        at=entry.clock(),
        profile=entry.profile.name,
        side=verdict.side,
        timeframe=verdict.execution_timeframe,
        decision_key=key,
        reason=refusal.reason,
        numbers=refusal.numbers,
    )
    entry.ledger.record([told])
    return refusal
