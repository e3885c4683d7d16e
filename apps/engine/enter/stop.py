"""Where a trade is wrong."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from apps.engine.enter.levels import Levels, for_stop
from apps.engine.enter.ticks import toward_loss
from apps.engine.profile import Entry, StopFrom
from apps.engine.profile.entry import MIN_STOP_RATIO
from apps.engine.values.position import Quote
from apps.engine.values.reason import Reason, Refusal
from apps.engine.values.side import Side

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
    stop = Stop(toward_loss(raw.price, tick, side), raw.source)
    if stop.price <= 0 or _sign(side) * (price - stop.price) <= 0:
        return Refusal(Reason.STOP_INVALID, numbers)
    return stop


def _pivot(price: Decimal, side: Side, entry: Entry, levels: Levels) -> Stop | None:
    """Behind the profile's pivot by its buffer; None when there is none or it is too far."""
    found = for_stop(levels, price, side, entry.pivot_sl_policy)
    if found is None:
        return None
    name, level = found
    stop = level * (1 - _sign(side) * entry.pivot_sl_buffer_pct / 100)
    return Stop(stop, name) if abs(price - stop) <= price * PIVOT_MAX_RATIO else None


def _sign(side: Side) -> int:
    return 1 if side == Side.LONG else -1
