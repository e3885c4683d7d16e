"""Candles for who decides now beside bulk reads of the same route: prompt, and within the one limit."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from apps.exchange.bitmart.routes import KLINE, KLINE_NOW, POSITIONS
from apps.exchange.transport.rate import bulk_rate, local_rate, window_limit
from apps.exchange.transport.rate_limit_scripts import HOLD, PROMPT, RESERVE, TIME
from apps.exchange.transport.rate_limiter import Blocked, RateLimited, RateLimiter
from tests.bitmart.conftest import WIDE
from tests.bitmart.test_rate_limiter import NOBODY, most_in_any_window

MIXED = """
import random, sys, time
from apps.exchange.transport.rate_limiter import RateLimiter
from apps.exchange.transport.rate import Rate
from apps.exchange.bitmart.routes import KLINE, KLINE_NOW
url, target, seed = sys.argv[1:]
limiter, chance = RateLimiter(url, target, ceiling=Rate(1000, 1000.0)), random.Random(seed)
print("ready", flush=True)
sys.stdin.readline()
for _ in range(12):
    print(limiter.reserve(chance.choice((KLINE, KLINE_NOW))).at_us, flush=True)
    time.sleep(chance.random() * 0.3)
"""
START_US = 1_790_000_000_000_000
READY = 5
"""Symbols that confirm their candle in the same moment."""


def test_bulk_reads_alone_never_meet_the_room_they_share() -> None:
    step_us = bulk_rate(KLINE).step_us
    assert window_limit(KLINE).calls * step_us >= window_limit(KLINE).window_us


def test_prompt_reads_go_at_once_while_bulk_reads_rest(limiter: RateLimiter) -> None:
    assert [limiter.reserve(KLINE_NOW).wait_s for _ in range(READY)] == [0.0] * READY


def test_prompt_reads_that_find_no_room_take_their_turn_among_the_bulk_reads(limiter: RateLimiter) -> None:
    waits = [limiter.reserve(KLINE_NOW).wait_s for _ in range(window_limit(KLINE).calls + 2)]
    assert waits[:-2] == [0.0] * window_limit(KLINE).calls
    assert waits[-2] == pytest.approx(2.0, abs=0.5)  # when the first of them is a window old
    assert waits[-1] > waits[-2]


def test_a_hold_of_the_route_holds_prompt_reads_too(limiter: RateLimiter) -> None:
    limiter.hold(KLINE, 1.0)
    assert limiter.reserve(KLINE_NOW).wait_s == pytest.approx(1.0, abs=0.5)
    with pytest.raises(RateLimited, match="already wait"):
        limiter.reserve(KLINE_NOW, 0.1)


def test_a_block_stops_prompt_reads(limiter: RateLimiter) -> None:
    limiter.block(60)
    with pytest.raises(Blocked):
        limiter.reserve(KLINE_NOW)


def test_without_redis_prompt_and_bulk_reads_share_a_fifth_of_the_limit() -> None:
    alone = RateLimiter(NOBODY, "x", ceiling=WIDE)
    step_s = local_rate(KLINE).step_us / 1e6
    waits = [alone.reserve(route).wait_s for route in (KLINE, KLINE_NOW, KLINE)]
    assert waits == pytest.approx([0.0, step_s, 2 * step_s], abs=0.5)


@dataclass
class Clock:
    """Redis's time, set by the test."""

    now_us: int = START_US


@pytest.fixture
def timed(redis_url: str) -> Callable[[], tuple[RateLimiter, Clock]]:
    """A turnstile whose time stands still until it is moved on."""
    limiters: list[RateLimiter] = []

    def build() -> tuple[RateLimiter, Clock]:
        limiter, clock = RateLimiter(redis_url, uuid.uuid4().hex, ceiling=WIDE), Clock()
        limiters.append(limiter)
        for name, script in (("_reserve", RESERVE), ("_prompt", PROMPT), ("_hold", HOLD)):
            assert script.count(TIME) == 1
            registered = limiter._redis.register_script(
                script.replace(TIME, "local now = tonumber(ARGV[#ARGV])\n")
            )
            setattr(limiter, name, partial(_at, clock, registered))
        return limiter, clock

    return build


