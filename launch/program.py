"""The programs a running system consists of, each a process of ours as the supervisor sees it."""

from __future__ import annotations

import contextlib
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from launch import ports, process
from launch.paths import REPOSITORY

MANAGE = (sys.executable, str(REPOSITORY / "manage.py"))
CELERY = (sys.executable, "-m", "celery", "-A", "tradingv3")
WEB = (sys.executable, "-m", "uvicorn", "tradingv3.asgi:application")

# Run one after the other on the terminal once the services are up; the last one until the end.
FOLLOW = (("mtf_run", "--first"), ("runs", "--follow"))


@dataclass(frozen=True)
class Market:
    """What the simulator plays: `day` of the tape ("" its choice), `symbols` how many (0: all recorded).

    `balance` is what its account begins with, in USDT (0: its own default).
    """

    port: int
    day: str = ""
    symbols: int = 0
    balance: int = 0


SILENT_S = 15.0
"""No turn of a program with a heartbeat takes longer: what it waits for has shorter limits."""
FIRST_BEAT_S = 60.0
"""Until its first beat a program that starts may take so long, and twice as long after each start that took
longer: on a starved machine imports alone take a minute, and who kills what is slow makes it slower."""


class Program:
    """`command`, its output appended to `log` (None: our terminal).

    `heartbeat`: a file that it touches at each turn, named to it by HEARTBEAT_FILE.
    """

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        *,
        env: Mapping[str, str],
        log: Path | None,
        patience_s: float = 4.0,
        heartbeat: Path | None = None,
    ) -> None:
        self.name = name
        self.log = log
        self._command = tuple(command)
        self._env = env if heartbeat is None else {**env, "HEARTBEAT_FILE": str(heartbeat)}
        self._patience_s = patience_s
        self._heartbeat = heartbeat
        self._started_at = 0.0
        self._first_beat_s = FIRST_BEAT_S
        self._child: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int | None:
        return self._child.pid if self._child else None

    @property
    def exit_code(self) -> int | None:
        """What it ended with; None while it runs. Negative: the signal that killed it."""
        return self._child.poll() if self._child else None

    def start(self) -> None:
        self.stop()
        if self._heartbeat is not None:
            self._heartbeat.unlink(missing_ok=True)
        self._started_at = time.time()
        # Nobody waits for an orphan's tidy end, to which a worker without its broker may never come.
        self._child = process.start(self._command, log=self.log, env=self._env, on_orphan=signal.SIGKILL)

    def is_alive(self) -> bool:
        """Whether it runs. One that hangs, by its heartbeat, is killed: it runs no more."""
        if self._child is None or self._child.poll() is not None:
            return False
        silent_s, limit_s = self._silence(time.time())
        if silent_s <= limit_s:
            return True
        if self.log is not None:
            with self.log.open("a", encoding="utf-8") as log:
                log.write(f"killed: no sign of life for {silent_s:.0f} s\n")
        self._child.kill()
        self._child.wait()
        if self._heartbeat is not None and not self._heartbeat.exists():
            self._first_beat_s *= 2
        return False

    def _silence(self, now: float) -> tuple[float, float]:
        """Return for how many seconds no sign of life came, and how many are too many."""
        if self._heartbeat is None:
            return 0.0, SILENT_S
        try:
            beat_at = self._heartbeat.stat().st_mtime
        except FileNotFoundError:
            return now - self._started_at, self._first_beat_s
        self._first_beat_s = FIRST_BEAT_S
        return now - beat_at, SILENT_S

    def request_stop(self) -> None:
        """Ask it to end, without waiting."""
        if self._child is not None and self.is_alive():
            with contextlib.suppress(ProcessLookupError):
                self._child.send_signal(signal.SIGTERM)

    def stop(self) -> None:
        """Ask it to end, kill it when its patience is over."""
        if self._child is not None:
            process.stop(self._child, patience_s=self._patience_s)


def simulator(market: Market, *, var: Path, env: Mapping[str, str]) -> Program:
    command = [*MANAGE, "simulator", "--host", ports.HOST, "--port", str(market.port)]
    command += ["--state", str(var / "simulator.json")]
    command += ["--day", market.day] if market.day else []
    command += ["--symbols", str(market.symbols)] if market.symbols else []
    command += ["--balance", str(market.balance)] if market.balance else []
    return _with_log("simulator", command, var=var, env=env)


def workers(web_port: int, *, var: Path, env: Mapping[str, str]) -> list[Program]:
    """Return everything but beat: what beat's first minute needs must be listening by then."""
    worker = (*CELERY, "worker", "--without-mingle", "--without-gossip", "--loglevel", "INFO")
    listen = ("--host", ports.HOST, "--port", str(web_port))
    commands = {
        "stream": (*MANAGE, "stream"),
        "watch": (*MANAGE, "watch"),
        "worker-mtf": (*worker, "-Q", "mtf", "-P", "solo", "-n", "mtf@%h"),
        "worker-exchange": (*worker, "-Q", "exchange", "-P", "threads", "-c", "4", "-n", "exchange@%h"),
        "web": (*WEB, *listen, "--timeout-graceful-shutdown", "3"),
    }
    return [_with_log(name, command, var=var, env=env) for name, command in commands.items()]


def beat(*, var: Path, env: Mapping[str, str]) -> Program:
    return _with_log("beat", (*CELERY, "beat", "--loglevel", "INFO"), var=var, env=env)


def _with_log(name: str, command: Sequence[str], *, var: Path, env: Mapping[str, str]) -> Program:
    heartbeat = var / "watch.heartbeat" if name == "watch" else None
    return Program(name, command, env=env, log=var / "log" / f"{name}.log", heartbeat=heartbeat)
