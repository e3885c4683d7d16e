"""When something may next happen to the account on a contract: the ticks before it need not be played."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

import numpy as np

from apps.exchange.simulator.account.account import Account
from apps.exchange.simulator.account.margin import liquidation_price
from apps.exchange.simulator.codes import LAST_PRICE, LONG, RISES
from apps.exchange.simulator.market.archive import MINUTE_S
from apps.exchange.simulator.market.listing import Listing
from apps.exchange.simulator.market.market import Market
from apps.exchange.simulator.market.path import TICKS, moment_at
from apps.exchange.simulator.tape.code import HIGH, LOW

AHEAD_MINUTES = 240
"""So far a search looks at once: the next one goes on from there."""

NEVER_LOW, NEVER_HIGH = -1, 2**62


@dataclass(slots=True)
class Bounds:
    """Prices in ticks at or beyond which something may happen, of the last price and of the mark."""

    last_low: int = NEVER_LOW
    last_high: int = NEVER_HIGH
    mark_low: int = NEVER_LOW
    mark_high: int = NEVER_HIGH

    def falls(self, ticks: int, *, last: bool) -> None:
        """Something happens when that price falls to `ticks`."""
        if last:
            self.last_low = max(self.last_low, ticks)
        else:
            self.mark_low = max(self.mark_low, ticks)

    def rises(self, ticks: int, *, last: bool) -> None:
        if last:
            self.last_high = min(self.last_high, ticks)
        else:
            self.mark_high = min(self.mark_high, ticks)


@dataclass(frozen=True, slots=True)
class NextEvent:
    """A tick by its number: something `may_happen` there, or the search got so far and found nothing."""

    number: int
    may_happen: bool


def next_event(market: Market, account: Account, symbol: str, first: int) -> NextEvent:
    """The first tick from `first` on at which the contract's rows may change."""
    beyond = bounds(account, symbol)
    minute, tick = divmod(first, TICKS)
    candles = market.archive.matrix(symbol, MINUTE_S, minute * MINUTE_S, AHEAD_MINUTES)
    # A mark never leaves the range of its minute's candle.
    low, high = max(beyond.last_low, beyond.mark_low), min(beyond.last_high, beyond.mark_high)
    event = NextEvent((minute + AHEAD_MINUTES) * TICKS, may_happen=False)
    for after in np.flatnonzero((candles[LOW] <= low) | (candles[HIGH] >= high)).tolist():
        run, start = market.minute_path(symbol, minute + after), 0 if after else tick
        by_last = run.last.first_beyond(beyond.last_low, beyond.last_high, start)
        by_mark = run.mark.first_beyond(beyond.mark_low, beyond.mark_high, start)
        if by_last is not None or by_mark is not None:
            reached = min(each for each in (by_last, by_mark) if each is not None)
            event = NextEvent((minute + after) * TICKS + reached, may_happen=True)
            break
    cancel_at_ms = account.contract(symbol).cancel_at_ms
    if cancel_at_ms:
        before = moment_at(cancel_at_ms / 1000)
        at_or_after = before.number if before.at_ms >= cancel_at_ms else before.number + 1
        cancels = max(first, at_or_after)
        return NextEvent(cancels, may_happen=True) if cancels <= event.number else event
    return event


def bounds(account: Account, symbol: str) -> Bounds:
    """As the account's orders, plans and positions lie now."""
    listing, limits = account.listing(symbol), Bounds()
    for order in account.live_orders(symbol):
        if order.buys:
            limits.falls(_ticks(listing, order.price) - 1, last=True)
        else:
            limits.rises(_ticks(listing, order.price) + 1, last=True)
    for plan in account.live_plans(symbol):
        last = plan.price_type == LAST_PRICE
        if plan.kind == "trailing":  # it follows every tick
            limits.rises(0, last=last)
        elif plan.price_way == RISES:
            limits.rises(_ticks(listing, plan.trigger_price), last=last)
        else:
            limits.falls(_ticks(listing, plan.trigger_price), last=last)
    for held in account.open_positions(symbol):
        price = liquidation_price(listing, held)
        if held.position_type == LONG:
            limits.falls(_ticks(listing, price, ROUND_CEILING) + 1, last=False)
        else:
            limits.rises(_ticks(listing, price, ROUND_FLOOR) - 1, last=False)
    return limits


def _ticks(listing: Listing, price: Decimal, rounding: str = ROUND_FLOOR) -> int:
    return int(price.scaleb(listing.price_decimals).to_integral_value(rounding))
