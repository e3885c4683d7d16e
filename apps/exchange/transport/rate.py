"""How fast the calls of a route may follow each other: a burst, then one call each step."""

from __future__ import annotations

from dataclasses import dataclass

BULK_SHARE = 0.95
"""Bulk reads leave the last twentieth of their ceiling for what comes in between."""
SPARE = 1
"""Calls of a window that bulk and prompt reads together leave: the exchange's clock is not quite ours."""
LOCAL_SHARE = 0.2
"""What one process may use alone when the shared clock is gone: we run at most five that read."""


@dataclass(frozen=True, slots=True)
class Route:
    """One route of an exchange, and its limit as that counts it: at most `limit` calls in any `window_s`.

    `bulk`: read in long series, so its calls are evenly spaced and also count against the global ceiling.
    `prompt`: the bulk read of who decides now: it goes before its turn wherever the limit has room.
    """

    path: str
    limit: int
    window_s: int = 2
    bulk: bool = False
    prompt: bool = False


@dataclass(frozen=True, slots=True)
class Rate:
    """`burst` calls at once, then `per_s` a second."""

    burst: int
    per_s: float

    @property
    def step_us(self) -> int:
        return round(1_000_000 / self.per_s)

    @property
    def tolerance_us(self) -> int:
        """How far ahead of its step a call may come: what a burst is to a clock."""
        return (self.burst - 1) * self.step_us


def shared_rate(route: Route) -> Rate:
    """Return the rate of all processes together, so that burst + rate × window ≤ limit.

    Bulk reads are evenly spaced, others come ten at once where 12 are allowed.
    """
    burst = 1 if route.bulk else max(1, route.limit - 2)
    share = BULK_SHARE if route.bulk else 1.0
    return Rate(burst, share * (route.limit - burst) / route.window_s)


def local_rate(route: Route) -> Rate:
    """Return the rate of one process alone: evenly spaced, so that five stay within any window's limit."""
    share = route.limit * LOCAL_SHARE
    return Rate(1, (int(share) or share) / route.window_s)


@dataclass(frozen=True, slots=True)
class WindowLimit:
    """How many calls of a bulk route any window may hold, prompt ones included.

    Bulk reads keep to `beside_prompt` while prompt ones are wanted, so that these find the difference free.
    """

    calls: int
    beside_prompt: int
    window_us: int


def window_limit(route: Route) -> WindowLimit:
    """Return the limit of a bulk route's windows: where 12 are allowed 11, 6 for bulk beside prompt ones."""
    return WindowLimit(route.limit - SPARE, route.limit // 2, route.window_s * 1_000_000)
