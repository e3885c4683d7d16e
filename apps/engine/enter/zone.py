"""Where an entry is worth it, and how far the market is from there."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from apps.engine.enter.snapshot import Snapshot
from apps.engine.enter.ticks import down, up
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
    snapshot: Snapshot, contract: Contract, entry: Entry, side: Side, now: datetime
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
        low=down(edges[0], contract.tick_size),
        high=up(edges[1], contract.tick_size),
        anchor=anchor,
        anchor_name=name,
        atr=atr,
        expires_at=now + timedelta(seconds=rule.ttl_s),
    )


def far(zone: Zone, quote: Quote, entry: Entry) -> ZoneRefusal | None:
    """Refused when the mark is farther from the nearest edge than zone_max_deviation_pct of itself."""
    deviation_pct = zone.distance(quote.mark) / quote.mark * 100
    limit_pct = entry.zone_max_deviation_pct
    if deviation_pct <= limit_pct:
        return None
    return outside(Reason.ZONE_FAR_FROM_MARKET, zone, quote.mark, deviation_pct, limit_pct)


def outside(
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


def _anchor(snapshot: Snapshot, entry: Entry) -> tuple[str, Decimal] | None:
    """The column and value of the profile's anchor, or of the other one when that is missing."""
    other = Anchor.SMA21 if entry.zone.anchor == Anchor.VWAP else Anchor.VWAP
    for name in (str(entry.zone.anchor), str(other)):
        value = snapshot.number(entry.zone.timeframe, name)
        if value is not None and value > 0:
            return name, value
    return None
