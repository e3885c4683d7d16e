"""Rate limits shared by every process: the calls of each (target, route) listed in Redis, by its own time.

A call reserves the next free slot and sleeps until it: first come, first served, no polling. So many go at
once as any window may hold, and as many again in the next: a fixed and a sliding window are kept.

Bulk reads are spaced evenly as well, by GCRA clocks of their route and of the global ceiling (ITU-T I.371,
virtual scheduling, the arrival moved to its slot instead of being refused).
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

import redis
import structlog
from redis.backoff import NoBackoff
from redis.retry import Retry

from apps.engine.values.errors import TradingError
from apps.exchange.transport.rate import Rate, Route, bulk_rate, local_rate, window_limit
from apps.exchange.transport.rate_limit_scripts import BLOCKED, HOLD, PROMPT, QUEUE_FULL, RESERVE

log = structlog.get_logger("provider")

LONGEST_WAIT_S = 120.0
"""A longer queue is refused instead of joined: 600 bulk reads, more than our processes keep in flight."""
LONGEST_HOLD_S = 60.0
"""A 429 that asks for more is asked again after this."""
BLOCK_S = 300.0
"""After a 418 nothing is sent for this long. No length is published; one probe each 5 min is gentle."""
PROMPT_WANTED_S = 1200.0
"""So long after a prompt read bulk reads leave room for more: symbols are READY again each 15 minutes."""
REDIS_TIMEOUT_S = 1.0
LEAVE_REDIS_S = 5.0
"""A Redis that hangs would cost each call its time-outs: it is not asked for this long."""


class RateLimited(TradingError):
    """The route's limit leaves no room for a call soon enough, or is used up at the exchange."""

    retryable = True
    remedy = "the endpoint is left alone for a while; fewer processes or requests avoid it"


class Blocked(TradingError):
    """Our address is blocked for ignoring the limits. No length is published: every call stops."""

    retryable = True
    remedy = "all requests stop; find what ignored the limits, and wait"


@dataclass(frozen=True, slots=True)
class Slot:
    """A granted call: when it may start (Redis's clock, Unix microseconds) and how far that is from now."""

    at_us: int
    wait_s: float


