"""How many calls of a route any window may hold, and how evenly the bulk ones follow each other."""

from __future__ import annotations

from dataclasses import dataclass

BULK_SHARE = 0.95
"""Bulk reads leave the last twentieth of their ceiling for what comes in between."""
SPARE = 1
"""Calls of a window that are never made: the exchange's clock is not quite ours."""
BUNCHES_APART = 1.25
"""Calls that come in bunches are counted in a window so much longer than the exchange's: the first bunch may
be on its way for a quarter of a window longer than the next one."""
LOCAL_SHARE = 0.2
"""What one process may use alone when the shared clock is gone: we run at most five that read."""


@dataclass(frozen=True, slots=True)
class Route:
    """One route of an exchange, and its limit as that counts it: at most `limit` calls in any `window_s`.

    `bulk`: read in long series, so its calls are evenly spaced and also count against the global ceiling;
    all others go at once while the window has room.
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


def bulk_rate(route: Route) -> Rate:
    """Return the even spacing of a bulk route's calls, of all processes together."""
    return Rate(1, BULK_SHARE * (route.limit - 1) / route.window_s)


def local_rate(route: Route) -> Rate:
    """Return the rate of one process alone: evenly spaced, so that five stay within any window's limit."""
    share = route.limit * LOCAL_SHARE
    return Rate(1, (int(share) or share) / route.window_s)


@dataclass(frozen=True, slots=True)
class WindowLimit:
    """How many calls of a route any window may hold, of all processes together, prompt ones included.

    Bulk reads keep to `beside_prompt` while prompt ones are wanted, so that these find the difference free.
    """

    calls: int
    beside_prompt: int
    window_us: int


def window_limit(route: Route) -> WindowLimit:
    """Return the limit of a route's windows: where 12 are allowed in 2 s 11, at once if need be.

    Bulk: 6 beside prompt ones, and the exchange's own window, since they hardly ever come in bunches.
    """
    calls = max(1, route.limit - SPARE)
    if route.bulk:
        return WindowLimit(calls, route.limit // 2, route.window_s * 1_000_000)
    return WindowLimit(calls, calls, round(BUNCHES_APART * route.window_s * 1_000_000))
