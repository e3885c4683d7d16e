from __future__ import annotations

import contextlib
import itertools
import socket
import subprocess
import sys
import threading
import time
import uuid
from dataclasses import replace

import pytest
import redis

from apps.exchange.bitmart import routes
from apps.exchange.bitmart.routes import (
    CANCEL_ORDER,
    DEPTH,
    KLINE,
    KLINE_NOW,
    PRIVATE_PATHS,
    SERVER_TIME,
    SUBMIT_ORDER,
)
from apps.exchange.transport import rate_limiter
from apps.exchange.transport.rate import Rate, Route, bulk_rate, local_rate
from apps.exchange.transport.rate_limiter import (
    LONGEST_WAIT_S,
    PROMPT_WANTED_S,
    Blocked,
    LocalRateLimiter,
    RateLimited,
    RateLimiter,
)
from tests.bitmart.conftest import WIDE

RESERVER = """
import sys, time
from apps.exchange.transport.rate_limiter import RateLimiter
from apps.exchange.transport.rate import Rate
from apps.exchange.bitmart import routes
url, target, route, count = sys.argv[1:]
limiter = RateLimiter(url, target, ceiling=Rate(1000, 1000.0))
print("ready", flush=True)
sys.stdin.readline()
for _ in range(int(count)):
    slot = limiter.reserve(getattr(routes, route))
    print(slot.at_us, slot.wait_s, flush=True)
    time.sleep(slot.wait_s)
"""
PROCESSES = 3
ROUTES = [route for route in vars(routes).values() if isinstance(route, Route)]
PUBLIC = [route for route in ROUTES if not route.path.startswith(PRIVATE_PATHS)]
NOBODY = "redis://127.0.0.1:1/0"


def most_in_any_window(slots_us: list[int], window_s: int) -> int:
    """The most slots that any half-open sliding window holds: one of them begins at a slot."""
    slots = sorted(slots_us)
    return max(sum(start <= slot < start + window_s * 1_000_000 for slot in slots) for start in slots)


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.path)
def test_bunch_after_bunch_stays_within_the_documented_limit(limiter: RateLimiter, route: Route) -> None:
    slots = [limiter.reserve(route).at_us for _ in range(3 * route.limit)]
    assert most_in_any_window(slots, route.window_s) <= max(1, route.limit - 1)


@pytest.mark.parametrize("route", [r for r in ROUTES if not r.bulk], ids=lambda route: route.path)
def test_a_bunch_that_is_late_does_not_meet_the_next_one(limiter: RateLimiter, route: Route) -> None:
    slots = [limiter.reserve(route).at_us for _ in range(2 * route.limit)]
    at_once = sum(slot < slots[0] + route.window_s * 1_000_000 for slot in slots)
    late_us = round(0.24 * route.window_s * 1_000_000)
    arrived = [slot + late_us for slot in slots[:at_once]] + slots[at_once:]
    assert most_in_any_window(arrived, route.window_s) <= route.limit


@pytest.mark.parametrize("route", [SUBMIT_ORDER, CANCEL_ORDER, DEPTH], ids=lambda route: route.path)
def test_what_comes_in_bunches_goes_on_at_nearly_the_documented_rate(
    limiter: RateLimiter, route: Route
) -> None:
    slots = [limiter.reserve(route).at_us for _ in range(100)]
    documented_s = 100 * route.window_s / route.limit
    assert (slots[-1] - slots[0]) / 1e6 < 1.4 * documented_s


def test_bulk_reads_are_evenly_spaced_at_95_percent_of_what_even_spacing_allows() -> None:
    allowed = bulk_rate(KLINE)
    assert allowed.burst == 1
    assert allowed.per_s == pytest.approx(0.95 * (12 - 1) / 2)


@pytest.mark.parametrize("route", PUBLIC, ids=lambda route: route.path)
def test_five_processes_that_are_alone_stay_within_the_documented_limit(route: Route) -> None:
    step_s = local_rate(route).step_us / 1e6
    windows = 10  # long enough for the slowest route to be called at all
    calls_each = int(windows * route.window_s / step_s)
    assert 5 * calls_each <= windows * route.limit


