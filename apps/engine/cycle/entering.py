"""The narrow step: one verdict, planned, claimed and sent."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from apps.engine import events
from apps.engine.cycle.sending import Sent, send
from apps.engine.enter.plan import make_plan, remake_plan
from apps.engine.enter.snapshot import Snapshot
from apps.engine.enter.zone import ZoneRefusal
from apps.engine.evaluate.verdict import Verdict
from apps.engine.ports import Broker, Claimed, Ledger
from apps.engine.profile import Profile
from apps.engine.values.book import TrackedOrder
from apps.engine.values.order import OrderStatus, decision_key
from apps.engine.values.plan import OrderPlan
from apps.engine.values.reason import Refusal
from apps.engine.values.state import AccountState

LastLook = Callable[[OrderPlan], Refusal | None]
"""Asked right before the bytes leave, with the clock and the switches of that moment (`guards.last_look`)."""


@dataclass(frozen=True, slots=True)
class Entered:
    """A claimed plan, and how far it came; `sent` None: it waits for a person."""

    plan: OrderPlan
    sent: Sent | None


def enter(
    verdict: Verdict,
    profile: Profile,
    snapshot: Snapshot,
    *,
    broker: Broker,
    ledger: Ledger,
    last_look: LastLook,
    now: datetime,
    approved: OrderPlan | None = None,
    state: AccountState | None = None,
) -> Entered | Refusal:
    """Plan, claim, set the leverage, send with stop and target attached; every step recorded.

    `approved` is the plan a person approved: it is made again from now's snapshot and must not be worse.
    `state`: what the ledger told a moment ago, where it was asked already; the claim asks again in any case.
    What the ledger raises goes through: before the claim nothing happened, after it the order is in doubt and
    is followed as such.
    """
    state = state or ledger.state([verdict.symbol], now)
    if approved is None:
        plan = make_plan(verdict, profile, snapshot, state, now)
    else:
        plan = remake_plan(approved, verdict, profile, snapshot, state, now)
    if isinstance(plan, Refusal):
        ledger.record(_refused(plan, verdict, profile, snapshot, now))
        return plan
    claimed = ledger.claim(plan, now)
    if isinstance(claimed, Refusal):
        ledger.record(_refused(claimed, verdict, profile, snapshot, now))
        return claimed
    return _claimed(plan, claimed, broker, ledger, last_look, now)


def _claimed(
    plan: OrderPlan,
    claimed: Claimed,
    broker: Broker,
    ledger: Ledger,
    last_look: LastLook,
    now: datetime,
) -> Entered:
    said: list[events.Event] = [
        events.PlanMade(symbol=plan.symbol, at=now, plan=plan),
        events.PlanClaimed(symbol=plan.symbol, at=now, plan=plan, status=claimed.status),
    ]
    if claimed.status == OrderStatus.PENDING_REVIEW:
        ledger.record(said)
        return Entered(plan, None)
    order = TrackedOrder.of(plan)
    ledger.record([*said, events.OrderSubmitted(symbol=plan.symbol, at=now, order=order)])
    sent = send(
        plan,
        broker=broker,
        ledger=ledger,
        last_look=lambda: last_look(plan),
        leverage_set=claimed.leverage == plan.leverage,
        now=now,
    )
    return Entered(plan, sent)


def _refused(
    refusal: Refusal, verdict: Verdict, profile: Profile, snapshot: Snapshot, now: datetime
) -> list[events.Event]:
    key = _decision_key(verdict, profile)
    said: list[events.Event] = [
        events.PlanRefused(
            symbol=verdict.symbol,
            at=now,
            profile=profile.name,
            side=verdict.side,
            timeframe=verdict.execution_timeframe,
            decision_key=key,
            reason=refusal.reason,
            numbers=refusal.numbers,
        )
    ]
    if isinstance(refusal, ZoneRefusal):
        said.append(_zone_skipped(refusal, verdict, profile, snapshot, key, now))
    return said


def _zone_skipped(
    refusal: ZoneRefusal, verdict: Verdict, profile: Profile, snapshot: Snapshot, key: str, now: datetime
) -> events.ZoneSkipped:
    assert verdict.side is not None
    assert verdict.execution_timeframe is not None
    assert snapshot.quote is not None
    return events.ZoneSkipped(
        symbol=verdict.symbol,
        at=now,
        profile=profile.name,
        side=verdict.side,
        timeframe=verdict.execution_timeframe,
        decision_key=key,
        reason=refusal.reason,
        zone=refusal.zone,
        candidate=refusal.candidate,
        deviation_pct=refusal.deviation_pct,
        limit_pct=refusal.limit_pct,
        spread_bps=snapshot.quote.spread_bps,
        volume_ratio=snapshot.number(verdict.execution_timeframe, "volume_ratio"),
        category=refusal.category,
    )


def _decision_key(verdict: Verdict, profile: Profile) -> str:
    timeframe, opened_at, side = verdict.execution_timeframe, verdict.candle_open_at, verdict.side
    if timeframe is None or opened_at is None or side is None:
        return ""
    return decision_key(profile.name, verdict.symbol, timeframe, opened_at, side)
