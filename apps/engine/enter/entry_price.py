"""Where an entry is worth it, and how far the market is from there."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from apps.engine.enter.observation import Observation
from apps.engine.enter.tick import round_down, round_up
from apps.engine.events import ZoneCategory
from apps.engine.profile import Anchor, Entry
from apps.engine.values.contract import Contract
from apps.engine.values.plan import Zone
from apps.engine.values.position import Quote
from apps.engine.values.reason import Reason, Refusal
from apps.engine.values.side import Side

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
    snapshot: Observation, contract: Contract, entry: Entry, side: Side, now: datetime
) -> Zone | Refusal:
    """anchor ∓ clamp(k_atr × ATR, anchor × w_min, anchor × w_max), moved by bias × half against the trade."""
    rule = entry.zone
    found = _anchor(snapshot, entry)
    atr = snapshot.number(rule.atr_timeframe, "atr")
    if found is None or atr is None or atr <= 0:
        anchor = None if found is None else found[1]
        return Refusal(Reason.ENTRY_ZONE_UNAVAILABLE, {"anchor": anchor, "atr": atr})
    name, anchor = found
    half = min(max(rule.k_atr * atr, anchor * rule.w_min), anchor * rule.w_max)
    shift = rule.bias * half * (-1 if side == Side.LONG else 1)
    edges = anchor - half + shift, anchor + half + shift
    if edges[0] < contract.tick_size:
        return Refusal(Reason.ENTRY_ZONE_UNAVAILABLE, {"low": edges[0], "tick_size": contract.tick_size})
    return Zone(
        low=round_down(edges[0], contract.tick_size),
        high=round_up(edges[1], contract.tick_size),
        anchor=anchor,
        anchor_name=name,
        atr=atr,
        expires_at=now + timedelta(seconds=rule.ttl_s),
    )


def distance_refusal(zone: Zone, quote: Quote, entry: Entry) -> ZoneRefusal | None:
    """Refused when the mark is farther from the nearest edge than zone_max_deviation_pct of itself."""
    deviation_pct = zone.distance(quote.mark) / quote.mark * 100
    limit_pct = entry.zone_max_deviation_pct
    if deviation_pct <= limit_pct:
        return None
    return zone_refusal(Reason.ZONE_FAR_FROM_MARKET, zone, quote.mark, deviation_pct, limit_pct)


def zone_refusal(
    reason: Reason, zone: Zone, candidate: Decimal, deviation_pct: Decimal, limit_pct: Decimal
) -> ZoneRefusal:
    """The refusal of a `candidate` price, with its numbers."""
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


def _anchor(snapshot: Observation, entry: Entry) -> tuple[str, Decimal] | None:
    """The column and value of the profile's anchor, or of the other one when that is missing."""
    other = Anchor.SMA21 if entry.zone.anchor == Anchor.VWAP else Anchor.VWAP
    for name in (str(entry.zone.anchor), str(other)):
        value = snapshot.number(entry.zone.timeframe, name)
        if value is not None and value > 0:
            return name, value
    return None


def limit_price(zone: Zone, quote: Quote, entry: Entry, side: Side, tick: Decimal) -> Decimal | ZoneRefusal:
    """On a tick: a long bids below the ask, a short asks above the bid.

    Long: min(max(bid, min(bid + tick, ask - tick)), zone high, mark × (1 + max_deviation)), rounded down.
    """
    reach = entry.max_deviation_pct / 100
    lowest, highest = quote.mark * (1 - reach), quote.mark * (1 + reach)
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


def _outside(zone: Zone, candidate: Decimal, from_price: Decimal, limit_pct: Decimal) -> ZoneRefusal:
    deviation_pct = abs(candidate / from_price - 1) * 100
    return zone_refusal(Reason.ENTRY_NOT_WITHIN_ZONE, zone, candidate, deviation_pct, limit_pct)