@pytest.mark.parametrize(("name", "count"), [("KLINE", 5), ("SERVER_TIME", 4)])
def test_several_processes_together_never_exceed_a_limit_in_any_window(
    redis_url: str, name: str, count: int
) -> None:
    route: Route = getattr(routes, name)
    arguments = [sys.executable, "-c", RESERVER, redis_url, uuid.uuid4().hex, name, str(count)]
    lines = [line.split() for line in _together(arguments, processes=PROCESSES)]
    slots_us, waits_s = [int(slot) for slot, _ in lines], [float(wait) for _, wait in lines]
    assert len(set(slots_us)) == PROCESSES * count or route is SERVER_TIME  # a burst shares its first moment
    assert most_in_any_window(slots_us, route.window_s) <= route.limit
    longest_queue_s = PROCESSES * bulk_rate(route).step_us / 1e6 if route.bulk else 2 * route.window_s
    assert max(waits_s) <= longest_queue_s  # each has one call waiting: nobody is overtaken twice


def test_calls_are_let_through_in_the_order_in_which_they_asked(limiter: RateLimiter) -> None:
    slots = [limiter.reserve(KLINE).at_us for _ in range(10)]
    step_us = bulk_rate(KLINE).step_us
    assert [later - earlier for earlier, later in itertools.pairwise(slots)] == [step_us] * 9


def test_a_bulk_read_also_waits_for_the_global_ceiling(redis_url: str) -> None:
    slow = RateLimiter(redis_url, uuid.uuid4().hex, ceiling=Rate(2, 1.0))
    other = replace(KLINE, path="/another/bulk/read")
    slots = [slow.reserve(route).at_us for route in (KLINE, other, KLINE)]
    assert slots[2] - slots[0] == pytest.approx(1_000_000, abs=500_000)  # the time the reserving itself takes
    assert slow.reserve(SERVER_TIME).wait_s == 0
    slow.close()


def test_the_default_ceiling_never_slows_klines_down() -> None:
    assert Rate(5, 1.0 / 0.1).per_s >= bulk_rate(KLINE).per_s


def test_a_hold_delays_the_next_call_of_every_process(redis_url: str) -> None:
    target = uuid.uuid4().hex
    first, other = RateLimiter(redis_url, target, ceiling=WIDE), RateLimiter(redis_url, target, ceiling=WIDE)
    first.hold(SERVER_TIME, 3.0)
    assert other.reserve(SERVER_TIME).wait_s == pytest.approx(3.0, abs=0.5)
    assert other.reserve(KLINE).wait_s == 0
    first.close()
    other.close()


def test_a_hold_delays_also_those_who_already_wait_for_their_slot(redis_url: str) -> None:
    target = uuid.uuid4().hex
    asleep, go_on = threading.Event(), threading.Event()
    sleeps: list[float] = []

    def sleep(seconds: float) -> None:
        sleeps.append(seconds)
        asleep.set()
        if len(sleeps) == 1:
            assert go_on.wait(10)
        else:
            time.sleep(seconds)

    waiting = RateLimiter(redis_url, target, ceiling=WIDE, sleep=sleep)
    waiting.reserve(KLINE)
    thread = threading.Thread(target=waiting.wait_turn, args=(KLINE,))
    thread.start()
    assert asleep.wait(10)
    waiting.hold(KLINE, 0.5)
    go_on.set()
    thread.join(10)
    assert len(sleeps) == 2
    assert sleeps[1] > 0.1
    waiting.close()


def test_a_block_stops_every_route_of_every_process_at_once(redis_url: str) -> None:
    target = uuid.uuid4().hex
    first, other = RateLimiter(redis_url, target, ceiling=WIDE), RateLimiter(redis_url, target, ceiling=WIDE)
    first.block(60)
    for route in PUBLIC:
        with pytest.raises(Blocked, match=r"another (59|60) s"):
            other.wait_turn(route)
    first.close()
    other.close()


def test_a_queue_that_is_too_long_is_refused_and_grows_no_longer(limiter: RateLimiter) -> None:
    fits = int(LONGEST_WAIT_S / (bulk_rate(KLINE).step_us / 1e6)) + 1
    with pytest.raises(RateLimited, match="already wait"):
        _reserve(limiter, fits + 20)  # the queue moves on while it is filled
    assert limiter.reserve(SERVER_TIME).wait_s == 0


def test_without_redis_one_process_goes_on_at_a_fifth_of_the_limit() -> None:
    alone = RateLimiter(NOBODY, "x", ceiling=WIDE)
    waits = [alone.reserve(KLINE).wait_s for _ in range(3)]
    assert waits == pytest.approx([0.0, 1.0, 2.0], abs=0.5)  # 12 in 2 s → 2 in 2 s; the rest is time passing
    alone.hold(KLINE, 30.0)
    assert alone.reserve(KLINE).wait_s > 29
    alone.block(60)
    with pytest.raises(Blocked):
        alone.reserve(SERVER_TIME)


