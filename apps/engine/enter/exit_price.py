"""The pivots of the last full UTC day, as prices."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from apps.engine.enter.observation import Observation
from apps.engine.enter.tick import round_toward_loss
from apps.engine.indicators.pivots import PIVOTS
from apps.engine.profile import Entry, StopFrom
from apps.engine.profile.entry import MIN_STOP_RATIO
from apps.engine.values.position import Quote
from apps.engine.values.reason import Reason, Refusal
from apps.engine.values.side import Side
from apps.engine.values.timeframe import Timeframe

Levels = dict[str, Decimal]

STRENGTH = (2, 1, 3, 4, 5, 6)
"""Support and resistance levels, strongest first."""


def pivot_levels(snapshot: Observation) -> Levels:
    """Name → price of those that are known and positive."""
    found = {name: snapshot.number(Timeframe.D1, name) for name in PIVOTS}
    return {name: price for name, price in found.items() if price is not None and price > 0}


def levels_behind(levels: Levels, price: Decimal, side: Side) -> Levels:
    """Those on the side where a trade from `price` loses, nearest first."""
    return _sorted(levels, price, below=side == Side.LONG)


def levels_ahead(levels: Levels, price: Decimal, side: Side) -> Levels:
    """Those on the side where a trade from `price` wins, nearest first."""
    return _sorted(levels, price, below=side == Side.SHORT)


def stop_level(levels: Levels, entry: Decimal, side: Side, policy: str) -> tuple[str, Decimal] | None:
    """The level a stop is laid behind: `nearest`, `strongest`, or by a long's name (a short mirrors it)."""
    behind_entry = levels_behind(levels, entry, side)
    if policy == "nearest":
        return next(iter(behind_entry.items()), None)
    letter = "s" if side == Side.LONG else "r"
    named = [f"{letter}{k}" for k in STRENGTH] if policy == "strongest" else [_for_side(policy, side)]
    return next(((name, behind_entry[name]) for name in named if name in behind_entry), None)


def _for_side(name: str, side: Side) -> str:
    if side == Side.LONG or name == "pivot":
        return name
    return ("r" if name[0] == "s" else "s") + name[1:]


def _sorted(levels: Levels, price: Decimal, *, below: bool) -> Levels:
    chosen = {name: level for name, level in levels.items() if (level < price if below else level > price)}
    return dict(sorted(chosen.items(), key=lambda item: abs(item[1] - price)))


MIN_STOP_TICKS = 3
MIN_STOP_SPREADS = 3
"""A stop nearer than any of these, or than MIN_STOP_RATIO, is hit by noise."""

PIVOT_MAX_RATIO = Decimal("0.02")
"""A pivot farther from the entry than this gives no stop; the fallback does."""

MINIMUM = "minimum_distance"


@dataclass(frozen=True, slots=True)
class Stop:
    """`source`: `atr`, a pivot's name, or `minimum_distance` when that was nearer than a stop may be."""

    price: Decimal
    source: str


def stop_price(
    price: Decimal, side: Side, entry: Entry, atr: Decimal | None, levels: Levels, quote: Quote, tick: Decimal
) -> Stop | Refusal:
    """For an entry at `price`; on a tick, rounded away from it. `atr` is the execution timeframe's."""
    raw = _pivot(price, side, entry, levels) if entry.stop_from == StopFrom.PIVOT else None
    if raw is None:
        if atr is None or atr <= 0:
            return Refusal(Reason.ATR_REQUIRED_BUT_INVALID, {"atr": atr, "stop_from": str(entry.stop_from)})
        raw = Stop(price - _sign(side) * entry.atr_k * atr, "atr")
    least = max(price * MIN_STOP_RATIO, MIN_STOP_TICKS * tick, MIN_STOP_SPREADS * (quote.ask - quote.bid))
    if _sign(side) * (price - raw.price) < least:
        raw = Stop(price - _sign(side) * least, MINIMUM)
    return _checked(raw, price, side, entry, tick)


def _checked(raw: Stop, price: Decimal, side: Side, entry: Entry, tick: Decimal) -> Stop | Refusal:
    distance_pct = abs(price - raw.price) / price * 100
    numbers = {"entry": price, "stop": raw.price, "distance_pct": distance_pct, "source": raw.source}
    if distance_pct > entry.max_stop_pct:
        return Refusal(Reason.STOP_TOO_FAR, numbers | {"limit_pct": entry.max_stop_pct})
    stop = Stop(round_toward_loss(raw.price, tick, side), raw.source)
    if stop.price <= 0 or _sign(side) * (price - stop.price) <= 0:
        return Refusal(Reason.STOP_INVALID, numbers)
    return stop


def _pivot(price: Decimal, side: Side, entry: Entry, levels: Levels) -> Stop | None:
    """Behind the profile's pivot by its buffer; None when there is none or it is too far."""
    found = stop_level(levels, price, side, entry.pivot_sl_policy)
    if found is None:
        return None
    name, level = found
    stop = level * (1 - _sign(side) * entry.pivot_sl_buffer_pct / 100)
    return Stop(stop, name) if abs(price - stop) <= price * PIVOT_MAX_RATIO else None


def _sign(side: Side) -> int:
    return 1 if side == Side.LONG else -1


@dataclass(frozen=True, slots=True)
class Target:
    """`source`: `r_multiple` or the pivot's name."""

    price: Decimal
    source: str


def target_price(
    price: Decimal, stop: Decimal, side: Side, entry: Entry, levels: Levels, tick: Decimal
) -> Target | Refusal:
    """r_multiple × the stop's distance away, or just before the next pivot; rounded toward the entry."""
    sign, distance = (1 if side == Side.LONG else -1), abs(price - stop)
    base = price + sign * entry.r_multiple * distance
    raw = _at_pivot(price, base, distance, side, entry, levels) or Target(base, "r_multiple")
    target = Target(round_toward_loss(raw.price, tick, side), raw.source) if raw.price > 0 else raw
    if target.price <= 0 or sign * (target.price - price) <= 0:
        return Refusal(Reason.TARGET_INVALID, {"entry": price, "target": target.price, "source": raw.source})
    return target


def expected_r_net(price: Decimal, stop: Decimal, target: Decimal, taker: Decimal) -> Decimal:
    """(reward - fees) / (risk + fees), both fees at the taker's rate of the entry price."""
    fees = 2 * taker * price
    return (abs(target - price) - fees) / (abs(price - stop) + fees)


def _at_pivot(
    price: Decimal, base: Decimal, distance: Decimal, side: Side, entry: Entry, levels: Levels
) -> Target | None:
    """The first level beyond `base`, less its buffer, when its R is near enough to r_multiple."""
    beyond = next(iter(levels_ahead(levels, base, side).items()), None)
    if beyond is None:
        return None
    name, level = beyond
    sign = 1 if side == Side.LONG else -1
    target = level * (1 - sign * entry.tp_buffer_pct / 100)
    r = sign * (target - price) / distance
    least, most = entry.tp_min_keep_ratio * entry.r_multiple, entry.r_multiple + entry.tp_max_extra_r
    return Target(target, name) if least <= r <= most else None
