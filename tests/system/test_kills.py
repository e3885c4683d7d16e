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

from launch import ports, process
from tests.system import exchange
from tests.system.demo import SYMBOLS, Demo, beats, belonging, demo
from tests.system.sent_minutes import SentMinutes
from tests.system.tables import Row
from tests.system.until import until

pytestmark = pytest.mark.slow

SEED = 7
PROFILES = 3
LATER_S = 100.0
"""Up to a minute until the next boundary, its run, and a restart on a busy machine."""


def test_kill_9_of_each_process_and_server_costs_at_most_the_minute_it_falls_into(var: Path) -> None:
    odd = random.Random(SEED)
    port = ports.find_free()
    with demo(var, port) as running:
        running.await_up()
        began = datetime.now(UTC)
        lost = _kill_the_worker_in_the_middle_of_a_run(running)
        killed = _kill_and_see_back(running, ["beat", "stream", "postgres", "valkey", "worker-mtf"], odd)
        time.sleep(max(0, _seconds_left() - 0.4))  # the last pushes of a candle are lost with the exchange
        _kill_and_see_back(running, ["simulator"])
        _first_decided_minute(running, after=killed)
        assert len(running.tables.runs(lost, status="lost")) == PROFILES
        assert len(beats(var)) == 1
        time.sleep(odd.uniform(0, 5))
        running.process.kill()
        killed = datetime.now(UTC)
        process.wait_until(lambda: not belonging(var), patience_s=15, every_s=0.1)
        assert belonging(var) == {}
    with demo(var, port) as running:
        running.await_up()
        with SentMinutes(running.variables["REDIS_URL"]) as sent:
            quiet = _first_decided_minute(running, after=datetime.now(UTC))
        assert quiet - killed < timedelta(minutes=3)
        assert len([time_s for time_s in sent.times_s if time_s >= quiet.timestamp()]) == 1
        assert len(beats(var)) == 1
        assert len(running.tables.runs(lost, status="lost")) == PROFILES
        assert running.tables.doubled() == []
        until("no hole", lambda: running.tables.holes(began) == [], patience_s=30)
        process.wait_until(lambda: not _differing(running, began), patience_s=40, every_s=3)
        assert _differing(running, began) == []


def _kill_the_worker_in_the_middle_of_a_run(running: Demo) -> datetime:
    """The minute whose runs it had claimed. The stream is held, so that they still wait for its candles."""
    until(
        "contracts to judge", lambda: _contracts(running), patience_s=LATER_S
    )  # the stream stores the first
    stream = running.pid("stream")
    os.kill(stream, signal.SIGSTOP)
    try:
        [first, *_] = until("claimed runs", lambda: _claimed(running), patience_s=LATER_S, every_s=0.02)
        running.kill("worker-mtf")
    finally:
        os.kill(stream, signal.SIGCONT)
    minute: datetime = first["minute"]
    return minute


def _contracts(running: Demo) -> list[Row]:
    return running.tables.rows("SELECT symbol FROM contracts")


def _claimed(running: Demo) -> list[Row]:
    rows = running.tables.rows("SELECT minute FROM mtf_run WHERE trigger = 'beat' AND status = 'running'")
    return rows if len(rows) == PROFILES else []


def _kill_and_see_back(running: Demo, names: list[str], odd: random.Random | None = None) -> datetime:
    """Kill each, at once or at an odd moment, and see each come back; when the last was killed."""
    for name in names:
        time.sleep(odd.uniform(0, 5) if odd else 0)
        old = running.kill(name)
        killed = datetime.now(UTC)
        until(f"another {name}", lambda: running.pid(name) not in (0, old), patience_s=30)  # noqa: B023 (used at once)
    return killed


def _first_decided_minute(running: Demo, *, after: datetime) -> datetime:
    """The first minute that ended after that moment and was decided for every profile."""

    def decided() -> datetime | None:
        try:
            rows = running.tables.rows(
                "SELECT minute FROM mtf_run WHERE trigger = 'beat' AND status = 'decided' "
                "AND minute > %(after)s GROUP BY minute HAVING count(*) = %(profiles)s ORDER BY minute",
                after=after,
                profiles=PROFILES,
            )
        except psycopg.OperationalError:
            return None
        return rows[0]["minute"] if rows else None

    minute = until(f"a minute after {after:%H:%M:%S} is decided", decided, patience_s=LATER_S)
    assert minute - after < timedelta(minutes=2), f"killed {after}, next decided {minute}"
    return minute


def _differing(running: Demo, since: datetime) -> list[str]:
    """Stored candles that are not the exchange's own, up to the newest minute but one."""
    first = since.replace(second=0, microsecond=0)
    end = datetime.now(UTC).replace(second=0, microsecond=0) - timedelta(minutes=1)
    tables, base_url = running.tables, running.variables["BITMART_BASE_URL"]
    symbols = [row["symbol"] for row in _contracts(running)]
    assert len(symbols) == SYMBOLS
    rows: list[str] = []
    for symbol in symbols:
        ours = tables.candles(symbol, first, end)
        theirs = exchange.candles(base_url, symbol, first, end)
        rows += [
            f"{symbol} {at:%H:%M}: {ours.get(at)} {theirs[at]}" for at in theirs if ours.get(at) != theirs[at]
        ]
    return rows


def _seconds_left() -> float:
    """Until the minute ends."""
    return 60 - time.time() % 60