def test_losing_redis_is_said_once_and_so_is_its_return(
    redis_url: str, monkeypatch: pytest.MonkeyPatch, limiter: RateLimiter
) -> None:
    said: list[str] = []
    monkeypatch.setattr("apps.exchange.transport.rate_limiter.log", _Log(said))
    pool = limiter._redis.connection_pool
    reachable = pool.connection_kwargs["port"]
    for port, calls in ((1, 3), (reachable, 2)):
        pool.connection_kwargs["port"] = port
        pool.disconnect()
        pool.reset()
        for _ in range(calls):
            limiter.reserve(SERVER_TIME)
    assert said == ["limits_alone", "limits_shared_again"]


def test_the_clocks_leave_nothing_behind_in_redis(redis_url: str) -> None:
    target = uuid.uuid4().hex
    limiter = RateLimiter(redis_url, target, ceiling=WIDE)
    for route in (KLINE, KLINE_NOW):
        limiter.reserve(route)
    limiter.hold(KLINE, 1.0)
    with redis.Redis.from_url(redis_url, decode_responses=True) as server:
        lives_ms = {key: server.pttl(key) for key in server.scan_iter(f"*{target}*")}
    assert len(lives_ms) == 6
    [time_ms] = [lives_ms.pop(key) for key in list(lives_ms) if key.endswith(":time")]
    assert LONGEST_WAIT_S * 1000 < time_ms <= 600_000
    wanted = [lives_ms.pop(key) for key in list(lives_ms) if key.endswith(":prompt")]
    assert [0 < life_ms <= PROMPT_WANTED_S * 1000 for life_ms in wanted] == [True]
    assert all(0 < life_ms < 10_000 for life_ms in lives_ms.values())
    limiter.close()


def test_a_process_that_is_alone_lets_threads_pass_one_by_one() -> None:
    local = LocalRateLimiter()
    waits: list[float] = []
    threads = [threading.Thread(target=lambda: waits.append(local.reserve(KLINE).wait_s)) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(waits) == pytest.approx([0.0, 1.0, 2.0, 3.0, 4.0], abs=0.5)  # less than a slot


def test_a_slot_that_is_refused_is_not_taken(limiter: RateLimiter) -> None:
    for turnstile in (limiter, RateLimiter(NOBODY, "x", ceiling=WIDE)):
        turnstile.hold(KLINE, 1.0)
        for _ in range(20):
            with pytest.raises(RateLimited, match="already wait"):
                turnstile.reserve(KLINE, 0.1)
        assert turnstile.reserve(KLINE).wait_s < 1.1


def test_a_redis_that_hangs_costs_one_call_its_time_out_and_the_next_ones_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(rate_limiter, "REDIS_TIMEOUT_S", 3.0)
    with socket.create_server(("127.0.0.1", 0)) as hanging:  # accepts, and never says a word
        limiter = RateLimiter(f"redis://127.0.0.1:{hanging.getsockname()[1]}/0", "x", ceiling=WIDE)
        took: list[float] = []
        for route in (SERVER_TIME, KLINE, routes.DEPTH):
            started = time.monotonic()
            limiter.wait_turn(route, 5.0)
            took.append(time.monotonic() - started)
        limiter.close()
    assert took[0] >= 3
    assert max(took[1:]) < 2


def _reserve(limiter: RateLimiter, times: int) -> None:
    for _ in range(times):
        limiter.reserve(KLINE)


def _together(arguments: list[str], *, processes: int) -> list[str]:
    """Start the processes, let them go at the same moment, and give what all of them print."""
    with contextlib.ExitStack() as stack:
        running = [
            stack.enter_context(
                subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
            )
            for _ in range(processes)
        ]
        assert [process.stdout.readline() for process in running if process.stdout] == ["ready\n"] * processes
        for process in running:
            assert process.stdin
            process.stdin.write("go\n")
            process.stdin.flush()
        printed = [line for process in running for line in process.communicate(timeout=30)[0].splitlines()]
        assert [process.returncode for process in running] == [0] * processes
    return printed


class _Log:
    def __init__(self, said: list[str]) -> None:
        self._said = said

    def error(self, event: str, **fields: object) -> None:
        self._said.append(event)

    info = error
