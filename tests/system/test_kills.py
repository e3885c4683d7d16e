"""kill -9 at odd moments: everything comes back, nothing is judged twice, nothing stays missing."""

from __future__ import annotations

import os
import random
import signal
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest

from launch import ports
from tests.system.demo import Demo, demo
from tests.system.processes import beats, belonging
from tests.system.queue import Sent
from tests.system.rooms import Row
from tests.system.until import until

pytestmark = pytest.mark.slow

SEED = 7
PROFILES = 2
LATER_S = 100.0
"""Up to a minute until the next boundary, its run, and a restart on a busy machine."""


def test_kill_9_of_each_process_and_server_costs_at_most_the_minute_it_falls_into(var: Path) -> None:
    odd = random.Random(SEED)
    port = ports.free()
    with demo(var, port) as running:
        running.await_up()
        began = datetime.now(UTC)
        lost = _kill_the_worker_in_the_middle_of_a_run(running)
        killed = _kill_and_see_back(running, ["beat", "stream", "postgres", "valkey", "worker-mtf"], odd)
        _first_decided_minute(running, after=killed)
        assert len(running.rooms.runs(lost, status="lost")) == PROFILES
        assert len(beats(var)) == 1
        time.sleep(odd.uniform(0, 5))
        running.process.kill()
        killed = datetime.now(UTC)
        until("nothing outlives the supervisor", lambda: not belonging(var), patience_s=15)
    with demo(var, port) as running:
        running.await_up()
        with Sent(running.variables["REDIS_URL"]) as sent:
            quiet = _first_decided_minute(running, after=datetime.now(UTC))
        assert quiet - killed < timedelta(minutes=3)
        assert len([time_s for time_s in sent.times_s if time_s >= quiet.timestamp()]) == 1
        assert len(beats(var)) == 1
        assert len(running.rooms.runs(lost, status="lost")) == PROFILES
        assert running.rooms.doubled() == []
        until("no hole", lambda: running.rooms.holes(began) == [], patience_s=30)


def _kill_the_worker_in_the_middle_of_a_run(running: Demo) -> datetime:
    """The minute whose runs it had claimed. The stream is held, so that they still wait for its candles."""
    stream = running.pid("stream")
    os.kill(stream, signal.SIGSTOP)
    try:
        [first, *_] = until("claimed runs", lambda: _claimed(running), patience_s=LATER_S, every_s=0.02)
        running.kill("worker-mtf")
    finally:
        os.kill(stream, signal.SIGCONT)
    minute: datetime = first["minute"]
    return minute


def _claimed(running: Demo) -> list[Row]:
    found = running.rooms.rows("SELECT minute FROM mtf_run WHERE trigger = 'beat' AND status = 'running'")
    return found if len(found) == PROFILES else []


def _kill_and_see_back(running: Demo, names: list[str], odd: random.Random) -> datetime:
    """Kill each at an odd moment of the next seconds, see each come back; when the last was killed."""
    for name in names:
        time.sleep(odd.uniform(0, 5))
        old = running.kill(name)
        killed = datetime.now(UTC)
        until(f"another {name}", lambda: running.pid(name) not in (0, old), patience_s=30)  # noqa: B023 (used at once)
    return killed


def _first_decided_minute(running: Demo, *, after: datetime) -> datetime:
    """The first minute that ended after that moment and was decided for every profile."""

    def decided() -> datetime | None:
        try:
            found = running.rooms.rows(
                "SELECT minute FROM mtf_run WHERE trigger = 'beat' AND status = 'decided' "
                "AND minute > %(after)s GROUP BY minute HAVING count(*) = %(profiles)s ORDER BY minute",
                after=after,
                profiles=PROFILES,
            )
        except psycopg.OperationalError:
            return None
        return found[0]["minute"] if found else None

    minute = until(f"a minute after {after:%H:%M:%S} is decided", decided, patience_s=LATER_S)
    assert minute - after < timedelta(minutes=2), f"killed {after}, next decided {minute}"
    return minute
