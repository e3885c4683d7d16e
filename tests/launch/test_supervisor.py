from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from launch import process
from launch.paths import REPOSITORY
from launch.program import Program
from launch.supervisor import Supervisor, stop_leftovers, write_pid_file
from tests.launch import machine

SLEEP = [sys.executable, "-c", "import time; time.sleep(600)"]
IGNORE_THE_END = """
import signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print('deaf', flush=True)
time.sleep(600)
"""


@dataclass
class Clock:
    """Seconds that pass when a test says so."""

    now: float = 0.0

    def __call__(self) -> float:
        return self.now


@dataclass
class Heard:
    """A service without a process: it writes down what it was told."""

    name: str
    told: list[str]
    log: Path | None = None
    pid: int | None = None
    up: bool = field(default=False)

    def start(self) -> None:
        self.told.append(f"start {self.name}")
        self.up = True

    def is_alive(self) -> bool:
        return self.up

    def request_stop(self) -> None:
        self.told.append(f"ask {self.name}")

    def stop(self) -> None:
        self.told.append(f"stop {self.name}")
        self.up = False


@pytest.fixture
def supervisor(tmp_path: Path) -> Iterator[Supervisor]:
    it = Supervisor(tmp_path / "pids", say=lambda _: None)
    yield it
    it.stop()


def program(name: str, command: list[str], folder: Path, *, patience_s: float = 4.0) -> Program:
    return Program(name, command, env=os.environ, log=folder / f"{name}.log", patience_s=patience_s)


def test_a_killed_child_is_started_again(supervisor: Supervisor, tmp_path: Path) -> None:
    child = program("child", SLEEP, tmp_path)
    supervisor.start(child)
    first = child.pid
    assert first
    os.kill(first, signal.SIGKILL)
    assert machine.are_gone(first)

    def again() -> bool:
        supervisor.tend()
        return child.is_alive() and child.pid != first

    assert process.wait_until(again, patience_s=5.0)
    assert machine.pid_files(tmp_path / "pids") == {"child": child.pid}


def test_the_wait_before_a_restart_doubles_to_ten_seconds_and_is_short_again_after_a_steady_time(
    tmp_path: Path,
) -> None:
    clock, events = Clock(), list[str]()
    waits: list[float] = []
    supervisor = Supervisor(tmp_path / "pids", say=lambda _: None, clock=clock)
    service = Heard("weak", events)
    supervisor.start(service)

    def wait_after_a_crash() -> float:
        service.up = False
        crashed_at = clock.now
        supervisor.tend()
        while not service.up:
            clock.now += 0.01
            supervisor.tend()
        return round(clock.now - crashed_at, 1)

    waits += [wait_after_a_crash() for _ in range(8)]
    clock.now += 30.0
    waits.append(wait_after_a_crash())
    assert waits == [0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 10.0, 10.0, 0.2]


def test_a_service_whose_restart_fails_is_tried_again_and_hinders_no_other(tmp_path: Path) -> None:
    clock, events, said = Clock(), list[str](), list[str]()

    class Broken(Heard):
        def start(self) -> None:
            super().start()
            if self.told.count(f"start {self.name}") == 2:
                self.up = False
                raise OSError("no room left")

    supervisor = Supervisor(tmp_path / "pids", say=said.append, clock=clock)
    broken, other = Broken("broken", events), Heard("other", events)
    supervisor.start(broken, other)
    broken.up = other.up = False
    for _ in range(10):
        clock.now += 0.2
        supervisor.tend()
    assert any("no room left" in line for line in said)
    assert broken.up
    assert other.up


def test_a_service_that_ends_unasked_is_quoted_with_what_it_said_since_its_start(tmp_path: Path) -> None:
    said = list[str]()
    supervisor = Supervisor(tmp_path / "pids", say=said.append)
    log = tmp_path / "weak.log"
    log.write_text("of another day\n")
    weak = program("weak", [sys.executable, "-c", "raise SystemExit('no room left\\n\\n')"], tmp_path)
    mute = program("mute", [sys.executable, "-c", "raise SystemExit(1)"], tmp_path)
    (tmp_path / "mute.log").write_text("of another day\n")
    supervisor.start(weak, mute)
    assert process.wait_until(lambda: not weak.is_alive() and not mute.is_alive(), patience_s=10.0)
    supervisor.tend()
    supervisor.stop()
    assert [text.splitlines()[-1].strip() for text in said] == ["no room left", "nothing"]


