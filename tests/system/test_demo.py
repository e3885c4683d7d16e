"""`./run demo` as a person meets it: verdicts, switches, a second terminal, Ctrl-C, and the next day."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from launch import ports
from launch.paths import REPOSITORY
from launch.program import MANAGE
from tests.system.demo import SYMBOLS, Demo, belonging, demo, environment
from tests.system.output import output_of
from tests.system.tables import Row
from tests.system.until import until

pytestmark = pytest.mark.slow

FIRST_VERDICTS = f"{SYMBOLS} symbols, "
PROFILES = 3
MINUTE_S = 90.0
"""A minute, the run it ends with, and a busy machine."""


def test_the_first_verdicts_come_and_switches_stop_and_release_the_next_run(var: Path) -> None:
    with demo(var, ports.find_free()) as running:
        running.await_up()
        running.await_text(FIRST_VERDICTS, patience_s=90)
        until("ready", lambda: running.get("/readyz") == (200, {"status": "ready"}), patience_s=MINUTE_S)
        token = _token(running)
        for run in _runs_after_turning(running, token, "GLOBAL", is_on=False):
            assert run["counts"]["by_cause"] == {"kill_switch_global": SYMBOLS}
        _turn(running, token, "GLOBAL", is_on=True)
        runs = _runs_after_turning(running, token, "SYMBOL_TF:BTCUSDT:1m", is_on=False)
        assert _causes(running, runs, "kill_switch_symbol_tf") == [("scalper_micro", "BTCUSDT")]
        assert not [run for run in runs if "kill_switch_global" in run["counts"]["by_cause"]]
        for run in _runs_after_turning(running, token, "SYMBOL_TF:BTCUSDT:1m", is_on=True):
            assert run["counts"]["symbols"] == SYMBOLS
            assert not [cause for cause in run["counts"]["by_cause"] if cause.startswith("kill_switch")]
        _any_command_works_beside_it(running)


def test_a_second_start_is_refused_ctrl_c_leaves_nothing_and_the_next_start_keeps_its_data(
    var: Path,
) -> None:
    port = ports.find_free()
    with demo(var, port) as running:
        running.await_up()
        running.await_text(FIRST_VERDICTS, patience_s=90)
        first = until("a decided minute", lambda: running.tables.newest_decided(), patience_s=MINUTE_S)
        runs = running.tables.runs(first)
        candles = running.tables.count("klines")
        market = (var / "simulator.json").read_bytes()
        _a_second_start_is_refused(running)
        assert running.press_ctrl_c() == 0, running.text()
        assert belonging(var) == {}
    with demo(var, port) as again:
        again.await_up()
        assert (var / "simulator.json").read_bytes() == market
        assert again.tables.runs(first) == runs
        assert again.tables.count("klines") >= candles
        _next_runs(again, first)
        assert again.tables.doubled() == []
        until("no hole", lambda: again.tables.holes(first) == [], patience_s=30)


def _token(running: Demo) -> str:
    password = (running.var / "admin-password").read_text("utf-8").strip()
    status, answer = running.post("/api/token", {"username": "admin", "password": password})
    assert status == 200, answer
    return str(answer["token"])


def _turn(running: Demo, token: str, key: str, *, is_on: bool) -> None:
    body = {"key": key, "is_on": is_on, "reason": "a proof turns it"}
    status, answer = running.post("/api/mtf/switches", body, token=token)
    assert (status, answer.get("is_on")) == (200, is_on), answer


def _runs_after_turning(running: Demo, token: str, key: str, *, is_on: bool) -> list[Row]:
    """The runs, one a profile, of the first minute that began to be judged after the switch was turned."""
    _turn(running, token, key, is_on=is_on)
    [row] = running.tables.rows("SELECT updated_at FROM mtf_switch WHERE switch_key = %(key)s", key=key)
    return _next_runs(running, row["updated_at"])


def _next_runs(running: Demo, after: datetime) -> list[Row]:
    def decided() -> list[Row]:
        rows = running.tables.rows(
            "SELECT * FROM mtf_run WHERE trigger = 'beat' AND status = 'decided' AND started_at > %(after)s "
            "ORDER BY minute, profile",
            after=after,
        )
        return rows[:PROFILES] if len(rows) >= PROFILES else []

    return until(f"a decided minute after {after}", decided, patience_s=MINUTE_S)


def _causes(running: Demo, runs: list[Row], cause: str) -> list[tuple[Any, Any]]:
    """Profile and symbol of the audit rows of these runs with that cause."""
    rows = running.tables.rows(
        "SELECT profile, symbol FROM mtf_audit WHERE run_id = ANY(%(ids)s) AND cause = %(cause)s",
        ids=[run["run_id"] for run in runs],
        cause=cause,
    )
    return [(row["profile"], row["symbol"]) for row in rows]


def _any_command_works_beside_it(running: Demo) -> None:
    lines = running.manage("runs", "--json", "--limit", "2").splitlines()
    assert {json.loads(line)["status"] for line in lines} == {"decided"}
    result = json.loads(running.manage("mtf_run", "--symbols", "BTCUSDT,ETHUSDT", "--json"))
    assert [entry["symbol"] for entry in result["results"]] == ["BTCUSDT", "ETHUSDT"]
    plain = output_of([*MANAGE, "mtf_explain", "BTCUSDT", "--json"], environment(running.var))
    explained = [json.loads(line)["verdict"]["symbol"] for line in plain.splitlines()]
    assert explained == ["BTCUSDT"] * PROFILES


def _a_second_start_is_refused(running: Demo) -> None:
    second = subprocess.run(
        [sys.executable, "-m", "launch.demo", "--port", str(ports.find_free())],
        cwd=REPOSITORY,
        env=environment(running.var),
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )
    assert second.returncode == 1
    assert f"pid {running.process.pid}" in second.stderr
    assert running.url in second.stderr