class RateLimiter:
    """The turnstile of one target (`venue:host:port`) for all its routes. Safe to share between threads.

    `ceiling` bounds all bulk reads together, over their own limits. Without Redis each process goes on alone
    at a fifth of each limit, and says so once.
    """

    def __init__(
        self, redis_url: str, target: str, *, ceiling: Rate, sleep: Callable[[float], object] = time.sleep
    ) -> None:
        self._redis = redis.Redis.from_url(
            redis_url,
            socket_timeout=REDIS_TIMEOUT_S,
            socket_connect_timeout=REDIS_TIMEOUT_S,
            retry=Retry(NoBackoff(), 1),
        )
        self._reserve = self._redis.register_script(RESERVE)
        self._prompt = self._redis.register_script(PROMPT)
        self._hold = self._redis.register_script(HOLD)
        self._prefix = f"limit:{{{target}}}"  # braces: one slot of a Redis cluster
        self._ceiling = ceiling
        self._sleep = sleep
        self._local = LocalRateLimiter()
        self._alone = False
        self._redis_left_until = 0.0

    def wait_turn(self, route: Route, longest_wait_s: float = LONGEST_WAIT_S) -> float:
        """Sleep until `route` may be called; return the seconds waited. Raises what `reserve` raises."""
        waited_s = 0.0
        while True:
            slot = self.reserve(route, longest_wait_s)
            if slot.wait_s <= 0:
                return waited_s
            self._sleep(slot.wait_s)
            waited_s += slot.wait_s
            if time.monotonic() < self._redis_left_until:
                return waited_s
            try:
                held_meanwhile = self._redis.exists(self._key("block"), self._key(route.path, "hold"))
            except redis.RedisError as fault:
                self._go_alone(fault)
                return waited_s
            if not held_meanwhile:
                return waited_s

    def reserve(self, route: Route, longest_wait_s: float = LONGEST_WAIT_S) -> Slot:
        """Take the next free slot of `route`, which is then used up whether or not the call is made.

        RateLimited when it is further away than `longest_wait_s`: then none is taken. Blocked after `block`.
        """
        if time.monotonic() < self._redis_left_until:
            return self._local.reserve(route, longest_wait_s)
        try:
            slot_us, wait_us = self._reserve_shared(route, longest_wait_s)
        except redis.RedisError as fault:
            self._go_alone(fault)
            return self._local.reserve(route, longest_wait_s)
        if self._alone:
            self._alone = False
            log.info("limits_shared_again")
        if slot_us == BLOCKED:
            raise _blocked(route, wait_us / 1e6)
        if slot_us == QUEUE_FULL:
            raise _too_far(route, wait_us / 1e6)
        return Slot(slot_us, wait_us / 1e6)

    def hold(self, route: Route, seconds: float) -> None:
        """After a 429: nobody calls `route` for `seconds`, also those who already wait for their slot."""
        seconds = min(seconds, LONGEST_HOLD_S)
        self._local.hold(route, seconds)
        keys = [self._key("time"), self._key(route.path), self._key(route.path, "hold")]
        try:
            self._hold(keys=keys, args=[round(seconds * 1e6)])
        except redis.RedisError as fault:
            self._go_alone(fault)

    def block(self, seconds: float = BLOCK_S) -> None:
        """After a 418: nobody calls anything for `seconds`."""
        self._local.block(seconds)
        try:
            self._redis.set(self._key("block"), 1, px=round(seconds * 1000))
        except redis.RedisError as fault:
            self._go_alone(fault)

    def close(self) -> None:
        self._redis.close()

    def _reserve_shared(self, route: Route, longest_wait_s: float) -> tuple[int, int]:
        """Reserve in Redis; return slot and wait, µs. A prompt call leaves at once if it has room."""
        window, path = window_limit(route), route.path
        flags = [
            self._key("time"),
            self._key("block"),
            self._key(path, "calls"),
            self._key(path, "prompt"),
        ]
        answer: tuple[int, int]
        if route.prompt:
            answer = self._prompt(
                keys=[*flags, self._key(path, "hold")],
                args=[window.window_us, window.calls, round(PROMPT_WANTED_S * 1000)],
            )
            if answer[0] != QUEUE_FULL:
                return answer
        clocks, steps = [self._key(path)], [0, 0]
        if route.bulk:
            clocks.append(self._key("bulk"))
            even, ceiling = bulk_rate(route), self._ceiling
            steps = [even.step_us, even.tolerance_us, ceiling.step_us, ceiling.tolerance_us]
        answer = self._reserve(
            keys=[*flags, *clocks],
            args=[round(longest_wait_s * 1e6), window.window_us, window.calls, window.beside_prompt, *steps],
        )
        return answer

    def _key(self, *parts: str) -> str:
        return ":".join((self._prefix, *parts))

    def _go_alone(self, fault: redis.RedisError) -> None:
        if isinstance(fault, redis.TimeoutError):
            self._redis_left_until = time.monotonic() + LEAVE_REDIS_S
        if not self._alone:
            self._alone = True
            effect = "a fifth of each limit until Redis is back"
            log.error("limits_alone", error=type(fault).__name__, effect=effect)


class LocalRateLimiter:
    """The limiter of one process alone, for when the shared clock in Redis cannot be reached.

    A fifth of each route's limit, evenly spaced. Safe to share between threads.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._next: dict[str, float] = {}
        self._blocked_until = 0.0

    def reserve(self, route: Route, longest_wait_s: float = math.inf) -> Slot:
        """Take the next slot of `route`. RateLimited when it is further away; Blocked after `block`."""
        with self._lock:
            now = time.monotonic()
            if now < self._blocked_until:
                raise _blocked(route, self._blocked_until - now)
            slot = max(now, self._next.get(route.path, now))
            if slot - now > longest_wait_s:
                raise _too_far(route, slot - now)
            self._next[route.path] = slot + local_rate(route).step_us / 1_000_000
        return Slot(0, slot - now)

    def hold(self, route: Route, seconds: float) -> None:
        with self._lock:
            held = time.monotonic() + seconds
            self._next[route.path] = max(held, self._next.get(route.path, held))

    def block(self, seconds: float) -> None:
        self._blocked_until = time.monotonic() + seconds


def _too_far(route: Route, seconds: float) -> RateLimited:
    waiting = f"{seconds:.1f} s of calls already wait for their turn"
    return RateLimited(f"{route.path}: {waiting}; {RateLimited.remedy}")


def _blocked(route: Route, seconds: float) -> Blocked:
    rest = f"our address was blocked, nothing is sent for another {seconds:.0f} s"
    return Blocked(f"{route.path}: {rest}; {Blocked.remedy}")
