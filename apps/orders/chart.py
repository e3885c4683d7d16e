"""A plan over the candles it was made on, with its zone, entry, stop and target, as one plain SVG."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.template.loader import render_to_string
from django.utils.safestring import SafeString

from apps.engine.values.candle import Candle
from apps.engine.values.timeframe import Timeframe
from apps.orders.models import OrderPlan

CANDLES = 120
AFTER = 30
"""Of them, at most so many after the plan: what became of an old one is seen, and why it was made."""
BODY = 0.7
"""How much of its time a candle's body takes."""
LINE = 15.0
"""Pixels a line of text needs."""

WIDTH, HEIGHT = 960, 380
LEFT, RIGHT, TOP, BOTTOM = 12, 190, 10, 26
"""Margins: prices are written on the right, times below."""
PADDING = 0.04
"""Of the range of prices, above and below it."""
NARROWEST = 1e-3
"""Of the price: a narrower range is given as much room as this one."""
PRICES, TIMES = 6, 6
"""About so many round prices and times are written."""
ROUND_S = (60, 300, 900, 1800, 3600, 7200, 14_400, 28_800, 43_200, 86_400, 172_800, 345_600)


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


@dataclass(frozen=True, slots=True)
class Scale:
    """Inside [start, end) and [low, high] is inside the frame; `high` is above `low`."""

    start: datetime
    end: datetime
    low: float
    high: float

    def x(self, at: datetime) -> float:
        part = (at - self.start) / (self.end - self.start)
        return round(LEFT + part * (WIDTH - LEFT - RIGHT), 1)

    def y(self, price: float) -> float:
        part = (self.high - price) / (self.high - self.low)
        return round(TOP + part * (HEIGHT - TOP - BOTTOM), 1)

    def prices(self) -> list[tuple[float, str]]:
        """Return round prices: their y and their text."""
        about = (self.high - self.low) / PRICES
        power = 10.0 ** math.floor(math.log10(about))
        # 1, 2 or 5 times a power of ten, the nearest not below
        step = next(power * times for times in (1, 2, 5, 10) if power * times >= about * (1 - 1e-9))
        places = max(0, -math.floor(math.log10(step)))
        first = math.ceil(self.low / step)
        prices = (n * step for n in range(first, math.floor(self.high / step) + 1))
        return [(self.y(price), f"{price:.{places}f}") for price in prices]

    def times(self) -> list[tuple[float, str]]:
        """Return round times in UTC: their x and their text."""
        wanted_s = (self.end - self.start).total_seconds() / TIMES
        step_s = next((each for each in ROUND_S if each >= wanted_s), ROUND_S[-1])
        form = "%d %b" if step_s >= 86_400 else "%H:%M"
        first = math.ceil(self.start.timestamp() / step_s) * step_s
        times: list[tuple[float, str]] = []
        while first < self.end.timestamp():
            at = datetime.fromtimestamp(first, tz=self.start.tzinfo)
            times.append((self.x(at), f"{at:{form}}"))
            first += step_s
        return times


def span(plan: OrderPlan, now: datetime) -> tuple[Timeframe, datetime, datetime]:
    """Return the plan's timeframe and the [start, end) of its chart, to the end of the candle that forms."""
    timeframe = Timeframe(plan.timeframe)
    begun = timeframe.floor(plan.plan_time)
    end = min(begun + AFTER * timeframe.duration, max(begun, timeframe.floor(now)) + timeframe.duration)
    return timeframe, end - CANDLES * timeframe.duration, end


def plan_chart(plan: OrderPlan, candles: Sequence[Candle], now: datetime) -> SafeString:
    """Return the SVG; `candles` are those of `span`, as far as they are stored."""
    timeframe, start, end = span(plan, now)
    zone = [Decimal(plan.context_json["zone"][edge]) for edge in ("low", "high")]
    entries = [("entry", f"entry {each['part']}", Decimal(each["price"])) for each in plan.tranches]
    levels = [
        ("target", "target", plan.target_price),
        *(entries or [("entry", "entry", plan.entry_price)]),
        ("stop", "stop", plan.stop_price),
    ]
    prices = [
        *zone,
        *(price for _, _, price in levels),
        *(price for candle in candles for price in (candle.low, candle.high)),
    ]
    scale = make_scale(start, end, [float(price) for price in prices])
    lines = [scale.y(float(price)) for _, _, price in levels]
    texts = apart(lines, LINE)
    zone_y = [scale.y(float(edge)) for edge in zone]
    return SafeString(
        render_to_string(
            "admin/orders/chart.html",
            {
                "plan": plan,
                "timeframe": timeframe,
                "count": len(candles),
                "frame": {"WIDTH": WIDTH, "HEIGHT": HEIGHT, "LEFT": LEFT, "TOP": TOP},
                "inner": WIDTH - LEFT - RIGHT,
                "right": WIDTH - RIGHT,
                "floor": HEIGHT - BOTTOM,
                "prices": scale.prices(),
                "times": scale.times(),
                "candles": [_candle_shape(candle, scale) for candle in candles],
                "zone": {"y": zone_y[1], "height": round(zone_y[0] - zone_y[1], 1)},
                "levels": [
                    Level(name, f"{text} {price.normalize():f}", y, text_y)
                    for (name, text, price), y, text_y in zip(levels, lines, texts, strict=True)
                ],
                "planned_x": scale.x(plan.plan_time),
            },
        )
    )


def make_scale(start: datetime, end: datetime, prices: Sequence[float]) -> Scale:
    """Return the scale over all of `prices`, of which there is at least one, and a little more."""
    low, high = min(prices), max(prices)
    padding = max(high - low, high * NARROWEST) * PADDING
    return Scale(start, end, low - padding, high + padding)


def apart(wanted: Sequence[float], least: float) -> list[float]:
    """Return `wanted` moved down, and up at the lower edge, so that neighbours are at least `least` apart."""
    placed: dict[int, float] = {}
    last = TOP - least
    for n in sorted(range(len(wanted)), key=wanted.__getitem__):
        placed[n] = last = max(wanted[n], last + least)
    over = max(0.0, last - (HEIGHT - BOTTOM))
    return [placed[n] - over for n in range(len(wanted))]


def _candle_shape(candle: Candle, scale: Scale) -> Drawn:
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
