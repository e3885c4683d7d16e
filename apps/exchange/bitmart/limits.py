"""Rate limits shared by every process: one GCRA clock in Redis per (target, route), by Redis's own time.

A call reserves the next free slot and sleeps until it: first come, first served, no polling. A clock with
burst b and rate r lets at most b + r × w calls through in any window w; with that at or below the documented
limit, a fixed and a sliding window are kept. (GCRA: ITU-T I.371, virtual scheduling, the arrival moved to its
slot instead of being refused.)

Bulk reads keep their calls listed beside the clock: by it prompt reads of the same path find room at once.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import redis
import structlog
from redis.backoff import NoBackoff
from redis.retry import Retry

from apps.exchange.bitmart.errors import Blocked, RateLimited
from apps.exchange.bitmart.limit_scripts import BLOCKED, HOLD, PROMPT, QUEUE_FULL, RESERVE
from apps.exchange.bitmart.local_limits import LocalLimits
from apps.exchange.bitmart.pace import Pace, pace, room
from apps.exchange.bitmart.routes import Route

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


@dataclass(frozen=True, slots=True)
class Slot:
    """A granted call: when it may start (Redis's clock, Unix microseconds) and how far that is from now."""

    at_us: int
    wait_s: float


class Limits:
    """The turnstile of one target (`host:port`) for all its routes. Safe to share between threads.

    `ceiling` bounds all bulk reads together, over their own limits. Without Redis each process goes on alone
    at a fifth of each limit, and says so once.
    """

    def __init__(
        self, redis_url: str, target: str, *, ceiling: Pace, sleep: Callable[[float], object] = time.sleep
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
        self._prefix = f"limit:{{bitmart:{target}}}"  # braces: one slot of a Redis cluster
        self._ceiling = ceiling
        self._sleep = sleep
        self._local = LocalLimits()
        self._alone = False
        self._redis_left_until = 0.0

    def wait_turn(self, route: Route, longest_wait_s: float = LONGEST_WAIT_S) -> float:
        """Sleep until `route` may be called; seconds waited. RateLimited or Blocked when that is not soon."""
        waited = 0.0
        while True:
            slot = self.reserve(route, longest_wait_s)
            if slot.wait_s <= 0:
                return waited
            self._sleep(slot.wait_s)
            waited += slot.wait_s
            if not self._held_meanwhile(route):
                return waited

    def reserve(self, route: Route, longest_wait_s: float = LONGEST_WAIT_S) -> Slot:
        """Take the next free slot of `route`, which is then used up whether or not the call is made.

        RateLimited when it is further away than `longest_wait_s`: then none is taken.
        """
        if time.monotonic() < self._redis_left_until:
            return self._reserve_alone(route, longest_wait_s)
        try:
            granted = self._at_once(route) if route.prompt else None
            slot_us, wait_us = granted or self._in_turn(route, longest_wait_s)
        except redis.RedisError as fault:
            self._go_alone(fault)
            return self._reserve_alone(route, longest_wait_s)
        self._together()
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
            self._hold(keys=keys, args=[round(seconds * 1e6), pace(route).tolerance_us])
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

    def _at_once(self, route: Route) -> tuple[int, int] | None:
        """A prompt call's slot, now; None when its window has no room and it must take its turn."""
        kept = room(route)
        keys = [*self._flags(route), self._key(route.path, "hold")]
        answer: tuple[int, int] = self._prompt(
            keys=keys, args=[kept.window_us, kept.calls, round(PROMPT_WANTED_S * 1000)]
        )
        return None if answer[0] == QUEUE_FULL else answer

    def _in_turn(self, route: Route, longest_wait_s: float) -> tuple[int, int]:
        kept = room(route)
        paces = [pace(route), self._ceiling] if route.bulk else [pace(route)]
        rooms = (kept.calls, kept.beside_prompt) if route.bulk else (0, 0)
        steps = [number for each in paces for number in (each.step_us, each.tolerance_us)]
        answer: tuple[int, int] = self._reserve(
            keys=[*self._flags(route), *self._clocks(route)],
            args=[round(longest_wait_s * 1e6), kept.window_us, *rooms, *steps],
        )
        return answer

    def _flags(self, route: Route) -> list[str]:
        own = route.path
        return [self._key("time"), self._key("block"), self._key(own, "calls"), self._key(own, "prompt")]

    def _clocks(self, route: Route) -> list[str]:
        own = self._key(route.path)
        return [own, self._key("bulk")] if route.bulk else [own]

    def _key(self, *parts: str) -> str:
        return ":".join((self._prefix, *parts))

    def _held_meanwhile(self, route: Route) -> bool:
        if time.monotonic() < self._redis_left_until:
            return False
        try:
            return bool(self._redis.exists(self._key("block"), self._key(route.path, "hold")))
        except redis.RedisError as fault:
            self._go_alone(fault)
            return False

    def _reserve_alone(self, route: Route, longest_wait_s: float) -> Slot:
        if blocked_s := self._local.blocked_s():
            raise _blocked(route, blocked_s)
        wait_s = self._local.reserve(route, longest_wait_s)
        if wait_s > longest_wait_s:
            raise _too_far(route, wait_s)
        return Slot(0, wait_s)

    def _go_alone(self, fault: redis.RedisError) -> None:
        if isinstance(fault, redis.TimeoutError):
            self._redis_left_until = time.monotonic() + LEAVE_REDIS_S
        if not self._alone:
            self._alone = True
            effect = "a fifth of each limit until Redis is back"
            log.error("limits_alone", error=type(fault).__name__, effect=effect)

    def _together(self) -> None:
        if self._alone:
            self._alone = False
            log.info("limits_shared_again")


def _too_far(route: Route, seconds: float) -> RateLimited:
    return RateLimited(route.path, f"{seconds:.1f} s of calls already wait for their turn")


def _blocked(route: Route, seconds: float) -> Blocked:
    return Blocked(route.path, f"our address was blocked, nothing is sent for another {seconds:.0f} s")
