"""Prices and times as pixels, and the round numbers beside them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

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
        """Round prices: their y and their text."""
        step = _round_step((self.high - self.low) / PRICES)
        places = max(0, -math.floor(math.log10(step)))
        first = math.ceil(self.low / step)
        found = (n * step for n in range(first, math.floor(self.high / step) + 1))
        return [(self.y(price), f"{price:.{places}f}") for price in found]

    def times(self) -> list[tuple[float, str]]:
        """Round times in UTC: their x and their text."""
        wanted_s = (self.end - self.start).total_seconds() / TIMES
        step_s = next((each for each in ROUND_S if each >= wanted_s), ROUND_S[-1])
        form = "%d %b" if step_s >= 86_400 else "%H:%M"
        first = math.ceil(self.start.timestamp() / step_s) * step_s
        found: list[tuple[float, str]] = []
        while first < self.end.timestamp():
            at = datetime.fromtimestamp(first, tz=self.start.tzinfo)
            found.append((self.x(at), f"{at:{form}}"))
            first += step_s
        return found


def scale(start: datetime, end: datetime, prices: Sequence[float]) -> Scale:
    """Over all of `prices`, of which there is at least one, and a little more."""
    low, high = min(prices), max(prices)
    padding = max(high - low, high * NARROWEST) * PADDING
    return Scale(start, end, low - padding, high + padding)


def apart(wanted: Sequence[float], least: float) -> list[float]:
    """`wanted` moved down, and up at the lower edge, so that neighbours are at least `least` apart."""
    placed: dict[int, float] = {}
    last = TOP - least
    for n in sorted(range(len(wanted)), key=wanted.__getitem__):
        placed[n] = last = max(wanted[n], last + least)
    over = max(0.0, last - (HEIGHT - BOTTOM))
    return [placed[n] - over for n in range(len(wanted))]


def _round_step(about: float) -> float:
    """1, 2 or 5 times a power of ten, the nearest not below `about`."""
    power: float = 10.0 ** math.floor(math.log10(about))
    return next(power * times for times in (1, 2, 5, 10) if power * times >= about * (1 - 1e-9))
