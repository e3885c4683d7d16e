"""A READY verdict becomes an order: found again, confirmed, planned on the market of now, claimed, sent."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

import structlog

from apps.engine.cycle import EntryResult, enter, precheck, refused_event
from apps.engine.enter import guards
from apps.engine.enter.plan import EntryDecision
from apps.engine.evaluate.verdict import Verdict
from apps.engine.ports.clock import Clock
from apps.engine.values.plan import OrderPlan
from apps.engine.values.reason import Reason, Refusal
from apps.exchange import venue
from apps.live.enter.context import EntryContext, approved_context, dry_context, live_context
from apps.live.enter.decision import candle_refusal, read_candle, ready_verdict
from apps.live.enter.faults import fault_stored, note_answer
from apps.live.enter.observation import read_observation, read_quote
from apps.live.enter.outcome import add_dry_outcome
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
        outcome = _enter_decision(entry)
        _log_outcome(outcome, entry)
        if run.dry_run:
            add_dry_outcome(run, verdict, outcome)
        else:
            note_answer(outcome, clock())
    return outcome


def enter_approved_plans(*, clock: Clock) -> None:
    """Enter every plan that a person approved and that was not claimed since, oldest first.

    What nobody answers is ended by watching. A fault of one plan is raised when all were tried.
    """
    faults: list[Exception] = []
    for approved in orders.approved_plans(venue.account()):
        try:
            enter_approved_plan(approved, clock=clock)
        except Exception as fault:  # it comes up again each time: it must not keep the others from being sent
            faults.append(fault)
    if faults:
        raise faults[0]


def enter_approved_plan(approved: orders.ApprovedPlan, *, clock: Clock) -> EntryResult | Refusal:
    """Plan an approved decision again on current data and send it; what got worse, or is late, ends."""
    plan = approved.plan
    with (
        structlog.contextvars.bound_contextvars(run_id=str(approved.run_id), symbol=plan.symbol),
        fault_stored(approved.run_id, plan.symbol, clock),
    ):
        verdict = Verdict.from_json(approved.context["verdict"])
        entry, now = approved_context(approved, verdict, clock), clock()
        decision = _too_old(plan.created_at, now, MAX_APPROVED_AGE) or precheck(
            verdict, entry.profile, entry.ledger.state([plan.symbol], now), now, approved=plan
        )
        outcome = (
            _record_refusal(decision, entry, approved=True)
            if isinstance(decision, Refusal)
            else _plan_and_send(decision, entry, closed_minute(now), approved=plan)
        )
        _log_outcome(outcome, entry)
    return outcome


def _enter_decision(entry: EntryContext) -> EntryResult | Refusal:
    """Refuse what the verdict and our books forbid before the exchange is asked anything; else go on."""
    verdict, now = entry.verdict, entry.clock()
    decision = _too_old(verdict.evaluated_at, now, MAX_DECISION_AGE) or precheck(
        verdict, entry.profile, entry.ledger.state([verdict.symbol], now), now
    )
    if isinstance(decision, Refusal):
        return _record_refusal(decision, entry)
    with ThreadPoolExecutor(max_workers=1) as beside:
        candle = beside.submit(read_candle, entry.history, decision)
        return _plan_and_send(
            decision, entry, verdict.evaluated_at, unless=lambda: candle_refusal(decision, candle.result())
        )


def _plan_and_send(
    decision: EntryDecision,
    entry: EntryContext,
    at: datetime,
    *,
    approved: OrderPlan | None = None,
    unless: Callable[[], Refusal | None] = lambda: None,
) -> EntryResult | Refusal:
    """Read the market as of the minute `at`, and go on with it `unless` a refusal came meanwhile."""
    observation = read_observation(decision.symbol, decision.entry, decision.timeframe, at, entry.reads)
    refusal = unless()
    if refusal is not None:
        return _record_refusal(refusal, entry, approved=approved is not None)
    return enter(
        decision,
        replace(observation, quote=read_quote(decision.symbol, entry.reads)),
        broker=entry.sends,
        ledger=entry.ledger,
        last_check=lambda plan: guards.send_refusal(plan, entry.off(), entry.clock()),
        clock=entry.clock,
        approved=approved,
    )


def _too_old(since: datetime, now: datetime, limit: timedelta) -> Refusal | None:
    age = now - since
    if age <= limit:
        return None
    numbers = {"age_s": age.total_seconds(), "limit_s": limit.total_seconds()}
    return Refusal(Reason.DECISION_TOO_OLD, numbers)


def _record_refusal(refusal: Refusal, entry: EntryContext, *, approved: bool = False) -> Refusal:
    event = refused_event(refusal, entry.verdict, entry.profile.name, entry.clock(), approved=approved)
    entry.ledger.record([event])
    return refusal


def _log_outcome(outcome: EntryResult | Refusal, entry: EntryContext) -> None:
    profile = entry.profile.name
    if isinstance(outcome, Refusal):
        log.info("entry_refused", profile=profile, reason=outcome.reason.value)
        return
    status = "PENDING_REVIEW" if outcome.sent is None else outcome.sent.order.status.value
    log.info("entered", profile=profile, decision_key=outcome.plan.decision_key, status=status)
