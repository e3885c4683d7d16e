"""Why an entry is refused whatever the rules say: each returns the first refusal, None when there is none.

`entry_refusal` and `room_refusal` before anything is asked or computed, `claim_refusal` of a plan under the
account's lock, `rest_refusal` of a decision's rest there, `review_refusal` of a plan made again after a
person's approval, `send_refusal` right before the bytes leave.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal

from apps.engine.values.account import STREAK_WINDOW, AccountState, kill_switch_refusal
from apps.engine.values.book import RestPlan, TrackedOrder
from apps.engine.values.plan import OrderPlan
from apps.engine.values.position import Side
from apps.engine.values.reason import Reason, Refusal
from apps.engine.values.timeframe import Timeframe


def entry_refusal(
    state: AccountState,
    profile: str,
    symbol: str,
    timeframes: Iterable[Timeframe],
    decision_key: str,
    now: datetime,
) -> Refusal | None:
    """Refuse what our books forbid to any entry of this decision.

    Switches, health, the symbol's state, and stop losses in a row on it or over the account.
    """
    switched_off = kill_switch_refusal(state.off, profile, symbol, timeframes)
    if switched_off is not None:
        return switched_off
    if not state.reconciled:
        return Refusal(Reason.NOT_RECONCILED)
    if state.unhealthy:
        return Refusal(Reason.VENUE_UNHEALTHY, {"because": state.unhealthy})

    of_symbol = state.symbol(symbol)
    if decision_key in of_symbol.consumed:
        return Refusal(Reason.DUPLICATE_DECISION, {"decision_key": decision_key})
    if of_symbol.unknown:
        return Refusal(Reason.SYMBOL_STATE_UNKNOWN)
    if of_symbol.locked_by is not None:
        return Refusal(Reason.SYMBOL_LOCKED, {"by": of_symbol.locked_by})
    if of_symbol.occupied:
        return Refusal(Reason.HAS_OPEN_ORDERS_OR_POSITIONS)
    if of_symbol.cooldown_until is not None and now < of_symbol.cooldown_until:
        return Refusal(Reason.COOLDOWN_ACTIVE, {"until": of_symbol.cooldown_until})
    return _streak_refusal(state, symbol, now)


def room_refusal(state: AccountState, profile: str, max_concurrent_positions: int) -> Refusal | None:
    """Refuse when profile or account hold, or may soon hold, as many positions as they may."""
    of_profile = sum(exposure.profile == profile for exposure in state.exposures)
    counts = (
        (of_profile, max_concurrent_positions),
        (len(state.exposures), state.limits.max_positions),
    )
    for count, most in counts:
        if count >= most:
            return Refusal(Reason.MAX_CONCURRENT_POSITIONS_REACHED, {"open": count, "limit": most})
    return None


def claim_refusal(plan: OrderPlan, state: AccountState, now: datetime) -> Refusal | None:
    """Refuse what our books forbid to `plan`: as `entry_refusal`, and every limit of profile and account."""
    refusal = entry_refusal(
        state, plan.profile, plan.symbol, plan.timeframes, plan.decision_key, now
    ) or room_refusal(state, plan.profile, plan.limits.max_concurrent_positions)
    if refusal is not None:
        return refusal
    exposures, limits, sizing = state.exposures, state.limits, plan.sizing
    of_profile = [exposure for exposure in exposures if exposure.profile == plan.profile]
    on_side = [exposure for exposure in exposures if exposure.side == plan.side]

    zero = Decimal(0)
    losses = (
        (state.lost_today.get(plan.profile, zero), of_profile, plan.limits.daily_loss),
        (sum(state.lost_today.values(), zero), exposures, sizing.equity * limits.daily_loss_pct / 100),
    )
    for lost, at_stake, limit in losses:
        at_risk = sum((exposure.risk for exposure in at_stake), zero)
        # A day's gain allows no more than a day without one.
        if max(lost, zero) + at_risk + sizing.risk > limit:
            numbers = {"lost_today": lost, "at_risk": at_risk, "risk": sizing.risk, "limit": limit}
            return Refusal(Reason.DAILY_LOSS_LIMIT_REACHED, numbers)

    fallen = _drawdown_refusal(state, sizing.equity)
    if fallen is not None:
        return fallen

    notionals = (
        (Reason.MAX_TOTAL_NOTIONAL_REACHED, exposures, limits.total_notional_ratio),
        (Reason.MAX_EXPOSURE_REACHED, on_side, limits.direction_notional_ratio),
    )
    for reason, counted, ratio in notionals:
        held, limit = sum((exposure.notional for exposure in counted), zero), ratio * sizing.equity
        if held + sizing.notional > limit:
            return Refusal(reason, {"held": held, "notional": sizing.notional, "limit": limit})
    return None


def rest_refusal(
    rest: RestPlan, waiting: TrackedOrder | None, state: AccountState, now: datetime
) -> Refusal | None:
    """Refuse the rest of a decision as any plan, counted whole; DUPLICATE_DECISION unless it is what is
    `waiting` in the books now."""
    if waiting is None or (waiting.client_order_id, waiting.filled) != (
        rest.order.client_order_id,
        rest.order.filled,
    ):
        return Refusal(Reason.DUPLICATE_DECISION, {"decision_key": rest.plan.decision_key})
    whole = replace(rest.plan, sizing=rest.total)
    return claim_refusal(whole, state.within(whole.decision_key), now)


def review_refusal(approved: OrderPlan, plan: OrderPlan) -> Refusal | None:
    """Refuse when the decision is another, the stop lies farther out, or more money is at risk."""
    farther = approved.stop - plan.stop if approved.side == Side.LONG else plan.stop - approved.stop
    same_decision = plan.decision_key == approved.decision_key
    if same_decision and farther <= 0 and plan.sizing.risk <= approved.sizing.risk:
        return None
    numbers = {
        "decision_key": plan.decision_key,
        "approved_stop": approved.stop,
        "stop": plan.stop,
        "approved_risk": approved.sizing.risk,
        "risk": plan.sizing.risk,
    }
    return Refusal(Reason.PRICE_MOVED, numbers)


def send_refusal(plan: OrderPlan, off: Mapping[str, str] | None, now: datetime) -> Refusal | None:
    """Refuse what is too late, or what the switches, read just now, forbid."""
    if now > plan.send_before:
        return Refusal(Reason.SENT_TOO_LATE, {"send_before": plan.send_before, "now": now})
    return kill_switch_refusal(off, plan.profile, plan.symbol, plan.timeframes)


def _drawdown_refusal(state: AccountState, equity: Decimal) -> Refusal | None:
    """Refuse when `equity`, the newest point, lies more than the limit below the highest one."""
    peak, limit_pct = state.peak_equity, state.limits.drawdown_pct
    if peak is None or peak - equity <= peak * limit_pct / 100:
        return None
    drawdown_pct = (peak - equity) / peak * 100
    numbers = {"peak": peak, "equity": equity, "drawdown_pct": drawdown_pct, "limit_pct": limit_pct}
    return Refusal(Reason.MAX_DRAWDOWN_REACHED, numbers)


def _streak_refusal(state: AccountState, symbol: str, now: datetime) -> Refusal | None:
    """Refuse after too many stop losses in a row.

    On the symbol within STREAK_WINDOW: for as long after the last of them. Over the account, however long
    they took: until the next UTC day; each further one blocks the rest of its day, until a win.
    """
    streak, limit = state.symbol(symbol).stop_streak, state.limits.symbol_stop_streak
    within = [
        last
        for first, last in zip(streak, streak[limit - 1 :], strict=False)
        if last - first <= STREAK_WINDOW
    ]
    blocks = [("symbol", streak, limit, last + STREAK_WINDOW) for last in within[-1:]]

    streak, limit = state.stop_streak, state.limits.account_stop_streak
    if len(streak) >= limit:
        next_day = streak[-1].astimezone(UTC).date() + timedelta(days=1)
        blocks.append(("account", streak, limit, datetime.combine(next_day, time(), UTC)))
    for scope, streak, limit, until in blocks:
        if now < until:
            numbers = {"scope": scope, "streak": len(streak), "limit": limit, "until": until}
            return Refusal(Reason.STOPLOSS_STREAK, numbers)
    return None
