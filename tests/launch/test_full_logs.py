"""Logs of a system that runs for months."""

from __future__ import annotations

import sys
from pathlib import Path

from launch import process
from launch.program import Program
from launch.supervisor import Supervisor

TALKS = """
import pathlib, time
said = 0
while True:
    if said < len(list(pathlib.Path({folder!r}).glob("go*"))):
        said += 1
        print(f"line {{said}}", flush=True)
    time.sleep(0.01)
"""


def test_a_full_log_is_turned_over_and_the_one_before_is_given_up(tmp_path: Path) -> None:
    log, before = tmp_path / "web.log", tmp_path / "web.log.1"
    before.write_text("oldest")
    log.write_text("0123456789")
    assert not process.rotate_log(log, 10)
    assert (log.read_text(), before.read_text()) == ("0123456789", "oldest")
    assert process.rotate_log(log, 9)
    assert (log.read_text(), before.read_text()) == ("", "0123456789")


def test_a_service_without_a_log_has_none_to_turn_over(tmp_path: Path) -> None:
    assert not process.rotate_log(None)
    assert not process.rotate_log(tmp_path / "never-written.log")


def test_who_writes_goes_on_in_the_emptied_log(tmp_path: Path) -> None:
    log = tmp_path / "log" / "talker.log"
    go = tmp_path / "go"
    go.mkdir()
    program = Program(
        "talker", [sys.executable, "-c", TALKS.format(folder=str(go))], env={}, log=log, patience_s=1
    )
    supervisor = Supervisor(tmp_path / "pids", say=print)
    supervisor.start(program)
    try:
        for n in (1, 2):
            (go / f"go{n}").touch()
            process.wait_until(lambda: log.read_text().endswith("\n"), patience_s=20)
            process.rotate_log(log, 1)
            assert log.with_name("talker.log.1").read_text() == f"line {n}\n"
    finally:
        supervisor.stop()


def test_the_supervisor_turns_over_what_is_full(tmp_path: Path) -> None:
    log = tmp_path / "sleeper.log"
    with log.open("wb") as file:
        file.truncate(process.MOST_LOG_BYTES + 1)
    program = Program("sleeper", [sys.executable, "-c", "import time; time.sleep(600)"], env={}, log=log)
    supervisor = Supervisor(tmp_path / "pids", say=print)
    supervisor.start(program)
    try:
        supervisor.tend()
        assert log.stat().st_size == 0
        assert log.with_name("sleeper.log.1").stat().st_size == process.MOST_LOG_BYTES + 1
    finally:
        supervisor.stop()
