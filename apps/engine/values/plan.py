"""What we intend: a decision's orders with their zone, protection, size and the numbers that led there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from apps.engine.values.entry import NO_ENTRY_RULES, EntryRules, PriceRange
from apps.engine.values.exit import NO_EXIT_RULES, ExitRules
from apps.engine.values.order import OrderRequest
from apps.engine.values.position import Quote, Side
from apps.engine.values.timeframe import Timeframe


@dataclass(frozen=True, slots=True)
class Zone(PriceRange):
    """Where an entry is worth it: `low` < `high` on ticks, around `anchor`, until `expires_at`.

    `anchor_name` is the column it came from (`vwap` or `sma21`); `atr` is the zone's own.
    """

    anchor: Decimal
    anchor_name: str
    atr: Decimal
    expires_at: datetime


class Bound(StrEnum):
    """What kept a size from being larger."""

    RISK = "risk"
    MAX_VOLUME = "max_volume"
    MARKET_MAX_VOLUME = "market_max_volume"
    BRACKET = "bracket"
    MARGIN = "margin"
    LIQUIDATION = "liquidation"


@dataclass(frozen=True, slots=True)
class Sizing:
    """`size` in contracts; money in settle currency.

    `risk` is the loss at the stop with fees and slippage, never above `risk_budget`. `liquidation_distance`
    is from the entry, in price. `notional` is at the entry price, `margin` = notional / leverage. Of several
    tranches all these are sums.
    """

    size: Decimal
    leverage: int
    bound: Bound
    equity: Decimal
    risk_budget: Decimal
    risk: Decimal
    notional: Decimal
    margin: Decimal
    liquidation_distance: Decimal

    def raised_to(self, other: Sizing) -> Sizing:
        """Return this one, reserving as much risk, notional and margin as `other` where that is more."""
        return replace(
            self,
            risk=max(self.risk, other.risk),
            notional=max(self.notional, other.notional),
            margin=max(self.margin, other.margin),
        )


@dataclass(frozen=True, slots=True)
class Tranche:
    """One of a decision's opening orders: `size` contracts at `price`; `risk` is their loss at the stop."""

    price: Decimal
    size: Decimal
    risk: Decimal


@dataclass(frozen=True, slots=True)
class Limits:
    """The profile's own limits over its own trades; `daily_loss` in settle currency, positive."""

    daily_loss: Decimal
    max_concurrent_positions: int


@dataclass(frozen=True, slots=True)
class OrderPlan:
    """Everything of one decision's opening, decided from one snapshot at `created_at`.

    `entry` is the price of the nearest tranche. `scaled`: the tranches, nearest first, where the profile's
    scaling makes several; empty for one order of the whole size at `entry`.

    `stop_source` is `atr` or the pivot level (`s1`), `target_source` `r_multiple` or the level; both trigger
    on the last price. `entry` is the worst price that may be paid: size, stop and risk are reckoned from it.
    `expected_r_net` = (reward - fees) / (risk + fees). Nothing of it may be signed after
    `send_before`: that is what makes "it never arrived" provable. The order is cancelled at `expires_at`.
    `timeframes`: all that were judged; a switch of any of them covers the plan.
    `review`: the profile wants a person to approve it.
    """

    decision_key: str
    client_order_id: str
    profile: str
    digest: str
    symbol: str
    side: Side
    timeframe: Timeframe
    timeframes: tuple[Timeframe, ...]
    candle_open_at: datetime
    quote: Quote
    zone: Zone
    entry: Decimal
    stop: Decimal
    stop_source: str
    target: Decimal
    target_source: str
    sizing: Sizing
    expected_r_net: Decimal
    limits: Limits
    review: bool
    created_at: datetime
    send_before: datetime
    expires_at: datetime
    exits: ExitRules = NO_EXIT_RULES
    entry_rules: EntryRules = NO_ENTRY_RULES
    scaled: tuple[Tranche, ...] = ()

    @property
    def size(self) -> Decimal:
        return self.sizing.size

    @property
    def tranches(self) -> tuple[Tranche, ...]:
        """Return what rests for the decision, nearest first: at least one."""
        return self.scaled or (Tranche(self.entry, self.size, self.sizing.risk),)

    @property
    def average_entry(self) -> Decimal:
        """Return the price of all tranches filled together."""
        return average_price(self.tranches)

    @property
    def leverage(self) -> int:
        return self.sizing.leverage

    def risk_of(self, size: Decimal) -> Decimal:
        """Return the loss at the stop of `size` contracts, nearest first: the market passes there first."""
        risk, left = Decimal(0), min(size, self.size)
        for tranche in self.tranches:
            filled = min(left, tranche.size)
            risk += tranche.risk * filled / tranche.size
            left -= filled
        return risk

    def request(self, client_order_id: str, tranche: int = 0) -> OrderRequest:
        """Return one attempt of a tranche: a limit order, stop and target attached."""
        part = self.tranches[tranche]
        return OrderRequest(
            symbol=self.symbol,
            side=self.side,
            opens=True,
            size=part.size,
            price=part.price,
            time_in_force=self.entry_rules.time_in_force,
            leverage=self.leverage,
            client_order_id=client_order_id,
            stop_price=self.stop,
            target_price=self.target,
        )


def average_price(tranches: Sequence[Tranche]) -> Decimal:
    """Return the price of all `tranches` filled together, exact where there is one."""
    if len(tranches) == 1:
        return tranches[0].price
    size = sum((tranche.size for tranche in tranches), Decimal(0))
    return sum((tranche.price * tranche.size for tranche in tranches), Decimal(0)) / size
