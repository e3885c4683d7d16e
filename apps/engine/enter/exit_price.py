"""Where a trade is wrong (its stop), where it is done (its target), and what it is worth after fees.

Both may be laid by the pivots of the last full UTC day.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from apps.engine.enter.observation import Observation
from apps.engine.indicators.numpy_columns import PIVOTS
from apps.engine.profile import EntrySettings, StopFrom
from apps.engine.profile.entry_settings import MIN_STOP_RATIO
from apps.engine.values.position import Quote, Side
from apps.engine.values.reason import Reason, Refusal
from apps.engine.values.tick import round_toward_loss
from apps.engine.values.timeframe import Timeframe

Levels = dict[str, Decimal]
"""Pivot name → price."""

STRENGTH = (2, 1, 3, 4, 5, 6)
"""Support and resistance levels, strongest first."""

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


@dataclass(frozen=True, slots=True)
class Target:
    """`source`: `r_multiple` or the pivot's name."""

    price: Decimal
    source: str


def stop_price(
    price: Decimal,
    side: Side,
    entry: EntrySettings,
    atr: Decimal | None,
    levels: Levels,
    quote: Quote,
    tick: Decimal,
    *,
    farthest: Decimal | None = None,
) -> Stop | Refusal:
    """Return the stop of an entry at `price`, on a tick, rounded away from it.

    Behind the profile's pivot by its buffer, where the profile wants one, there is one and it is near enough;
    else atr_k × `atr`, the execution timeframe's. Never nearer than the minimum distance. All this from the
    `farthest` tranche, where there are several; how far a stop may be counts from `price`, the nearest.
    """
    sign, raw, last = _sign(side), None, price if farthest is None else farthest
    if entry.stop_from == StopFrom.PIVOT:
        level = stop_level(levels, last, side, entry.pivot_sl_policy)
        if level is not None:
            behind = level[1] * (1 - sign * entry.pivot_sl_buffer_pct / 100)
            raw = Stop(behind, level[0]) if abs(last - behind) <= last * PIVOT_MAX_RATIO else None
    if raw is None:
        if atr is None or atr <= 0:
            return Refusal(Reason.ATR_REQUIRED_BUT_INVALID, {"atr": atr, "stop_from": str(entry.stop_from)})
        raw = Stop(last - sign * entry.atr_k * atr, "atr")
    least = max(last * MIN_STOP_RATIO, MIN_STOP_TICKS * tick, MIN_STOP_SPREADS * (quote.ask - quote.bid))
    if sign * (last - raw.price) < least:
        raw = Stop(last - sign * least, MINIMUM)

    distance_pct = abs(price - raw.price) / price * 100
    numbers = {"entry": price, "stop": raw.price, "distance_pct": distance_pct, "source": raw.source}
    if distance_pct > entry.max_stop_pct:
        return Refusal(Reason.STOP_TOO_FAR, numbers | {"limit_pct": entry.max_stop_pct})
    stop = Stop(round_toward_loss(raw.price, tick, side), raw.source)
    if stop.price <= 0 or sign * (last - stop.price) <= 0:
        return Refusal(Reason.STOP_INVALID, numbers)
    return stop


def target_price(
    price: Decimal,
    stop: Decimal,
    side: Side,
    entry: EntrySettings,
    levels: Levels,
    tick: Decimal,
    *,
    nearest: Decimal | None = None,
) -> Target | Refusal:
    """Return the target of an entry at `price`, on a tick, rounded toward the entry.

    r_multiple × the stop's distance away; or just before the next pivot beyond that, less its buffer, when
    the R of it is near enough to r_multiple. Where `price` is the average of several tranches, the target
    must be beyond the `nearest` too: it may fill alone.
    """
    sign, distance = _sign(side), abs(price - stop)
    raw = Target(price + sign * entry.r_multiple * distance, "r_multiple")
    beyond = next(iter(levels_ahead(levels, raw.price, side).items()), None)
    if beyond is not None:
        before = beyond[1] * (1 - sign * entry.tp_buffer_pct / 100)
        least, most = entry.tp_min_keep_ratio * entry.r_multiple, entry.r_multiple + entry.tp_max_extra_r
        if least <= sign * (before - price) / distance <= most:
            raw = Target(before, beyond[0])
    target = Target(round_toward_loss(raw.price, tick, side), raw.source) if raw.price > 0 else raw
    from_price = price if nearest is None else nearest
    if target.price <= 0 or sign * (target.price - from_price) <= 0:
        numbers = {"entry": from_price, "target": target.price, "source": raw.source}
        return Refusal(Reason.TARGET_INVALID, numbers)
    return target


def first_target_price(
    price: Decimal,
    stop: Decimal,
    target: Decimal,
    side: Side,
    tp1_r: Decimal,
    tick: Decimal,
    *,
    nearest: Decimal | None = None,
) -> Decimal | None:
    """Return where half is closed: tp1_r × the stop's distance away, on a tick, rounded toward the entry.

    None when that does not lie between the entry and `target`, which a pivot may have drawn nearer. Where
    `price` is the average of several tranches, the entry is the `nearest` of them.
    """
    sign, from_price = _sign(side), price if nearest is None else nearest
    first = round_toward_loss(price + sign * tp1_r * abs(price - stop), tick, side)
    return first if sign * (first - from_price) > 0 and sign * (target - first) > 0 else None


def expected_r_net(price: Decimal, stop: Decimal, target: Decimal, taker: Decimal) -> Decimal:
    """Return (reward - fees) / (risk + fees), both fees at the taker's rate of the entry price."""
    fees = 2 * taker * price
    return (abs(target - price) - fees) / (abs(price - stop) + fees)


def pivot_levels(observation: Observation) -> Levels:
    """Return the pivots that are known and positive."""
    levels = {name: observation.number(Timeframe.D1, name) for name in PIVOTS}
    return {name: price for name, price in levels.items() if price is not None and price > 0}


def stop_level(levels: Levels, price: Decimal, side: Side, policy: str) -> tuple[str, Decimal] | None:
    """Return the level a stop is laid behind, among those where a trade from `price` loses.

    `policy`: `nearest`, `strongest`, or the level's name for a long; a short mirrors it, s2 is its r2.
    """
    behind = _sorted_levels(levels, price, below=side == Side.LONG)
    if policy == "nearest":
        return next(iter(behind.items()), None)
    if policy == "strongest":
        letter = "s" if side == Side.LONG else "r"
        names = [f"{letter}{number}" for number in STRENGTH]
    elif side == Side.LONG or policy == "pivot":
        names = [policy]
    else:
        names = [("r" if policy[0] == "s" else "s") + policy[1:]]
    return next(((name, behind[name]) for name in names if name in behind), None)


def levels_ahead(levels: Levels, price: Decimal, side: Side) -> Levels:
    """Return those on the side where a trade from `price` wins, nearest first."""
    return _sorted_levels(levels, price, below=side == Side.SHORT)


def _sorted_levels(levels: Levels, price: Decimal, *, below: bool) -> Levels:
    chosen = {name: level for name, level in levels.items() if (level < price if below else level > price)}
    return dict(sorted(chosen.items(), key=lambda item: abs(item[1] - price)))


def _sign(side: Side) -> int:
    return 1 if side == Side.LONG else -1
