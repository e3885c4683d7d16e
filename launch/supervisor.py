"""Keeps services running: started in waves, restarted with back-off, stopped in the opposite order.

Pid files name what runs: what an earlier supervisor left running is ended before anything is started again.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from launch import process

FIRST_WAIT_S = 0.2
LONGEST_WAIT_S = 10.0
STEADY_AFTER_S = 30.0  # up for so long: the next crash is a new story
LEFTOVER_PATIENCE_S = 5.0


class Service(Protocol):
    """What can be supervised: PostgreSQL, Valkey, a Program."""

    name: str
    log: Path | None

    @property
    def pid(self) -> int | None: ...
    def start(self) -> object: ...
    def is_alive(self) -> bool: ...
    def request_stop(self) -> None: ...
    def stop(self) -> None: ...


@dataclass
class Watched:
    """A service and its back-off; `restart_at` (monotonic seconds) stands between a crash and the restart.

    `log_size` is how long its log was before its last start.
    """

    service: Service
    started_at: float
    wait_s: float = FIRST_WAIT_S
    restart_at: float | None = None
    log_size: int = 0


class Supervisor:
    """Call `tend` a few times a second. Not for threads: children die with the thread that started them."""

    def __init__(
        self,
        pid_folder: Path,
        *,
        say: Callable[[str], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._pid_folder = pid_folder
        self._say = say
        self._clock = clock
        self._waves: list[list[Watched]] = []

    def start(self, *services: Service) -> None:
        """Start one wave; a failing start raises what the service raises."""
        wave: list[Watched] = []
        self._waves.append(wave)
        for service in services:
            watched = Watched(service, started_at=self._clock())
            wave.append(watched)
            self._start(watched)

    def tend(self) -> None:
        """Notice crashes, start again what has waited long enough, rotate logs that are full."""
        for watched in (watched for wave in self._waves for watched in wave):
            service, now = watched.service, self._clock()
            if watched.restart_at is None and not service.is_alive():
                if now - watched.started_at >= STEADY_AFTER_S:
                    watched.wait_s = FIRST_WAIT_S
                watched.restart_at = now + watched.wait_s
                self._say(
                    f"{service.name} ended unasked, starts again in {watched.wait_s:g} s; "
                    f"it last said (see {service.log}):\n    {self.last_line(service) or 'nothing'}"
                )
                watched.wait_s = min(2 * watched.wait_s, LONGEST_WAIT_S)
            elif watched.restart_at is not None and now >= watched.restart_at:
                watched.restart_at = None
                watched.started_at = now
                try:  # whatever hinders one service must not end the others
                    self._start(watched)
                except Exception as fault:
                    self._say(f"{service.name}: {fault}")
            process.rotate_log(service.log)

    def last_line(self, service: Service) -> str:
        """Return what a service said last since it was started, empty for nothing."""
        [watched] = [each for wave in self._waves for each in wave if each.service is service]
        return process.last_line(service.log, since=watched.log_size)

    def stop(self) -> None:
        """Stop the waves, last one first; within a wave all are asked before any is waited for."""
        while self._waves:
            wave = self._waves.pop()
            for watched in wave:
                watched.service.request_stop()
            for watched in wave:
                watched.service.stop()
                (self._pid_folder / watched.service.name).unlink(missing_ok=True)

    def _start(self, watched: Watched) -> None:
        service = watched.service
        watched.log_size = service.log.stat().st_size if service.log and service.log.is_file() else 0
        service.start()
        if service.pid is not None:
            write_pid_file(self._pid_folder, service.name, service.pid)


def write_pid_file(folder: Path, name: str, pid: int) -> None:
    """Remember that `name` runs as `pid`."""
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(f"{pid} {_start_time(pid)}\n", encoding="ascii")


def stop_leftovers(folder: Path) -> list[str]:
    """Stop the noted processes that still run, by force after LEFTOVER_PATIENCE_S; return their names."""
    running: dict[str, int] = {}
    for file in sorted(folder.glob("*")):
        # Only when that very process still runs: a number may have been given out again.
        pid, _, started = file.read_text(encoding="ascii", errors="replace").strip().partition(" ")
        if pid.isdigit() and started and _start_time(int(pid)) == started:
            running[file.name] = int(pid)

    for number in (signal.SIGTERM, signal.SIGKILL):
        for pid_left in running.values():
            if _start_time(pid_left):
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.kill(pid_left, number)
        if process.wait_until(
            lambda: not any(map(_start_time, running.values())), patience_s=LEFTOVER_PATIENCE_S
        ):
            break
    for file in folder.glob("*"):
        file.unlink(missing_ok=True)
    return list(running)


def _start_time(pid: int) -> str:
    """When a process started, in the system's words; "" when there is none, or it only waits to be reaped."""
    if sys.platform == "linux":
        with contextlib.suppress(OSError):
            stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
            fields = stat.rpartition(")")[2].split()  # before it: a name, cut after 15 bytes
            return "" if fields[0] in "ZX" else fields[19]  # proc(5): state, and starttime in clock ticks
        return ""
    listing = subprocess.run(
        ["ps", "-o", "lstart=", "-p", str(pid)],
        env={"PATH": os.defpath, "LC_ALL": "C"},  # English months
        capture_output=True,
        text=True,
        check=False,
    )
    return listing.stdout.strip()
