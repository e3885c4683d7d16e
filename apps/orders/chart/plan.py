"""The candles around a plan, with its zone, entry, stop and target."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.template.loader import render_to_string
from django.utils.safestring import SafeString

from apps.engine.values.candle import Candle
from apps.engine.values.timeframe import Timeframe
from apps.orders.chart import scale as scales
from apps.orders.chart.scale import Scale, apart
from apps.orders.models import OrderPlan

CANDLES = 120
AFTER = 30
"""Of them, at most so many after the plan: what became of an old one is seen, and why it was made."""
BODY = 0.7
"""How much of its time a candle's body takes."""
LINE = 15.0
"""Pixels a line of text needs."""


@dataclass(frozen=True, slots=True)
class Drawn:
    """A candle in pixels; `x` is its middle."""

    x: float
    top: float
    bottom: float
    left: float
    width: float
    body: float
    height: float
    name: str


@dataclass(frozen=True, slots=True)
class Level:
    """A price of the plan: where its line is, and where its text is."""

    name: str
    text: str
    y: float
    text_y: float


def span(plan: OrderPlan, now: datetime) -> tuple[Timeframe, datetime, datetime]:
    """The plan's timeframe and the [start, end) of its chart, up to the end of the candle that forms."""
    timeframe = Timeframe(plan.timeframe)
    begun = timeframe.floor(plan.plan_time)
    end = min(begun + AFTER * timeframe.duration, max(begun, timeframe.floor(now)) + timeframe.duration)
    return timeframe, end - CANDLES * timeframe.duration, end


def plan_chart(plan: OrderPlan, candles: Sequence[Candle], now: datetime) -> SafeString:
    """`candles` are those of `span`, as far as they are stored."""
    timeframe, start, end = span(plan, now)
    zone = [Decimal(plan.context_json["zone"][edge]) for edge in ("low", "high")]
    levels = {"target": plan.target_price, "entry": plan.entry_price, "stop": plan.stop_price}
    prices = [*zone, *levels.values(), *(p for one in candles for p in (one.low, one.high))]
    scale = scales.scale(start, end, [float(price) for price in prices])
    zone_y = [scale.y(float(edge)) for edge in zone]
    return SafeString(
        render_to_string(
            "admin/orders/chart.html",
            {
                "plan": plan,
                "timeframe": timeframe,
                "count": len(candles),
                "frame": scales,
                "inner": scales.WIDTH - scales.LEFT - scales.RIGHT,
                "right": scales.WIDTH - scales.RIGHT,
                "floor": scales.HEIGHT - scales.BOTTOM,
                "prices": scale.prices(),
                "times": scale.times(),
                "candles": [_drawn(candle, scale) for candle in candles],
                "zone": {"y": zone_y[1], "height": round(zone_y[0] - zone_y[1], 1)},
                "levels": _levels(levels, scale),
                "planned_x": scale.x(plan.plan_time),
            },
        )
    )


def _drawn(candle: Candle, scale: Scale) -> Drawn:
    x = scale.x(candle.open_time + candle.timeframe.duration / 2)
    width = BODY * (scale.x(candle.close_time) - scale.x(candle.open_time))
    first, last = scale.y(float(candle.open)), scale.y(float(candle.close))
    return Drawn(
        x=x,
        top=scale.y(float(candle.high)),
        bottom=scale.y(float(candle.low)),
        left=round(x - width / 2, 1),
        width=round(width, 1),
        body=min(first, last),
        height=max(1.0, round(abs(first - last), 1)),
        name="up" if candle.close >= candle.open else "down",
    )


def _levels(prices: dict[str, Decimal], scale: Scale) -> list[Level]:
    lines = [scale.y(float(price)) for price in prices.values()]
    return [
        Level(name, f"{name} {price.normalize():f}", y, text_y)
        for (name, price), y, text_y in zip(prices.items(), lines, apart(lines, LINE), strict=True)
    ]
