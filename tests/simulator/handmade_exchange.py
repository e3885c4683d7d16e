"""An account on a market made by hand: prices are what the test says, in a book as deep as it says."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

from apps.exchange.simulator.account.account import Account
from apps.exchange.simulator.account.rows import ZERO, Order, Position, Wallet
from apps.exchange.simulator.codes import ONE_WAY, TRANSFER
from apps.exchange.simulator.market.listing import Listing
from apps.exchange.simulator.matching import orders, triggers
from apps.exchange.simulator.matching.matching import Level, Matching, Rules, Tick
from apps.exchange.simulator.matching.new_order import NewOrder

START = Decimal(1000)
LISTING = Listing(
    symbol="XUSDT",
    base="X",
    price_decimals=1,
    volume_decimals=3,
    max_leverage=50,
    max_volume=10_000,
    market_max_volume=5_000,
    listed_at_ms=0,
    brackets=(
        {"initial_leverage": 50, "notional_cap": "1000", "maint_margin_ratio": "0.005", "cum": "0"},
        {"initial_leverage": 20, "notional_cap": "100000", "maint_margin_ratio": "0.01", "cum": "5"},
    ),
)


class HandmadeExchange:
    """Second by second; the spread is one tick (0.1) above the last price, 100 contracts a level."""

    def __init__(self, last: object = 1000, **rules: Any) -> None:
        self.account = Account(lambda symbol: LISTING, Wallet(ZERO))
        self.account.book_line(TRANSFER, START, "", 0)
        self.matching = Matching(self.account, Rules(**rules), orders.arm_presets)
        self.at_s = 0
        self.volume = 1_000_000
        self.depth = 100
        self.reach: tuple[Decimal, Decimal] | None = None
        self.last = self.mark = Decimal(str(last))

    @property
    def tick(self) -> Tick:
        low, high = (self.last, self.last) if self.reach is None else self.reach
        return Tick(
            symbol="XUSDT",
            minute=self.at_s // 60,
            at_ms=self.at_s * 1000,
            last=self.last,
            mark=self.mark,
            volume=self.volume,
            low=low,
            high=high,
            levels=self._levels,
        )

    def place(self, side: int, size: int, price: object = None, **more: Any) -> Order:
        """Submit and let it into the market; the order as it is then."""
        limit = None if price is None else Decimal(str(price))
        order = orders.place_order(self.account, NewOrder("XUSDT", side, size, limit, **more), self.tick)
        self.matching.approve(order, self.tick)
        return self.order(order)

    def order(self, order: Order) -> Order:
        return self.account.orders[order.key]

    def move(self, *prices: object, mark: object = None) -> None:
        """One second for each price; the mark follows unless it is given."""
        for price in prices:
            self.at_s += 1
            self.last = Decimal(str(price))
            self.mark = self.last if mark is None else Decimal(str(mark))
            triggers.play_tick(self.matching, self.tick)

    def one_way(self) -> None:
        self.account.put(replace(self.account.wallet, position_mode=ONE_WAY))

    def held(self, position_type: int) -> Position:
        return self.account.position("XUSDT", position_type)

    @property
    def actions(self) -> list[int]:
        return [event.action for event in self.matching.events]

    def _levels(self, buys: bool) -> list[Level]:
        best, step = (self.last + LISTING.tick, LISTING.tick) if buys else (self.last, -LISTING.tick)
        return [(best + step * away, self.depth) for away in range(5)]
