"""The zone in which an entry is worth it, and the price of a limit entry inside it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from apps.engine.enter.observation import Observation
from apps.engine.events import ZoneCategory
from apps.engine.profile import Anchor, EntrySettings
from apps.engine.values.contract import Contract
from apps.engine.values.plan import Zone
from apps.engine.values.position import Quote, Side
from apps.engine.values.reason import Reason, Refusal
from apps.engine.values.tick import round_down, round_up

CLOSE_RATIO = Decimal("1.05")
MODERATE_RATIO = Decimal("1.5")


@dataclass(frozen=True, slots=True, kw_only=True)
class ZoneRefusal(Refusal):
    """No trade because a price is not where an entry is worth it; deviation and limit as percentages."""

    zone: Zone
    candidate: Decimal
    deviation_pct: Decimal
    limit_pct: Decimal

    @property
    def category(self) -> ZoneCategory:
        if self.deviation_pct <= CLOSE_RATIO * self.limit_pct:
            return ZoneCategory.CLOSE_TO_THRESHOLD
        if self.deviation_pct <= MODERATE_RATIO * self.limit_pct:
            return ZoneCategory.MODERATE_GAP
        return ZoneCategory.FAR_OUTSIDE


def entry_zone(
    observation: Observation, contract: Contract, entry: EntrySettings, side: Side, now: datetime
) -> Zone | Refusal:
    """Return anchor ∓ half, half = clamp(k_atr × ATR, anchor × w_min, anchor × w_max), moved by bias × half.

    It moves against the trade. The anchor is the profile's, or the other one when that is missing.
    """
    rule = entry.zone
    atr = observation.number(rule.atr_timeframe, "atr")
    other = Anchor.SMA21 if rule.anchor == Anchor.VWAP else Anchor.VWAP
    anchors = {str(name): observation.number(rule.timeframe, str(name)) for name in (rule.anchor, other)}
    name, anchor = next(
        ((name, value) for name, value in anchors.items() if value is not None and value > 0), ("", None)
    )
    if anchor is None or atr is None or atr <= 0:
        return Refusal(Reason.ENTRY_ZONE_UNAVAILABLE, {"anchor": anchor, "atr": atr})
    half = min(max(rule.k_atr * atr, anchor * rule.w_min), anchor * rule.w_max)
    shift = rule.bias * half * (-1 if side == Side.LONG else 1)
    low, high = anchor - half + shift, anchor + half + shift
    if low < contract.tick_size:
        return Refusal(Reason.ENTRY_ZONE_UNAVAILABLE, {"low": low, "tick_size": contract.tick_size})
    return Zone(
        low=round_down(low, contract.tick_size),
        high=round_up(high, contract.tick_size),
        anchor=anchor,
        anchor_name=name,
        atr=atr,
        expires_at=now + timedelta(seconds=rule.ttl_s),
    )


def distance_refusal(zone: Zone, quote: Quote, entry: EntrySettings) -> ZoneRefusal | None:
    """Refuse when the mark is farther from the nearest edge than zone_max_deviation_pct of itself."""
    deviation_pct = zone.distance(quote.mark) / quote.mark * 100
    limit_pct = entry.zone_max_deviation_pct
    if deviation_pct <= limit_pct:
        return None
    return zone_refusal(Reason.ZONE_FAR_FROM_MARKET, zone, quote.mark, deviation_pct, limit_pct)


def limit_price(
    zone: Zone, quote: Quote, entry: EntrySettings, side: Side, tick: Decimal
) -> Decimal | ZoneRefusal:
    """Return the price at the top of the book, inside the zone, near the mark, never crossing; on a tick.

    Long: min(max(bid, min(bid + tick, ask - tick)), zone high, mark × (1 + max_deviation)), rounded down; a
    short mirrors it.
    """
    max_deviation = entry.max_deviation_pct / 100
    lowest, highest = quote.mark * (1 - max_deviation), quote.mark * (1 + max_deviation)
    if side == Side.LONG:
        best = max(quote.bid, min(quote.bid + tick, quote.ask - tick))
        price = round_down(min(best, zone.high, highest), tick)
        if quote.ask < zone.low:
            return _outside(zone, quote.ask, zone.low, entry.zone_max_deviation_pct)
        if price < zone.low:
            return _outside(zone, price, zone.low, entry.zone_max_deviation_pct)
        return price if price >= lowest else _outside(zone, price, quote.mark, entry.max_deviation_pct)
    best = min(quote.ask, max(quote.ask - tick, quote.bid + tick))
    price = round_up(max(best, zone.low, lowest), tick)
    if quote.bid > zone.high:
        return _outside(zone, quote.bid, zone.high, entry.zone_max_deviation_pct)
    if price > zone.high:
        return _outside(zone, price, zone.high, entry.zone_max_deviation_pct)
    return price if price <= highest else _outside(zone, price, quote.mark, entry.max_deviation_pct)


def taken_price(
    zone: Zone, quote: Quote, entry: EntrySettings, side: Side, tick: Decimal
) -> Decimal | ZoneRefusal:
    """Return the worst price of a market entry, on a tick; the far side of the book must be in the zone and
    near the mark."""
    far = far_side(quote, side)
    max_deviation = entry.max_deviation_pct / 100
    if zone.distance(far) > 0:
        edge = zone.low if far < zone.low else zone.high
        return _outside(zone, far, edge, entry.zone_max_deviation_pct)
    if abs(far - quote.mark) > quote.mark * max_deviation:
        return _outside(zone, far, quote.mark, entry.max_deviation_pct)
    assert entry.slippage_guard_bps is not None  # checked at load
    return worst_price(quote, side, entry.slippage_guard_bps, tick)


def worst_price(quote: Quote, side: Side, slippage_guard_bps: Decimal, tick: Decimal) -> Decimal:
    """Return the far side of the book and slippage_guard_bps beyond it, rounded back to a tick; never better
    than the far side itself, which lies on one."""
    far, guard = far_side(quote, side), slippage_guard_bps / 10_000
    if side == Side.LONG:
        return max(far, round_down(far * (1 + guard), tick))
    return min(far, round_up(far * (1 - guard), tick))


def far_side(quote: Quote, side: Side) -> Decimal:
    """Return the best price of those who sell to a long, or buy from a short."""
    return quote.ask if side == Side.LONG else quote.bid


def zone_refusal(
    reason: Reason, zone: Zone, candidate: Decimal, deviation_pct: Decimal, limit_pct: Decimal
) -> ZoneRefusal:
    """Return the refusal of a `candidate` price, with its numbers."""
    numbers = {
        "zone_low": zone.low,
        "zone_high": zone.high,
        "candidate": candidate,
        "deviation_pct": deviation_pct,
        "limit_pct": limit_pct,
    }
    return ZoneRefusal(
        reason,
        numbers,
        zone=zone,
        candidate=candidate,
        deviation_pct=deviation_pct,
        limit_pct=limit_pct,
    )


def _outside(zone: Zone, candidate: Decimal, from_price: Decimal, limit_pct: Decimal) -> ZoneRefusal:
    deviation_pct = abs(candidate / from_price - 1) * 100
    return zone_refusal(Reason.ENTRY_NOT_WITHIN_ZONE, zone, candidate, deviation_pct, limit_pct)
