"""What forbids an entry whatever the rules say."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal

from apps.engine.values.plan import OrderPlan
from apps.engine.values.reason import Reason, Refusal
from apps.engine.values.side import Side
from apps.engine.values.state import AccountState, Exposure
from apps.engine.values.switch import kill_switch
from apps.engine.values.timeframe import Timeframe


def send_refusal(plan: OrderPlan, off: Mapping[str, str] | None, now: datetime) -> Refusal | None:
    """Right before the bytes leave: the switches read just now, and whether it is still time."""
    if now > plan.send_before:
        return Refusal(Reason.SENT_TOO_LATE, {"send_before": plan.send_before, "now": now})
    return kill_switch(off, plan.profile, plan.symbol, plan.timeframes)


def entry_refusal(
    state: AccountState,
    profile: str,
    symbol: str,
    timeframes: Iterable[Timeframe],
    decision_key: str,
    now: datetime,
) -> Refusal | None:
    """What our books say against any entry of this decision."""
    switched_off = kill_switch(state.off, profile, symbol, timeframes)
    if switched_off is not None:
        return switched_off
    if not state.reconciled:
        return Refusal(Reason.NOT_RECONCILED)
    if state.unhealthy:
        return Refusal(Reason.VENUE_UNHEALTHY, {"because": state.unhealthy})
    return _symbol(state, symbol, decision_key, now)


def claim_refusal(plan: OrderPlan, state: AccountState, now: datetime) -> Refusal | None:
    """Everything our books say against `plan`: a claim asks this again under the account's lock."""
    return (
        entry_refusal(state, plan.profile, plan.symbol, plan.timeframes, plan.decision_key, now)
        or _positions(plan, state)
        or _daily_loss(plan, state)
        or _notional(plan, state)
    )


def _symbol(state: AccountState, symbol: str, decision_key: str, now: datetime) -> Refusal | None:
    one = state.symbol(symbol)
    if decision_key in one.consumed:
        return Refusal(Reason.DUPLICATE_DECISION, {"decision_key": decision_key})
    if one.unknown:
        return Refusal(Reason.SYMBOL_STATE_UNKNOWN)
    if one.locked_by is not None:
        return Refusal(Reason.SYMBOL_LOCKED, {"by": one.locked_by})
    if one.occupied:
        return Refusal(Reason.HAS_OPEN_ORDERS_OR_POSITIONS)
    if one.cooldown_until is not None and now < one.cooldown_until:
        return Refusal(Reason.COOLDOWN_ACTIVE, {"until": one.cooldown_until})
    return None


def _positions(plan: OrderPlan, state: AccountState) -> Refusal | None:
    own = sum(one.profile == plan.profile for one in state.exposures)
    counts = ((own, plan.limits.max_concurrent_positions), (len(state.exposures), state.limits.max_positions))
    for count, limit in counts:
        if count >= limit:
            return Refusal(Reason.MAX_CONCURRENT_POSITIONS_REACHED, {"open": count, "limit": limit})
    return None


def _daily_loss(plan: OrderPlan, state: AccountState) -> Refusal | None:
    own = [one for one in state.exposures if one.profile == plan.profile]
    lost = state.lost_today.get(plan.profile, Decimal(0))
    account_limit = plan.sizing.equity * state.limits.daily_loss_pct / 100
    return _loss(plan, lost, own, plan.limits.daily_loss) or _loss(
        plan, sum(state.lost_today.values(), Decimal(0)), state.exposures, account_limit
    )


def _loss(plan: OrderPlan, lost: Decimal, exposures: Iterable[Exposure], limit: Decimal) -> Refusal | None:
    """A day's gain allows no more than a day without one."""
    at_risk = sum((one.risk for one in exposures), Decimal(0))
    if max(lost, Decimal(0)) + at_risk + plan.sizing.risk <= limit:
        return None
    numbers = {"lost_today": lost, "at_risk": at_risk, "risk": plan.sizing.risk, "limit": limit}
    return Refusal(Reason.DAILY_LOSS_LIMIT_REACHED, numbers)


def _notional(plan: OrderPlan, state: AccountState) -> Refusal | None:
    same_side = [one for one in state.exposures if one.side == plan.side]
    limits = (
        (Reason.MAX_TOTAL_NOTIONAL_REACHED, state.exposures, state.limits.total_notional_ratio),
        (Reason.MAX_EXPOSURE_REACHED, same_side, state.limits.direction_notional_ratio),
    )
    for reason, exposures, ratio in limits:
        held, limit = sum((one.notional for one in exposures), Decimal(0)), ratio * plan.sizing.equity
        if held + plan.sizing.notional > limit:
            return Refusal(reason, {"held": held, "notional": plan.sizing.notional, "limit": limit})
    return None


def review_refusal(approved: OrderPlan, fresh: OrderPlan) -> Refusal | None:
    """Refused when the decision is another, the stop lies farther out, or more money is at risk."""
    further = approved.stop - fresh.stop if approved.side == Side.LONG else fresh.stop - approved.stop
    if (
        fresh.decision_key == approved.decision_key
        and further <= 0
        and fresh.sizing.risk <= approved.sizing.risk
    ):
        return None
    numbers = {
        "decision_key": fresh.decision_key,
        "approved_stop": approved.stop,
        "stop": fresh.stop,
        "approved_risk": approved.sizing.risk,
        "risk": fresh.sizing.risk,
    }
    return Refusal(Reason.PRICE_MOVED, numbers)
