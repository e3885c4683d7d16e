"""From a verdict to an entry decision to an order plan, or to the refusal that says why there is none."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from apps.engine.enter import guards
from apps.engine.enter.entry_price import distance_refusal, entry_zone, limit_price, taken_price
from apps.engine.enter.exit_price import (
    Levels,
    Stop,
    Target,
    expected_r_net,
    first_target_price,
    pivot_levels,
    stop_price,
    target_price,
)
from apps.engine.enter.observation import Market, Observation, entry_market, spread_refusal
from apps.engine.enter.scaling import folded, priced_shares, split_size
from apps.engine.enter.sizing import loss_at_stop, sizing
from apps.engine.evaluate.verdict import Verdict
from apps.engine.profile import EntrySettings, Profile
from apps.engine.values.account import AccountState
from apps.engine.values.entry import EntryRules, Fallback, OrderType, RestingZone
from apps.engine.values.exit import ExitRules
from apps.engine.values.order import Role, TimeInForce, client_order_id, decision_key
from apps.engine.values.plan import Limits, OrderPlan, Sizing, Tranche, Zone, average_price
from apps.engine.values.position import Quote, Side
from apps.engine.values.reason import Reason, Refusal
from apps.engine.values.timeframe import VALIDATION, Timeframe

SEND_WITHIN_S = 10
"""An order not signed this long after its plan never is: enough for the leverage and three attempts."""


AT_ONCE = EntryRules(OrderType.MARKET, TimeInForce.IOC)
"""It takes what the book gives up to its worst price; one that would rest all the same is taken back as soon
as it can no longer be on its way."""


@dataclass(frozen=True, slots=True)
class EntryDecision:
    """What a READY verdict decides to enter, as far as the books allow it. `timeframes`: all that the profile
    judges; a switch of any of them stops it. `entry` is the profile's section."""

    key: str
    profile: str
    digest: str
    symbol: str
    side: Side
    timeframe: Timeframe
    timeframes: tuple[Timeframe, ...]
    candle_open_at: datetime
    entry: EntrySettings


def precheck(
    verdict: Verdict,
    profile: Profile,
    state: AccountState,
    now: datetime,
    *,
    approved: OrderPlan | None = None,
) -> EntryDecision | Refusal:
    """Return what the verdict decides, unless it, its age or the books forbid it: before anything is asked.

    `approved` is the plan of it that a person approved: its own claim is no obstacle, nor is its age.
    """
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
    decision = EntryDecision(
        key=decision_key(profile.name, verdict.symbol, timeframe, verdict.candle_open_at, verdict.side),
        profile=profile.name,
        digest=profile.digest,
        symbol=verdict.symbol,
        side=verdict.side,
        timeframe=timeframe,
        timeframes=tuple(dict.fromkeys(judged.timeframe for judged in profile.timeframe_rules)),
        candle_open_at=verdict.candle_open_at,
        entry=profile.entry,
    )
    age_s = (now - decision.candle_open_at - timeframe.duration).total_seconds()
    limit_s = profile.entry.signal_age_s(timeframe)
    if approved is None and age_s > limit_s:
        return Refusal(Reason.SIGNAL_TOO_OLD, {"age_s": age_s, "limit_s": limit_s})
    state = state if approved is None else state.without(approved.decision_key)
    return (
        guards.entry_refusal(state, profile.name, verdict.symbol, decision.timeframes, decision.key, now)
        or guards.room_refusal(state, profile.name, profile.entry.max_concurrent_positions)
        or decision
    )


def make_plan(decision: EntryDecision, observation: Observation, now: datetime) -> OrderPlan | Refusal:
    """Return the plan of a decision at prices of now: every number in the order of docs/trading.md."""
    entry, side, timeframe = decision.entry, decision.side, decision.timeframe
    market = entry_market(observation, entry, timeframe, now)
    if isinstance(market, Refusal):
        return market
    too_wide = spread_refusal(market, entry)
    if too_wide is not None:
        return too_wide

    tick = market.contract.tick_size
    zone = entry_zone(observation, market.contract, entry, side, now)
    if isinstance(zone, Refusal):
        return zone
    too_far = distance_refusal(zone, market.quote, entry)
    if too_far is not None:
        return too_far
    priced = taken_price if entry.order_type == OrderType.MARKET else limit_price
    price = priced(zone, market.quote, entry, side, tick)
    if isinstance(price, Refusal):
        return price
    levels, atr = pivot_levels(observation), observation.number(timeframe, "atr")
    spread = _spread_entry(decision, market, zone, price, levels, atr)
    if isinstance(spread, Refusal):
        return spread
    stop, size, tranches = spread
    average = average_price(tranches)
    target = target_price(average, stop.price, side, entry, levels, tick, nearest=price)
    if isinstance(target, Refusal):
        return target
    exits = exit_rules(entry, market, average, stop.price, target.price, side, atr, nearest=price)
    return _order_plan(decision, market, zone, tranches, stop, target, exits, size, now)


