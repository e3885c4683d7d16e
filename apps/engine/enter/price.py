"""The price of a limit entry: at the top of the book, inside the zone, near the mark, never crossing."""

from __future__ import annotations

from decimal import Decimal

from apps.engine.enter.ticks import down, up
from apps.engine.enter.zone import ZoneRefusal, outside
from apps.engine.profile import Entry
from apps.engine.values.plan import Zone
from apps.engine.values.position import Quote
from apps.engine.values.reason import Reason
from apps.engine.values.side import Side


def limit_price(zone: Zone, quote: Quote, entry: Entry, side: Side, tick: Decimal) -> Decimal | ZoneRefusal:
    """On a tick: a long bids below the ask, a short asks above the bid.

    Long: min(max(bid, min(bid + tick, ask - tick)), zone high, mark × (1 + max_deviation)), rounded down.
    """
    reach = entry.max_deviation_pct / 100
    lowest, highest = quote.mark * (1 - reach), quote.mark * (1 + reach)
    if side == Side.LONG:
        best = max(quote.bid, min(quote.bid + tick, quote.ask - tick))
        price = down(min(best, zone.high, highest), tick)
        if quote.ask < zone.low:
            return _outside(zone, quote.ask, zone.low, entry.zone_max_deviation_pct)
        if price < zone.low:
            return _outside(zone, price, zone.low, entry.zone_max_deviation_pct)
        return price if price >= lowest else _outside(zone, price, quote.mark, entry.max_deviation_pct)
    best = min(quote.ask, max(quote.ask - tick, quote.bid + tick))
    price = up(max(best, zone.low, lowest), tick)
    if quote.bid > zone.high:
        return _outside(zone, quote.bid, zone.high, entry.zone_max_deviation_pct)
    if price > zone.high:
        return _outside(zone, price, zone.high, entry.zone_max_deviation_pct)
    return price if price <= highest else _outside(zone, price, quote.mark, entry.max_deviation_pct)


def _outside(zone: Zone, candidate: Decimal, from_price: Decimal, limit_pct: Decimal) -> ZoneRefusal:
    deviation_pct = abs(candidate / from_price - 1) * 100
    return outside(Reason.ENTRY_NOT_WITHIN_ZONE, zone, candidate, deviation_pct, limit_pct)
