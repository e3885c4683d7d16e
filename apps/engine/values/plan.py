"""What we intend: one order with its zone, protection, size and the numbers that led there."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from apps.engine.values.order import OrderRequest, TimeInForce
from apps.engine.values.position import Quote, Side
from apps.engine.values.timeframe import Timeframe


@dataclass(frozen=True, slots=True)
class Zone:
    """Where an entry is worth it: `low` < `high` on ticks, around `anchor`, until `expires_at`.

    `anchor_name` is the column it came from (`vwap` or `sma21`); `atr` is the zone's own.
    """

    low: Decimal
    high: Decimal
    anchor: Decimal
    anchor_name: str
    atr: Decimal
    expires_at: datetime

    def distance(self, price: Decimal) -> Decimal:
        """Return how far `price` is from the nearest edge, in price; 0 inside."""
        return max(self.low - price, price - self.high, Decimal(0))


class Bound(StrEnum):
    """What kept a size from being larger."""

    RISK = "risk"
    MAX_VOLUME = "max_volume"
    MARKET_MAX_VOLUME = "market_max_volume"
    MARGIN = "margin"
    LIQUIDATION = "liquidation"


@dataclass(frozen=True, slots=True)
class Sizing:
    """`size` in contracts; money in settle currency.

    `risk` is the loss at the stop with fees and slippage, never above `risk_budget`. `liquidation_distance`
    is from the entry, in price. `notional` is at the entry price, `margin` = notional / leverage.
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


@dataclass(frozen=True, slots=True)
class Limits:
    """The profile's own limits over its own trades; `daily_loss` in settle currency, positive."""

    daily_loss: Decimal
    max_concurrent_positions: int


@dataclass(frozen=True, slots=True)
class OrderPlan:
    """Everything of one opening order, decided from one snapshot at `created_at`.

    `stop_source` is `atr` or the pivot level (`s1`), `target_source` `r_multiple` or the level; both trigger
    on the last price. `expected_r_net` = (reward - fees) / (risk + fees). Nothing of it may be signed after
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

    @property
    def size(self) -> Decimal:
        return self.sizing.size

    @property
    def leverage(self) -> int:
        return self.sizing.leverage

    def request(self, client_order_id: str) -> OrderRequest:
        """Return the order of one attempt: limit, good till cancelled, stop and target attached."""
        return OrderRequest(
            symbol=self.symbol,
            side=self.side,
            opens=True,
            size=self.size,
            price=self.entry,
            time_in_force=TimeInForce.GTC,
            leverage=self.leverage,
            client_order_id=client_order_id,
            stop_price=self.stop,
            target_price=self.target,
        )
