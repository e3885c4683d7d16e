"""The exchange's request limits: so many calls of an endpoint by one address, key or account in a window."""

from __future__ import annotations

from collections import defaultdict, deque
from dataclasses import dataclass

from apps.exchange.simulator.codes import Code

IP, KEY, UID = "IP", "KEY", "UID"
OTHERS = (12, 2, IP)
"""Public endpoints that are not named; unknown paths share one window."""

WINDOWS = {
    "/contract/public/open-interest": (2, 2, IP),
    "/system/time": (10, 1, IP),
    "/system/service": (10, 1, IP),
    "/contract/private/assets-detail": (12, 2, KEY),
    "/contract/private/trade-fee-rate": (2, 2, KEY),
    "/contract/private/order": (50, 2, KEY),
    "/contract/private/order-history": (6, 2, KEY),
    "/contract/private/get-open-orders": (50, 2, KEY),
    "/contract/private/current-plan-order": (50, 2, KEY),
    "/contract/private/position": (6, 2, KEY),
    "/contract/private/position-v2": (6, 2, KEY),
    "/contract/private/position-risk": (24, 2, KEY),
    "/contract/private/trades": (6, 2, KEY),
    "/contract/private/transaction-history": (6, 2, KEY),
    "/contract/private/get-position-mode": (2, 2, KEY),
    "/contract/private/submit-order": (24, 2, KEY),
    "/contract/private/modify-limit-order": (24, 2, UID),
    "/contract/private/cancel-order": (40, 2, KEY),
    "/contract/private/cancel-orders": (2, 2, KEY),
    "/contract/private/cancel-all-after": (4, 2, UID),
    "/contract/private/submit-leverage": (24, 2, KEY),
    "/contract/private/set-position-mode": (2, 2, KEY),
    "/contract/private/submit-plan-order": (24, 2, UID),
    "/contract/private/cancel-plan-order": (40, 2, UID),
    "/contract/private/modify-plan-order": (24, 2, UID),
    "/contract/private/submit-tp-sl-order": (24, 2, UID),
    "/contract/private/modify-tp-sl-order": (24, 2, UID),
    "/contract/private/modify-preset-plan-order": (24, 2, UID),
    "/contract/private/submit-trail-order": (24, 2, UID),
    "/contract/private/cancel-trail-order": (24, 2, UID),
    "/account/v1/transfer-contract": (1, 2, KEY),
    "/account/v1/transfer-contract-list": (1, 2, KEY),
}
"""Endpoint -> (calls, window in s, per what)."""

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
    mode: str = IP

    @property
    def headers(self) -> list[tuple[bytes, bytes]]:
        """Remaining means already used, and Reset the window's length: so the exchange does it."""
        return [
            (b"x-bm-ratelimit-remaining", str(self.used).encode()),
            (b"x-bm-ratelimit-limit", str(self.limit).encode()),
            (b"x-bm-ratelimit-reset", str(self.window_s).encode()),
            (b"x-bm-ratelimit-mode", self.mode.encode()),
        ]


class Limits:
    """Counts of all addresses. `now` is a monotonic time in seconds."""

    def __init__(self) -> None:
        self._calls: dict[tuple[str, str], deque[float]] = defaultdict(deque)
        self._refusals: dict[str, deque[float]] = defaultdict(deque)
        self._blocked_until: dict[str, float] = {}

    def admit(
        self, address: str, endpoint: str, now: float, *, key: str = "", enforced: bool = True
    ) -> Admission:
        """Count a call and decide on it. A refused call does not count against the window.

        `key` is the API key that was named; without one a call counts for its address.
        """
        limit, window_s, mode = WINDOWS.get(endpoint, OTHERS)
        who = {IP: address, KEY: key or address, UID: "the account" if key else address}[mode]
        calls = self._calls[who, endpoint]
        _drop_before(calls, now - window_s)
        refusal = None
        if enforced and self._blocked_until.get(address, now) > now:
            refusal = Code.BLOCKED
        elif enforced and len(calls) >= limit:
            refusal = Code.TOO_MANY
            refusals = self._refusals[address]
            _drop_before(refusals, now - REFUSALS_WINDOW_S)
            refusals.append(now)
            if len(refusals) >= REFUSALS_BEFORE_BLOCK:
                refusals.clear()
                self._blocked_until[address] = now + BLOCK_S
        if refusal is None:
            calls.append(now)
        return Admission(len(calls), limit, window_s, refusal, mode)


def _drop_before(times: deque[float], oldest: float) -> None:
    while times and times[0] <= oldest:
        times.popleft()
