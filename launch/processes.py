"""What a running system consists of, and the commands that follow it on the terminal."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from launch import ports
from launch.places import REPOSITORY
from launch.program import Program

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


def simulator(market: Market, *, var: Path, env: Mapping[str, str]) -> Program:
    command = [*MANAGE, "simulator", "--host", ports.HOST, "--port", str(market.port)]
    command += ["--state", str(var / "simulator.json")]
    command += ["--day", market.day] if market.day else []
    command += ["--symbols", str(market.symbols)] if market.symbols else []
    command += ["--balance", str(market.balance)] if market.balance else []
    return _program("simulator", command, var=var, env=env)


def workers(web_port: int, *, var: Path, env: Mapping[str, str]) -> list[Program]:
    """Everything but beat: what beat's first minute needs must be listening by then."""
    worker = (*CELERY, "worker", "--without-mingle", "--without-gossip", "--loglevel", "INFO")
    listen = ("--host", ports.HOST, "--port", str(web_port))
    commands = {
        "stream": (*MANAGE, "stream"),
        "watch": (*MANAGE, "watch"),
        "worker-mtf": (*worker, "-Q", "mtf", "-P", "solo", "-n", "mtf@%h"),
        "worker-exchange": (*worker, "-Q", "exchange", "-P", "threads", "-c", "4", "-n", "exchange@%h"),
        "web": (*WEB, *listen, "--timeout-graceful-shutdown", "3"),
    }
    return [_program(name, command, var=var, env=env) for name, command in commands.items()]


def beat(*, var: Path, env: Mapping[str, str]) -> Program:
    return _program("beat", (*CELERY, "beat", "--loglevel", "INFO"), var=var, env=env)


def _program(name: str, command: Sequence[str], *, var: Path, env: Mapping[str, str]) -> Program:
    return Program(name, command, env=env, log=var / "log" / f"{name}.log")
