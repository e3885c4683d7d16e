"""The exchange's request limits: so many calls of one endpoint from one address within a sliding window."""

from __future__ import annotations

from collections import defaultdict, deque
from dataclasses import dataclass

from apps.exchange.simulator.server.errors import Code

PER_TWO_SECONDS = 12
WINDOWS = {
    "/contract/public/open-interest": (2, 2),
    "/system/time": (10, 1),
    "/system/service": (10, 1),
}
"""Endpoint -> (calls, window in s); every other endpoint allows 12 in 2 s. Unknown paths share one window."""

REFUSALS_BEFORE_BLOCK = 20
REFUSALS_WINDOW_S = 10
BLOCK_S = 60


@dataclass(frozen=True, slots=True)
class Admission:
    """The answer to one call: `refusal` is None when it may pass. `used` counts this call."""

    used: int
    limit: int
    window_s: int
    refusal: Code | None

    @property
    def headers(self) -> list[tuple[bytes, bytes]]:
        """Remaining means already used, and Reset the window's length: so the exchange does it."""
        return [
            (b"x-bm-ratelimit-remaining", str(self.used).encode()),
            (b"x-bm-ratelimit-limit", str(self.limit).encode()),
            (b"x-bm-ratelimit-reset", str(self.window_s).encode()),
            (b"x-bm-ratelimit-mode", b"IP"),
        ]


class Limits:
    """Counts of all addresses. `now` is a monotonic time in seconds."""

    def __init__(self) -> None:
        self._calls: dict[tuple[str, str], deque[float]] = defaultdict(deque)
        self._refusals: dict[str, deque[float]] = defaultdict(deque)
        self._blocked_until: dict[str, float] = {}

    def admit(self, address: str, endpoint: str, now: float, *, enforced: bool = True) -> Admission:
        """Count a call and decide on it. A refused call does not count against the window."""
        limit, window_s = WINDOWS.get(endpoint, (PER_TWO_SECONDS, 2))
        calls = self._calls[address, endpoint]
        _drop_before(calls, now - window_s)
        refusal = self._refusal(address, len(calls) >= limit, now) if enforced else None
        if refusal is None:
            calls.append(now)
        return Admission(len(calls), limit, window_s, refusal)

    def _refusal(self, address: str, full: bool, now: float) -> Code | None:
        if self._blocked_until.get(address, now) > now:
            return Code.BLOCKED
        if not full:
            return None
        refusals = self._refusals[address]
        _drop_before(refusals, now - REFUSALS_WINDOW_S)
        refusals.append(now)
        if len(refusals) >= REFUSALS_BEFORE_BLOCK:
            refusals.clear()
            self._blocked_until[address] = now + BLOCK_S
        return Code.TOO_MANY


def _drop_before(times: deque[float], oldest: float) -> None:
    while times and times[0] <= oldest:
        times.popleft()