def test_the_last_line_of_a_log_that_was_turned_over_is_found(tmp_path: Path) -> None:
    log = tmp_path / "x.log"
    assert process.last_line(log, since=0) == ""
    log.write_text("short\n")
    assert process.last_line(log, since=6) == ""
    assert process.last_line(log, since=5000) == "short"


def test_the_last_wave_ends_first_and_all_of_a_wave_are_asked_before_one_is_waited_for(
    tmp_path: Path,
) -> None:
    events: list[str] = []
    supervisor = Supervisor(tmp_path / "pids", say=lambda _: None)
    supervisor.start(Heard("database", events))
    supervisor.start(Heard("web", events), Heard("worker", events))
    del events[:]
    supervisor.stop()
    assert events == ["ask web", "ask worker", "stop web", "stop worker", "ask database", "stop database"]


def test_a_child_deaf_to_the_end_is_killed_when_its_patience_is_over(tmp_path: Path) -> None:
    supervisor = Supervisor(tmp_path / "pids", say=lambda _: None)
    deaf = program("deaf", [sys.executable, "-c", IGNORE_THE_END], tmp_path, patience_s=0.3)
    supervisor.start(deaf)
    log = tmp_path / "deaf.log"
    assert process.wait_until(lambda: "deaf" in log.read_text(), patience_s=5.0)
    supervisor.stop()
    assert deaf.exit_code == -signal.SIGKILL
    assert machine.pid_files(tmp_path / "pids") == {}


SUPERVISING = """
import os, pathlib, sys, time
from launch.program import Program
from launch.supervisor import Supervisor
folder = pathlib.Path(sys.argv[1])
supervisor = Supervisor(folder / "pids", say=print)
sleep = [sys.executable, "-c", "import time; print('running', flush=True); time.sleep(600)"]
supervisor.start(*(Program(n, sleep, env=os.environ, log=folder / n) for n in ("one", "two")))
print("up", flush=True)
while True:
    supervisor.tend()
    time.sleep(0.05)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ties a child to its parent's life")
def test_kill_9_of_the_supervisor_takes_its_children_along(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", SUPERVISING, str(tmp_path)], cwd=REPOSITORY, stdout=subprocess.PIPE
    ) as supervising:
        assert supervising.stdout
        assert supervising.stdout.readline() == b"up\n"
        children = machine.pid_files(tmp_path / "pids")
        assert set(children) == {"one", "two"}
        for name in children:
            log = tmp_path / name
            assert process.wait_until(lambda log=log: "running" in log.read_text(), patience_s=10.0)
        supervising.kill()
    assert machine.are_gone(*children.values())


def test_what_an_earlier_supervisor_left_running_is_ended_and_named(tmp_path: Path) -> None:
    with subprocess.Popen(SLEEP) as left:
        write_pid_file(tmp_path / "pids", "beat", left.pid)
        assert stop_leftovers(tmp_path / "pids") == ["beat"]
        assert left.wait(5.0) == -signal.SIGTERM
    assert machine.pid_files(tmp_path / "pids") == {}


def test_a_process_that_was_given_a_noted_number_later_is_left_alone(tmp_path: Path) -> None:
    folder = tmp_path / "pids"
    folder.mkdir()
    with subprocess.Popen(SLEEP) as stranger:
        (folder / "beat").write_text(f"{stranger.pid} 1\n", encoding="ascii")
        assert stop_leftovers(folder) == []
        assert machine.is_running(stranger.pid)
        stranger.kill()


def test_a_broken_pid_file_is_no_reason_not_to_start(tmp_path: Path) -> None:
    folder = tmp_path / "pids"
    folder.mkdir()
    (folder / "beat").write_text("", encoding="ascii")
    assert stop_leftovers(folder) == []