def _at(clock: Clock, script: Callable[..., object], *, keys: list[str], args: list[object]) -> object:
    return script(keys=keys, args=[*args, clock.now_us])


def test_five_prompt_reads_find_room_beside_bulk_reads_that_never_rest(
    timed: Callable[[], tuple[RateLimiter, Clock]],
) -> None:
    limiter, clock = timed()
    limiter.reserve(KLINE_NOW)
    bulk: list[int] = []
    for _ in range(30):
        slot = limiter.reserve(KLINE)
        bulk.append(slot.at_us)
        clock.now_us = slot.at_us
        if len(bulk) % 10 == 0:
            assert [limiter.reserve(KLINE_NOW).wait_s for _ in range(READY)] == [0.0] * READY
    spent_s = (bulk[-1] - bulk[0]) / 1e6
    assert len(bulk) / spent_s > 0.4 * bulk_rate(KLINE).per_s  # what the reads of the past keep meanwhile


def test_a_clock_of_redis_that_is_set_back_holds_nobody_up(
    timed: Callable[[], tuple[RateLimiter, Clock]],
) -> None:
    limiter, clock = timed()
    routes = (KLINE, KLINE_NOW, POSITIONS)
    for route in routes:
        limiter.reserve(route)
    clock.now_us -= 3_600_000_000
    assert [limiter.reserve(route).wait_s for route in routes] == [bulk_rate(KLINE).step_us / 1e6, 0.0, 0.0]
    clock.now_us += 200_000
    assert [limiter.reserve(route).wait_s for route in (KLINE_NOW, POSITIONS)] == [0.0, 0.0]


arrivals = st.lists(
    st.tuples(
        st.one_of(st.integers(0, 500_000), st.integers(1_900_000, 2_100_000)),
        st.sampled_from(("bulk", "prompt", "positions", "hold", "forgotten", "set back")),
        st.integers(1, 12),
    ),
    min_size=2,
    max_size=12,
)
"""How long after the last one (µs), what, and how many at once."""


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(arrivals=arrivals)
def test_whoever_arrives_whenever_no_window_holds_more_calls_than_documented(
    timed: Callable[[], tuple[RateLimiter, Clock]], arrivals: list[tuple[int, str, int]]
) -> None:
    limiter, clock = timed()
    slots: dict[str, list[int]] = {KLINE.path: [], POSITIONS.path: []}
    for gap_us, what, count in arrivals:
        clock.now_us += gap_us
        if what == "hold":
            limiter.hold(KLINE, 0.5)
            limiter.hold(POSITIONS, 0.5)
        elif what == "forgotten":  # prompt reads were last wanted long ago
            limiter._redis.delete(limiter._key(KLINE.path, "prompt"))
        elif what == "set back":
            clock.now_us -= count * 1_000_000
        else:
            route = {"bulk": KLINE, "prompt": KLINE_NOW, "positions": POSITIONS}[what]
            slots[route.path] += [limiter.reserve(route).at_us for _ in range(count)]
    limiter.close()
    for route in (KLINE, POSITIONS):
        if slots[route.path]:
            most = most_in_any_window(slots[route.path], route.window_s)
            assert most <= window_limit(route).calls < route.limit


def test_several_processes_mixing_both_never_exceed_the_limit_in_any_window(redis_url: str) -> None:
    target = uuid.uuid4().hex
    with contextlib.ExitStack() as stack:
        running = [
            stack.enter_context(
                subprocess.Popen(
                    [sys.executable, "-c", MIXED, redis_url, target, str(seed)],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    text=True,
                )
            )
            for seed in range(3)
        ]
        assert [process.stdout.readline() for process in running if process.stdout] == ["ready\n"] * 3
        for process in running:
            assert process.stdin
            process.stdin.write("go\n")
            process.stdin.flush()
        printed = [
            int(line) for process in running for line in process.communicate(timeout=30)[0].splitlines()
        ]
    assert len(printed) == 3 * 12
    assert most_in_any_window(printed, KLINE.window_s) <= KLINE.limit
