"""A program that hangs is noticed by its heartbeat, killed and started again."""

from __future__ import annotations

import os
import signal
import sys
import time
from pathlib import Path

import pytest

from launch import process, program
from launch.program import Program
from launch.supervisor import Supervisor

BEATING = """
import os, pathlib, time
while True:
    pathlib.Path(os.environ["HEARTBEAT_FILE"]).touch()
    time.sleep(0.05)
"""


@pytest.fixture
def watch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Program:
    monkeypatch.setattr(program, "SILENT_S", 0.5)
    command = [sys.executable, "-c", BEATING]
    beat, log = tmp_path / "beat", tmp_path / "watch.log"
    return Program("watch", command, env=dict(os.environ), log=log, heartbeat=beat)


def test_a_halted_slow_programis_killed_and_started_again(watch: Program, tmp_path: Path) -> None:
    said: list[str] = []
    supervisor = Supervisor(tmp_path / "pids", say=said.append)
    supervisor.start(watch)
    try:
        first = watch.pid
        assert first is not None
        assert process.wait_until(lambda: (tmp_path / "beat").exists(), patience_s=10)
        supervisor.tend()
        assert watch.pid == first, "it beats"
        os.kill(first, signal.SIGSTOP)

        def restarted() -> bool:
            supervisor.tend()
            return watch.pid != first and watch.is_alive()

        assert process.wait_until(restarted, patience_s=10)
        assert "killed: no sign of life" in said[0]
    finally:
        supervisor.stop()


def test_a_start_that_gives_no_sign_is_killed_and_the_next_one_may_take_twice_as_long(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(program, "FIRST_BEAT_S", 0.3)
    command = [sys.executable, "-c", "import time; time.sleep(60)"]
    log = tmp_path / "watch.log"
    mute = Program("watch", command, env=dict(os.environ), log=log, heartbeat=tmp_path / "beat")
    lived_s = []
    for _ in range(3):
        started = time.monotonic()
        mute.start()
        assert mute.is_alive()
        assert process.wait_until(lambda: not mute.is_alive(), patience_s=20)
        lived_s.append(time.monotonic() - started)
    assert all(lived >= least for lived, least in zip(lived_s, (0.3, 0.6, 1.2), strict=True))
    assert log.read_text().count("killed: no sign of life for ") == 3


def test_a_start_slower_than_its_first_patience_comes_through_in_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(program, "FIRST_BEAT_S", 0.2)
    command = [sys.executable, "-c", "import time; time.sleep(1)" + BEATING]
    slow_program = Program("watch", command, env=dict(os.environ), log=None, heartbeat=tmp_path / "beat")
    supervisor = Supervisor(tmp_path / "pids", say=lambda _: None)
    supervisor.start(slow_program)

    def beats() -> bool:
        supervisor.tend()
        return (tmp_path / "beat").exists()

    try:
        assert process.wait_until(beats, patience_s=30)
        assert slow_program.is_alive()
    finally:
        supervisor.stop()
