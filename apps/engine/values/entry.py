"""How an opening order is sent, and when it is taken back before its time: decided with its plan."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from apps.engine.values.order import TimeInForce
from apps.engine.values.position import Quote
from apps.engine.values.tick import plain

BPS = Decimal(10_000)


class OrderType(StrEnum):
    """MARKET: taken from the far side of the book, as a limit order at the worst price that may be paid."""

    LIMIT = "limit"
    MARKET = "market"


@dataclass(frozen=True, slots=True)
class Fallback:
    """At the end of a resting entry's time its rest may be taken from the book instead: once at most
    `ttl_threshold_s` of it are left and the spread is no wider than `max_spread_bps`."""

    ttl_threshold_s: int
    max_spread_bps: Decimal


@dataclass(frozen=True, slots=True)
class PriceRange:
    """From `low` to `high`, both inside."""

    low: Decimal
    high: Decimal

    def distance(self, price: Decimal) -> Decimal:
        """Return how far `price` is from the nearest edge, in price; 0 inside."""
        return max(self.low - price, price - self.high, Decimal(0))


@dataclass(frozen=True, slots=True)
class RestingZone(PriceRange):
    """Where a resting entry is worth it: `low` … `high`. `mark` was the mark price when it was planned; it
    may move `out_of_zone_bps` of itself farther away from the nearest edge than it was then."""

    mark: Decimal
    out_of_zone_bps: Decimal

    @property
    def farthest(self) -> Decimal:
        """Return the greatest distance of the mark at which the entry goes on resting, in price."""
        return self.distance(self.mark) + self.mark * self.out_of_zone_bps / BPS

    @property
    def marks(self) -> tuple[Decimal, Decimal]:
        """Return the lowest and the highest mark at which the entry goes on resting."""
        return self.low - self.farthest, self.high + self.farthest


@dataclass(frozen=True, slots=True)
class EntryRules:
    """What travels from a plan to its order.

    `zone` None: wherever the market goes, it rests until its time is over. `fallback` None: then it is over.
    """

    order_type: OrderType = OrderType.LIMIT
    time_in_force: TimeInForce = TimeInForce.GTC
    zone: RestingZone | None = None
    fallback: Fallback | None = None

    def why_out_of_zone(self, quote: Quote) -> str:
        """Return by which numbers the mark of `quote` went too far; "" where it did not."""
        zone = self.zone
        if zone is None or zone.distance(quote.mark) <= zone.farthest:
            return ""
        return (
            f"out of zone: the mark {plain(quote.mark)} is {plain(zone.distance(quote.mark))} beyond the "
            f"zone, {plain(zone.low)} to {plain(zone.high)}, and may be {plain(zone.farthest)}: it "
            f"was at {plain(zone.mark)} when planned, and may move {plain(zone.out_of_zone_bps)} bps away"
        )

    def why_fallback(self, quote: Quote, left_s: float) -> str:
        """Return by which numbers the rest may be taken from the book now; "" where it may not."""
        zone, fallback = self.zone, self.fallback
        if zone is None or fallback is None or not 0 < left_s <= fallback.ttl_threshold_s:
            return ""
        if zone.distance(quote.mark) > 0 or quote.spread_bps > fallback.max_spread_bps:
            return ""
        return (
            f"fallback at the end of the zone: {left_s:.0f} s left, the mark {plain(quote.mark)} is in the "
            f"zone {plain(zone.low)} to {plain(zone.high)}, the spread {quote.spread_bps:.2f} bps of at "
            f"most {plain(fallback.max_spread_bps)}"
        )


NO_ENTRY_RULES = EntryRules()
