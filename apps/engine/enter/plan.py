"""From a verdict to an entry decision to an order plan, or to the refusal that says why there is none."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from apps.engine.enter import guards
from apps.engine.enter.entry_price import distance_refusal, entry_zone, limit_price
from apps.engine.enter.exit_price import Stop, Target, expected_r_net, pivot_levels, stop_price, target_price
from apps.engine.enter.observation import Market, Observation, entry_market
from apps.engine.enter.sizing import sizing
from apps.engine.evaluate.verdict import Verdict
from apps.engine.profile import EntrySettings, Profile
from apps.engine.values.account import AccountState
from apps.engine.values.order import Role, client_order_id, decision_key
from apps.engine.values.plan import Limits, OrderPlan, Sizing, Zone
from apps.engine.values.position import Side
from apps.engine.values.reason import Reason, Refusal
from apps.engine.values.timeframe import VALIDATION, Timeframe

SEND_WITHIN_S = 10
"""An order not signed this long after its plan never is: enough for the leverage and three attempts."""


@dataclass(frozen=True, slots=True)
class EntryDecision:
    """What a READY verdict decides to enter. `timeframes`: all that the profile judges; a switch of any of
    them stops it. `entry` is the profile's section."""

    key: str
    symbol: str
    side: Side
    timeframe: Timeframe
    timeframes: tuple[Timeframe, ...]
    candle_open_at: datetime
    entry: EntrySettings


def entry_decision(verdict: Verdict, profile: Profile) -> EntryDecision | Refusal:
    """Return what the verdict decides; refused when it is not READY, or the profile does not trade it."""
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
    return EntryDecision(
        key=key,
        symbol=verdict.symbol,
        side=verdict.side,
        timeframe=timeframe,
        timeframes=tuple(dict.fromkeys(judged.timeframe for judged in profile.timeframe_rules)),
        candle_open_at=verdict.candle_open_at,
        entry=profile.entry,
    )


def age_refusal(decision: EntryDecision, now: datetime) -> Refusal | None:
    """Refuse when the deciding candle closed longer ago than the profile trades on."""
    age_s = (now - decision.candle_open_at - decision.timeframe.duration).total_seconds()
    limit_s = decision.entry.signal_age_s(decision.timeframe)
    return Refusal(Reason.SIGNAL_TOO_OLD, {"age_s": age_s, "limit_s": limit_s}) if age_s > limit_s else None


def make_plan(
    verdict: Verdict, profile: Profile, observation: Observation, state: AccountState, now: datetime
) -> OrderPlan | Refusal:
    """Return the plan of a READY verdict, at prices and books of now."""
    decision = entry_decision(verdict, profile)
    if isinstance(decision, Refusal):
        return decision
    return age_refusal(decision, now) or _plan(decision, profile, observation, state, now)


def remake_plan(
    approved: OrderPlan,
    verdict: Verdict,
    profile: Profile,
    observation: Observation,
    state: AccountState,
    now: datetime,
) -> OrderPlan | Refusal:
    """Return the plan of a decision that a person approved, at prices and books of now.

    Its age no longer counts; it may not be worse than what was approved.
    """
    decision = entry_decision(verdict, profile)
    if isinstance(decision, Refusal):
        return decision
    plan = _plan(decision, profile, observation, state.without(approved.decision_key), now)
    return plan if isinstance(plan, Refusal) else guards.review_refusal(approved, plan) or plan


def _plan(
    decision: EntryDecision, profile: Profile, observation: Observation, state: AccountState, now: datetime
) -> OrderPlan | Refusal:
    """Ask every guard and compute every number, in the order of docs/trading.md."""
    entry, side, timeframe = decision.entry, decision.side, decision.timeframe
    forbidden = guards.entry_refusal(
        state, profile.name, decision.symbol, decision.timeframes, decision.key, now
    )
    if forbidden is not None:
        return forbidden
    market = entry_market(observation, entry, timeframe, now)
    if isinstance(market, Refusal):
        return market

    tick = market.contract.tick_size
    zone = entry_zone(observation, market.contract, entry, side, now)
    if isinstance(zone, Refusal):
        return zone
    too_far = distance_refusal(zone, market.quote, entry)
    if too_far is not None:
        return too_far
    price = limit_price(zone, market.quote, entry, side, tick)
    if isinstance(price, Refusal):
        return price
    levels, atr = pivot_levels(observation), observation.number(timeframe, "atr")
    stop = stop_price(price, side, entry, atr, levels, market.quote, tick)
    if isinstance(stop, Refusal):
        return stop
    size = sizing(market, entry, price, stop.price, entry.leverage_cap(decision.symbol, timeframe))
    if isinstance(size, Refusal):
        return size
    target = target_price(price, stop.price, side, entry, levels, tick)
    if isinstance(target, Refusal):
        return target

    plan = _order_plan(decision, profile, market, zone, price, stop, target, size, now)
    return guards.claim_refusal(plan, state, now) or plan


def _order_plan(
    decision: EntryDecision,
    profile: Profile,
    market: Market,
    zone: Zone,
    price: Decimal,
    stop: Stop,
    target: Target,
    size: Sizing,
    now: datetime,
) -> OrderPlan:
    entry = decision.entry
    max_loss = size.equity * entry.daily_max_loss_pct / 100
    if entry.daily_max_loss_usdt is not None:
        max_loss = min(max_loss, entry.daily_max_loss_usdt)
    return OrderPlan(
        decision_key=decision.key,
        client_order_id=client_order_id(Role.ENTRY, decision.key),
        profile=profile.name,
        digest=profile.digest,
        symbol=decision.symbol,
        side=decision.side,
        timeframe=decision.timeframe,
        timeframes=decision.timeframes,
        candle_open_at=decision.candle_open_at,
        quote=market.quote,
        zone=zone,
        entry=price,
        stop=stop.price,
        stop_source=stop.source,
        target=target.price,
        target_source=target.source,
        sizing=size,
        expected_r_net=expected_r_net(price, stop.price, target.price, market.taker),
        limits=Limits(max_loss, entry.max_concurrent_positions),
        review=entry.review,
        created_at=now,
        send_before=now + timedelta(seconds=SEND_WITHIN_S),
        expires_at=now + timedelta(seconds=entry.order_ttl_s),
    )
