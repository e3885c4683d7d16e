"""What a pessimist makes of a recorded minute: its candle does not say what came first, nor what a stop got.

Off unless the rules say so; then every doubt goes against the account.
"""

from __future__ import annotations

from dataclasses import replace
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

from apps.exchange.simulator.listing import Listing
from apps.exchange.simulator.matching import Matching
from apps.exchange.simulator.rows import Plan
from apps.exchange.simulator.tick import Level, Tick
from apps.exchange.simulator.words import LAST_PRICE, RISES

STOP, TARGET = "stop_loss", "take_profit"


def is_reached(plan: Plan, price: Decimal) -> bool:
    return price >= plan.trigger_price if plan.price_way == RISES else price <= plan.trigger_price


def stop_comes_first(matching: Matching, plan: Plan, tick: Tick) -> bool:
    """A target of the same position is reached now, and the minute's candle reaches this stop as well."""
    if not matching.rules.stop_first or plan.kind != STOP or plan.price_type != LAST_PRICE:
        return False
    within = is_reached(plan, tick.high if plan.price_way == RISES else tick.low)
    return within and any(
        other.kind == TARGET and other.closes == plan.closes and is_reached(other, tick.last)
        for other in matching.account.live_plans(plan.symbol)
    )


def slipped(matching: Matching, plan: Plan, tick: Tick) -> Tick:
    """A stop's tick: where it came first its book stands at the trigger; it is worse by the slippage."""
    rules, bps = matching.rules, matching.rules.stop_slippage_bps
    came_first = rules.stop_first and plan.price_type == LAST_PRICE and not is_reached(plan, tick.last)
    if plan.kind != STOP or not (came_first or bps):
        return tick
    moved = plan.trigger_price - tick.last if came_first else Decimal(0)
    listing = matching.account.listing(plan.symbol)

    def levels(buys: bool) -> list[Level]:
        share = 1 + bps / 10_000 if buys else 1 - bps / 10_000
        return [
            (_on_tick(listing, (price + moved) * share, up=buys), size) for price, size in tick.levels(buys)
        ]

    return replace(tick, levels=levels)


def _on_tick(listing: Listing, price: Decimal, *, up: bool) -> Decimal:
    whole = (price / listing.tick).to_integral_value(ROUND_CEILING if up else ROUND_FLOOR)
    return max(Decimal(1), whole) * listing.tick
