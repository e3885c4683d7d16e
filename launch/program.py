"""The programs a running system consists of, each a process of ours as the supervisor sees it."""

from __future__ import annotations

import contextlib
import signal
import subprocess
import sys
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


class Program:
    """`command`, its output appended to `log` (None: our terminal)."""

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        *,
        env: Mapping[str, str],
        log: Path | None,
        patience_s: float = 4.0,
    ) -> None:
        self.name = name
        self.log = log
        self._command = tuple(command)
        self._env = env
        self._patience_s = patience_s
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
        # Nobody waits for an orphan's tidy end, to which a worker without its broker may never come.
        self._child = process.start(self._command, log=self.log, env=self._env, on_orphan=signal.SIGKILL)

    def is_alive(self) -> bool:
        return self._child is not None and self._child.poll() is None

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
    return Program(name, command, env=env, log=var / "log" / f"{name}.log")
