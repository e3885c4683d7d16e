"""Outcomes made by hand: trades with round figures, and an account that follows them."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import cache
from typing import Any

from apps.backtest.outcome import EquityPoint, Exit, Outcome, Trade, UnfilledOrder
from apps.engine.values.plan import OrderPlan
from apps.engine.values.position import Side
from tests.engine.trade_builder import planned

D = Decimal
START = datetime(2026, 3, 1, tzinfo=UTC)
RISK = D(5)


def day(days: float) -> datetime:
    """So many days after the start."""
    return START + timedelta(days=days)


@cache
def _planned(side: Side) -> OrderPlan:
    return planned(side)


def plan(symbol: str = "BTCUSDT", side: Side = Side.LONG, **changes: Any) -> OrderPlan:
    """10 contracts at 50,000, worth 500 and risking 5 in settle currency."""
    base = _planned(side)
    sizing = replace(base.sizing, size=D(10), risk=RISK, notional=D(500), margin=D(100), leverage=5)
    return replace(base, symbol=symbol, entry=D(50_000), sizing=sizing, **changes)


def trade(net: str | int = 5, at: float = 0.5, *, hours: float = 1, **changes: Any) -> Trade:
    """A trade that brings `net` (5 is 1 R) without costs, opened `at` days after the start."""
    order_plan = plan(changes.pop("symbol", "BTCUSDT"), changes.pop("side", Side.LONG), created_at=day(at))
    values: dict[str, Any] = {
        "plan": order_plan,
        "opened_at": day(at),
        "closed_at": day(at) + timedelta(hours=hours),
        "size": order_plan.size,
        "entry_price": order_plan.entry,
        "exit_price": order_plan.target if D(net) > 0 else order_plan.stop,
        "exit": Exit.TARGET if D(net) > 0 else Exit.STOP,
        "gross": D(net),
        "fees": D(0),
        "funding": D(0),
        "best": order_plan.target,
        "worst": order_plan.stop,
    }
    return Trade(**(values | changes))


def equity_points(*equities: str | int, every: float = 1) -> tuple[EquityPoint, ...]:
    """An account seen every `every` days, the first time at the start."""
    return tuple(EquityPoint(day(number * every), D(each), D(each)) for number, each in enumerate(equities))


def unfilled(symbol: str = "BTCUSDT", at: float = 0.5, status: str = "EXPIRED") -> UnfilledOrder:
    return UnfilledOrder(plan(symbol, created_at=day(at)), day(at) + timedelta(minutes=1), status)


def outcome(*trades: Trade, days: float = 4, **changes: Any) -> Outcome:
    """Of 1,000 in settle currency over `days`; the account follows the trades as they close."""
    values: dict[str, Any] = {
        "profile": "scalper_micro",
        "digest": "d" * 64,
        "symbols": ("BTCUSDT", "ETHUSDT"),
        "start": START,
        "end": day(days),
        "equity": D(1000),
        "trades": trades,
        "unfilled": (),
        "equity_points": _followed(trades, day(days)),
        "refusals": {},
        "verdicts": {},
        "candles": int(days * 1440) * 2,
    }
    return Outcome(**(values | changes))


def _followed(trades: tuple[Trade, ...], end: datetime) -> tuple[EquityPoint, ...]:
    points, equity = [EquityPoint(START, D(1000), D(1000))], D(1000)
    for each in sorted(trades, key=lambda one: one.closed_at):
        equity += each.net
        points.append(EquityPoint(each.closed_at, equity, equity))
    return (*points, EquityPoint(end, equity, equity))
