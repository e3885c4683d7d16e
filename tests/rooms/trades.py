"""Values of a trade for the rooms' tests: one long on BTCUSDT at 100, stop 99, target 102."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from apps.engine.values.book import TrackedOrder, TrackedPosition
from apps.engine.values.order import Fill, OrderStatus, Role, client_order_id, decision_key
from apps.engine.values.plan import Bound, Limits, OrderPlan, Sizing, Tranche, Zone
from apps.engine.values.position import PositionStatus, Quote, Side
from apps.engine.values.timeframe import Timeframe

NOW = datetime(2026, 11, 2, 9, 0, 5, tzinfo=UTC)
ACCOUNT = "simulator:live"
D = Decimal


def at(seconds: float) -> datetime:
    """So many seconds after the plan."""
    return NOW + timedelta(seconds=seconds)


def plan(symbol: str = "BTCUSDT", *, n: int = 0, **changes: Any) -> OrderPlan:
    """The plan of the `n`-th decision on `symbol`: 1,000 contracts of 0.001 coins, 1.2 USDT at risk."""
    profile = changes.get("profile", "regular")
    side = changes.get("side", Side.LONG)
    opened = NOW.replace(second=0) - timedelta(minutes=15 * (n + 1))
    key = decision_key(profile, symbol, Timeframe.M15, opened, side)
    built = OrderPlan(
        decision_key=key,
        client_order_id=client_order_id(Role.ENTRY, key),
        profile=profile,
        digest="d" * 64,
        symbol=symbol,
        side=side,
        timeframe=Timeframe.M15,
        timeframes=(Timeframe.H1, Timeframe.M15),
        candle_open_at=opened,
        quote=Quote(symbol, D("99.9"), D("100.1"), D("100"), D("100"), NOW),
        zone=Zone(D("99.5"), D("100.5"), D("100"), "vwap", D("0.4"), at(240)),
        entry=D("100"),
        stop=D("99") if side is Side.LONG else D("101"),
        stop_source="atr",
        target=D("102") if side is Side.LONG else D("98"),
        target_source="r_multiple",
        sizing=Sizing(
            size=D("1000"),
            leverage=5,
            bound=Bound.RISK,
            equity=D("1000"),
            risk_budget=D("10"),
            risk=D("1.2"),
            notional=D("100"),
            margin=D("20"),
            liquidation_distance=D("19.1234567"),
        ),
        expected_r_net=D("1.8123"),
        limits=Limits(daily_loss=D("60"), max_concurrent_positions=4),
        review=False,
        created_at=NOW,
        send_before=at(10),
        expires_at=at(120),
    )
    return replace(built, **changes)


def in_three(symbol: str = "BTCUSDT") -> OrderPlan:
    """The same size in three tranches: 500, 300 and 200 contracts at 100, 99.8 and 99.6."""
    rows = (("100", "500", "0.65"), ("99.8", "300", "0.33"), ("99.6", "200", "0.22"))
    return plan(symbol, scaled=tuple(Tranche(D(price), D(size), D(risk)) for price, size, risk in rows))


def order(of: OrderPlan, status: OrderStatus = OrderStatus.SUBMITTED, **changes: Any) -> TrackedOrder:
    """The first attempt's order; a filled one at the plan's price."""
    tracked = replace(
        TrackedOrder.of(of), status=status, exchange_order_id=f"x-{of.symbol}-{of.client_order_id[-6:]}"
    )
    if status is OrderStatus.FILLED:
        tracked = replace(tracked, filled=of.size, average_price=of.entry)
    return replace(tracked, **changes)


def fill(of: OrderPlan, trade_id: str, *, opens: bool = True, **changes: Any) -> Fill:
    """A trade of the whole size: in at 100, out at 102, each for a fee of 0.06."""
    built = Fill(
        trade_id=trade_id,
        exchange_order_id=order(of).exchange_order_id if opens else f"close-{of.symbol}",
        symbol=of.symbol,
        side=of.side,
        opens=opens,
        price=of.entry if opens else of.target,
        size=of.size,
        fee=D("0.06"),
        realised=D(0) if opens else D(2),
        is_maker=opens,
        at=at(3 if opens else 600),
    )
    return replace(built, **changes)


def position(of: OrderPlan, status: PositionStatus = PositionStatus.NAKED, **changes: Any) -> TrackedPosition:
    tracked = TrackedPosition(
        symbol=of.symbol,
        side=of.side,
        decision_key=of.decision_key,
        status=status,
        size=of.size,
        entry_price=of.entry,
        stop=of.stop,
        target=of.target,
        opened_at=at(3),
        naked_since=at(3) if status is PositionStatus.NAKED else None,
        exits=of.exits,
    )
    return replace(tracked, **changes)
