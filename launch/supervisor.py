"""Keeps services running: started in waves, restarted with back-off, ended in the opposite order."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from launch import full_logs, pids, process

FIRST_WAIT_S = 0.2
LONGEST_WAIT_S = 10.0
STEADY_AFTER_S = 30.0  # up for so long: the next crash is a new story


class Service(Protocol):
    """What can be supervised: PostgreSQL, Valkey, a Program."""

    name: str
    log: Path | None

    @property
    def pid(self) -> int | None: ...
    def start(self) -> object: ...
    def alive(self) -> bool: ...
    def ask(self) -> None: ...
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

    def start(self) -> None:
        log = self.service.log
        self.log_size = log.stat().st_size if log is not None and log.is_file() else 0
        self.service.start()

    def last_line(self) -> str:
        """What it said last since it was started, empty for nothing."""
        return process.last_line(self.service.log, since=self.log_size)


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
            watched.start()
            self._note(service)

    def tend(self) -> None:
        """Notice crashes, start again what has waited long enough, turn over logs that are full."""
        for watched in (watched for wave in self._waves for watched in wave):
            if watched.restart_at is None and not watched.service.alive():
                self._crashed(watched)
            elif watched.restart_at is not None and self._clock() >= watched.restart_at:
                self._restart(watched)
            full_logs.turn_over(watched.service.log)

    def last_line(self, service: Service) -> str:
        """What a service said last since it was started, empty for nothing."""
        [watched] = [each for wave in self._waves for each in wave if each.service is service]
        return watched.last_line()

    def stop(self) -> None:
        """End the waves, last one first; within a wave all are asked before any is waited for."""
        while self._waves:
            wave = self._waves.pop()
            for watched in wave:
                watched.service.ask()
            for watched in wave:
                watched.service.stop()
                pids.forget(self._pid_folder, watched.service.name)

    def _crashed(self, watched: Watched) -> None:
        now = self._clock()
        if now - watched.started_at >= STEADY_AFTER_S:
            watched.wait_s = FIRST_WAIT_S
        watched.restart_at = now + watched.wait_s
        said = watched.last_line() or "nothing"
        self._say(
            f"{watched.service.name} ended unasked, starts again in {watched.wait_s:g} s; "
            f"it last said (see {watched.service.log}):\n    {said}"
        )
        watched.wait_s = min(2 * watched.wait_s, LONGEST_WAIT_S)

    def _restart(self, watched: Watched) -> None:
        watched.restart_at = None
        watched.started_at = self._clock()
        try:  # whatever hinders one service must not end the others
            watched.start()
        except Exception as fault:
            self._say(f"{watched.service.name}: {fault}")
        else:
            self._note(watched.service)

    def _note(self, service: Service) -> None:
        if service.pid is not None:
            pids.note(self._pid_folder, service.name, service.pid)
