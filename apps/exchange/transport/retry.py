"""A read that waits its turn and is repeated while that can help."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import structlog

from apps.engine.values.errors import TradingError
from apps.exchange.transport.rate import Route
from apps.exchange.transport.rate_limiter import LONGEST_WAIT_S, Blocked, RateLimited, RateLimiter

log = structlog.get_logger("provider")

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a read waits for its turn and its answer, and before each further attempt (before jitter)."""

    turn_s: float = LONGEST_WAIT_S
    connect_s: float = 3.0
    read_s: float = 10.0
    limited_s: tuple[float, ...] = (2, 4, 8, 16, 32)
    unavailable_s: tuple[float, ...] = (0.5, 1, 2, 4)


def read_patiently(
    read: Callable[[], T],
    route: Route,
    limiter: RateLimiter,
    patience: Patience,
    *,
    sleep: Callable[[float], object] = time.sleep,
) -> T:
    """Return what `read` returns; raise its last fault when the attempts are used up or could not help.

    After RateLimited the route is held for every process; after Blocked nothing is sent by any. Another fault
    is followed by a pause when it is `retryable`. Raises what waiting for a turn raises.
    """
    limited_pauses, other_pauses = iter(patience.limited_s), iter(patience.unavailable_s)
    while True:
        limiter.wait_turn(route, patience.turn_s)
        try:
            return read()
        except Blocked as fault:
            limiter.block()
            log.critical("blocked_by_exchange", endpoint=route.path, remedy=fault.remedy)
            raise
        except TradingError as fault:
            limited = isinstance(fault, RateLimited)
            longest_s = next(limited_pauses if limited else other_pauses, None)
            if not fault.retryable or longest_s is None:
                raise
            pause_s = longest_s * random.uniform(0.5, 1.0)  # noqa: S311 - spreads retries, guards nothing
            if limited:
                limiter.hold(route, pause_s)  # the next turn comes after it, for every process
            else:
                sleep(pause_s)
