"""How fast a clock lets calls through: a burst, then one call each step."""

from __future__ import annotations

from dataclasses import dataclass

from apps.exchange.bitmart.routes import Route

BULK_SHARE = 0.95
"""Bulk reads leave the last twentieth of their ceiling for what comes in between."""
SPARE = 1
"""Calls of a window that bulk and prompt reads together leave: the exchange's clock is not quite ours."""
LOCAL_SHARE = 0.2
"""What one process may use alone when the shared clock is gone: we run at most five that read."""


@dataclass(frozen=True, slots=True)
class Pace:
    """`burst` calls at once, then `rate` a second."""

    burst: int
    rate: float

    @property
    def step_us(self) -> int:
        return round(1_000_000 / self.rate)

    @property
    def tolerance_us(self) -> int:
        """How far ahead of its step a call may come: what a burst is to a clock."""
        return (self.burst - 1) * self.step_us


def pace(route: Route) -> Pace:
    """burst + rate × window ≤ limit: bulk reads evenly spaced, others ten at once where 12 are allowed."""
    burst = 1 if route.bulk else max(1, route.limit - 2)
    share = BULK_SHARE if route.bulk else 1.0
    return Pace(burst, share * (route.limit - burst) / route.window_s)


@dataclass(frozen=True, slots=True)
class Room:
    """How many calls of a bulk route any window may hold, prompt ones included.

    Bulk reads keep to `beside_prompt` while prompt ones are wanted, so that these find the difference free.
    """

    calls: int
    beside_prompt: int
    window_us: int


def room(route: Route) -> Room:
    """Where 12 are allowed: 11, and 6 for bulk reads beside prompt ones."""
    return Room(route.limit - SPARE, route.limit // 2, route.window_s * 1_000_000)


def local_pace(route: Route) -> Pace:
    """Evenly spaced, so that five processes together stay within the limit of any window."""
    share = route.limit * LOCAL_SHARE
    return Pace(1, (int(share) or share) / route.window_s)
