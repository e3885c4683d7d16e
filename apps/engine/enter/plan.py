"""From a verdict to an order plan, or to the reason why there is none."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from apps.engine.enter import guards
from apps.engine.enter.entry_price import distance_refusal, entry_zone, limit_price
from apps.engine.enter.exit_price import Stop, Target, expected_r_net, pivot_levels, stop_price, target_price
from apps.engine.enter.guards import review_refusal
from apps.engine.enter.observation import Market, Observation, entry_market
from apps.engine.enter.sizing import sizing
from apps.engine.evaluate.verdict import Verdict
from apps.engine.profile import Entry, Profile
from apps.engine.values.order import Role, client_order_id, decision_key
from apps.engine.values.plan import Limits, OrderPlan, Sizing, Zone
from apps.engine.values.reason import Reason, Refusal
from apps.engine.values.side import Side
from apps.engine.values.state import AccountState
from apps.engine.values.timeframe import VALIDATION, Timeframe

SEND_WITHIN_S = 10
"""An order not signed this long after its plan never is: enough for the leverage and three attempts."""


def make_plan(
    verdict: Verdict, profile: Profile, snapshot: Observation, state: AccountState, now: datetime
) -> OrderPlan | Refusal:
    """The plan of a READY verdict, at prices and books of now."""
    made = entry_decision(verdict, profile)
    if isinstance(made, Refusal):
        return made
    return age_refusal(made, now) or _plan(made, profile, snapshot, state, now)


def remake_plan(
    approved: OrderPlan,
    verdict: Verdict,
    profile: Profile,
    snapshot: Observation,
    state: AccountState,
    now: datetime,
) -> OrderPlan | Refusal:
    """The plan of a decision that a person approved, at prices and books of now; its age no longer counts."""
    made = entry_decision(verdict, profile)
    if isinstance(made, Refusal):
        return made
    fresh = _plan(made, profile, snapshot, state.without(approved.decision_key), now)
    return fresh if isinstance(fresh, Refusal) else review_refusal(approved, fresh) or fresh


def _plan(
    made: EntryDecision, profile: Profile, snapshot: Observation, state: AccountState, now: datetime
) -> OrderPlan | Refusal:
    forbidden = guards.entry_refusal(state, profile.name, made.symbol, made.timeframes, made.key, now)
    if forbidden is not None:
        return forbidden
    market = entry_market(snapshot, made.entry, made.timeframe, now)
    if isinstance(market, Refusal):
        return market
    draft = _draft(made, snapshot, market, now)
    if isinstance(draft, Refusal):
        return draft
    plan = _assembled(made, profile, market, draft, now)
    return guards.claim_refusal(plan, state, now) or plan


@dataclass(frozen=True, slots=True)
class _Draft:
    zone: Zone
    price: Decimal
    stop: Stop
    target: Target
    size: Sizing


def _draft(made: EntryDecision, snapshot: Observation, market: Market, now: datetime) -> _Draft | Refusal:
    entry, side, tick = made.entry, made.side, market.contract.tick_size
    zone = entry_zone(snapshot, market.contract, entry, side, now)
    if isinstance(zone, Refusal):
        return zone
    too_far = distance_refusal(zone, market.quote, entry)
    if too_far is not None:
        return too_far
    price = limit_price(zone, market.quote, entry, side, tick)
    if isinstance(price, Refusal):
        return price
    levels, atr = pivot_levels(snapshot), snapshot.number(made.timeframe, "atr")
    stop = stop_price(price, side, entry, atr, levels, market.quote, tick)
    if isinstance(stop, Refusal):
        return stop
    size = sizing(market, entry, price, stop.price, entry.leverage_cap(made.symbol, made.timeframe))
    if isinstance(size, Refusal):
        return size
    target = target_price(price, stop.price, side, entry, levels, tick)
    return target if isinstance(target, Refusal) else _Draft(zone, price, stop, target, size)


def _assembled(
    made: EntryDecision, profile: Profile, market: Market, draft: _Draft, now: datetime
) -> OrderPlan:
    return OrderPlan(
        decision_key=made.key,
        client_order_id=client_order_id(Role.ENTRY, made.key),
        profile=profile.name,
        digest=profile.digest,
        symbol=made.symbol,
        side=made.side,
        timeframe=made.timeframe,
        timeframes=made.timeframes,
        candle_open_at=made.candle_open_at,
        quote=market.quote,
        zone=draft.zone,
        entry=draft.price,
        stop=draft.stop.price,
        stop_source=draft.stop.source,
        target=draft.target.price,
        target_source=draft.target.source,
        sizing=draft.size,
        expected_r_net=expected_r_net(draft.price, draft.stop.price, draft.target.price, market.taker),
        limits=_limits(made.entry, draft.size.equity),
        review=made.entry.review,
        created_at=now,
        send_before=now + timedelta(seconds=SEND_WITHIN_S),
        expires_at=now + timedelta(seconds=made.entry.order_ttl_s),
    )


def _limits(entry: Entry, equity: Decimal) -> Limits:
    share = equity * entry.daily_max_loss_pct / 100
    absolute = share if entry.daily_max_loss_usdt is None else entry.daily_max_loss_usdt
    return Limits(min(share, absolute), entry.max_concurrent_positions)


@dataclass(frozen=True, slots=True)
class EntryDecision:
    """A READY verdict with everything an entry needs of it."""

    key: str
    symbol: str
    side: Side
    timeframe: Timeframe
    timeframes: tuple[Timeframe, ...]
    candle_open_at: datetime
    entry: Entry


def entry_decision(verdict: Verdict, profile: Profile) -> EntryDecision | Refusal:
    """Refused when the verdict is not READY, or the profile does not trade what it says."""
    timeframe = verdict.execution_timeframe
    if not verdict.is_ready:
        return Refusal(Reason.MTF_NOT_READY, {"reason": verdict.reason})
    if timeframe is None or verdict.candle_open_at is None:
        return Refusal(Reason.MISSING_EXECUTION_TF)
    if timeframe not in VALIDATION:
        return Refusal(Reason.UNSUPPORTED_EXECUTION_TF, {"timeframe": str(timeframe)})
    if profile.entry is None or timeframe not in profile.execution_timeframes:
        return Refusal(Reason.EXECUTION_TF_NOT_ALLOWED, {"timeframe": str(timeframe)})
    if verdict.side is None:
        return Refusal(Reason.MISSING_SIGNAL_SIDE)
    key = decision_key(profile.name, verdict.symbol, timeframe, verdict.candle_open_at, verdict.side)
    judged = tuple(dict.fromkeys(one.timeframe for one in profile.judged))
    return EntryDecision(
        key, verdict.symbol, verdict.side, timeframe, judged, verdict.candle_open_at, profile.entry
    )


def age_refusal(made: EntryDecision, now: datetime) -> Refusal | None:
    """Refused when the deciding candle closed longer ago than the profile trades on."""
    age_s = (now - made.candle_open_at - made.timeframe.duration).total_seconds()
    limit_s = made.entry.signal_age_s(made.timeframe)
    return Refusal(Reason.SIGNAL_TOO_OLD, {"age_s": age_s, "limit_s": limit_s}) if age_s > limit_s else None
