"""The limiter of one process alone, for when the shared clock in Redis cannot be reached."""

from __future__ import annotations

import math
import threading
import time

from apps.exchange.bitmart.pace import local_pace
from apps.exchange.bitmart.routes import Route


class LocalLimits:
    """A fifth of each route's limit, evenly spaced. Safe to share between threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._next: dict[str, float] = {}
        self._blocked_until = 0.0

    def reserve(self, route: Route, longest_wait_s: float = math.inf) -> float:
        """Take the next slot of `route` if it is at most so far away; seconds until it."""
        with self._lock:
            now = time.monotonic()
            slot = max(now, self._next.get(route.path, now))
            if slot - now <= longest_wait_s:
                self._next[route.path] = slot + local_pace(route).step_us / 1_000_000
            return slot - now

    def hold(self, route: Route, seconds: float) -> None:
        with self._lock:
            held = time.monotonic() + seconds
            self._next[route.path] = max(held, self._next.get(route.path, held))

    def block(self, seconds: float) -> None:
        self._blocked_until = time.monotonic() + seconds

    def blocked_s(self) -> float:
        """Seconds until anything may be sent again; 0 when nothing blocks."""
        return max(0.0, self._blocked_until - time.monotonic())