def _spread_entry(
    decision: EntryDecision,
    market: Market,
    zone: Zone,
    price: Decimal,
    levels: Levels,
    atr: Decimal | None,
) -> tuple[Stop, Sizing, tuple[Tranche, ...]] | Refusal:
    """Return the common stop, the size of all and the tranches, nearest first: as many as the size carries.

    A tranche below the contract's least order is given to the nearer one, and all is reckoned again: with the
    farthest one gone the stop lies nearer.
    """
    entry, side, contract = decision.entry, decision.side, market.contract
    cap = entry.leverage_cap(decision.symbol, decision.timeframe)
    shares = priced_shares(zone, price, side, entry.shares, contract.tick_size)
    while True:
        farthest = shares[-1].price
        stop = stop_price(
            price, side, entry, atr, levels, market.quote, contract.tick_size, farthest=farthest
        )
        if isinstance(stop, Refusal):
            return stop
        size = sizing(market, entry, price, stop.price, cap, shares)
        if isinstance(size, Refusal):
            if size.reason != Reason.SIZE_BELOW_MIN_VOLUME or len(shares) == 1:
                return size
            shares = folded(shares, len(shares) - 1)
            continue
        sizes = split_size(size.size, shares, contract.volume_step)
        small = [number for number, each in enumerate(sizes) if each <= 0 or each < contract.min_volume]
        if not small:
            return (
                stop,
                size,
                tuple(
                    Tranche(each.price, of_it, of_it * loss_at_stop(market, entry, each.price, stop.price))
                    for each, of_it in zip(shares, sizes, strict=True)
                ),
            )
        shares = folded(shares, small[-1])


def exit_rules(
    entry: EntrySettings,
    market: Market,
    price: Decimal,
    stop: Decimal,
    target: Decimal,
    side: Side,
    atr: Decimal | None,
    *,
    nearest: Decimal,
) -> ExitRules:
    """Return how the position will be left; without `atr`, the execution timeframe's, no stop trails."""
    first, trailing, tick = None, None, market.contract.tick_size
    if entry.tp1_r is not None:
        first = first_target_price(price, stop, target, side, entry.tp1_r, tick, nearest=nearest)
    if entry.trailing is not None and atr is not None and atr > 0:
        trailing = entry.trailing.atr_k * atr
    return ExitRules(
        first_target=first,
        taker=market.taker,
        moves_stop=entry.process_tp_sl,
        trail_distance=trailing,
        max_holding_s=entry.max_holding_s,
    )


def entry_rules(entry: EntrySettings, zone: Zone, quote: Quote) -> EntryRules:
    """Return how the order is sent, and until when it rests: a market entry does not."""
    if entry.order_type == OrderType.MARKET:
        return AT_ONCE
    at_the_end = entry.fallback_end_of_zone
    return EntryRules(
        zone=RestingZone(zone.low, zone.high, quote.mark, entry.out_of_zone_bps),
        fallback=None
        if at_the_end is None
        else Fallback(at_the_end.ttl_threshold_s, at_the_end.max_spread_bps),
    )


def _order_plan(
    decision: EntryDecision,
    market: Market,
    zone: Zone,
    tranches: tuple[Tranche, ...],
    stop: Stop,
    target: Target,
    exits: ExitRules,
    size: Sizing,
    now: datetime,
) -> OrderPlan:
    entry, rules = decision.entry, entry_rules(decision.entry, zone, market.quote)
    max_loss = size.equity * entry.daily_max_loss_pct / 100
    if entry.daily_max_loss_usdt is not None:
        max_loss = min(max_loss, entry.daily_max_loss_usdt)
    return OrderPlan(
        decision_key=decision.key,
        client_order_id=client_order_id(Role.ENTRY, decision.key),
        profile=decision.profile,
        digest=decision.digest,
        symbol=decision.symbol,
        side=decision.side,
        timeframe=decision.timeframe,
        timeframes=decision.timeframes,
        candle_open_at=decision.candle_open_at,
        quote=market.quote,
        zone=zone,
        entry=tranches[0].price,
        stop=stop.price,
        stop_source=stop.source,
        target=target.price,
        target_source=target.source,
        sizing=size,
        expected_r_net=expected_r_net(average_price(tranches), stop.price, target.price, market.taker),
        limits=Limits(max_loss, entry.max_concurrent_positions),
        review=entry.review,
        created_at=now,
        send_before=now + timedelta(seconds=SEND_WITHIN_S),
        expires_at=now + timedelta(seconds=SEND_WITHIN_S if rules == AT_ONCE else entry.order_ttl_s),
        exits=exits,
        entry_rules=rules,
        scaled=tranches if len(tranches) > 1 else (),
    )
