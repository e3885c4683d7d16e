"""Where a trade is done, and what it is worth after fees."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from apps.engine.enter.levels import Levels, ahead
from apps.engine.enter.ticks import toward_loss
from apps.engine.profile import Entry
from apps.engine.values.reason import Reason, Refusal
from apps.engine.values.side import Side


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
    target = Target(toward_loss(raw.price, tick, side), raw.source) if raw.price > 0 else raw
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
    beyond = next(iter(ahead(levels, base, side).items()), None)
    if beyond is None:
        return None
    name, level = beyond
    sign = 1 if side == Side.LONG else -1
    target = level * (1 - sign * entry.tp_buffer_pct / 100)
    r = sign * (target - price) / distance
    least, most = entry.tp_min_keep_ratio * entry.r_multiple, entry.r_multiple + entry.tp_max_extra_r
    return Target(target, name) if least <= r <= most else None
