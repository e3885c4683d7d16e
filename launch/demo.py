"""`./run demo`: the whole system on this machine, over a recorded market that plays now."""

from __future__ import annotations

import argparse
import math
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from launch import database, lock, places, ports, processes, servers
from launch.ending import Ending, Interrupted
from launch.lock import Held
from launch.postgres import PostgresFailed
from launch.postgres_user import PostgresMissing
from launch.program import Program
from launch.screen import error, say
from launch.system import System
from launch.valkey import ValkeyFailed
from launch.web import Readiness

LAST_DAY = 23
"""The tape has the days 0 to 23."""

WELCOME = """
  up after {seconds:.1f} s

  admin      {url}/admin/
  login      {login}
  password   {password}
             (made at the first start, kept in {var}/admin-password; change it in the admin)

  try, in another terminal:
    ./run manage mtf_explain BTCUSDT      why it did or did not trade
    ./run manage positions                what is held, and what protects it
    ./run manage switch_off GLOBAL --reason "enough for today"
    ./run manage help
  it trades play money on the simulator; in the admin: plans, orders, fills, positions, and the kill
  switches that stop everything (GLOBAL), one symbol, or one of its timeframes

  Ctrl-C ends all of it and keeps the data
"""


class Refused(Exception):
    """The demo cannot start as things are; the message says what to change."""


def main(arguments: Sequence[str]) -> int:
    """The exit code: 0 after a good start, 1 with a message, 130 when ended before everything was up."""
    options = _options(arguments)
    ending = Ending()
    ending.install()
    var = places.var()
    try:
        with lock.held(var / "lock", what="demo", port=options.port):
            _refuse_the_impossible(options.port)
            _run(options, var, ending)
    except Interrupted:
        say("ended before everything was up; the next start goes on from here")
        return 130
    except (
        Held,
        Refused,
        database.SetUpFailed,
        PostgresFailed,
        PostgresMissing,
        ValkeyFailed,
        servers.EnvFileUnreadable,
    ) as fault:
        error(fault)
        return 1
    return 0


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="./run demo", description="Run everything here, over a recorded market that plays now."
    )
    parser.add_argument("--port", type=_port, default=8000, help="web port on 127.0.0.1 (default 8000)")
    parser.add_argument(
        "--seconds", type=_seconds, default=math.inf, help="end by itself so long after the start"
    )
    parser.add_argument(
        "--day", type=_day, default=None, help="day of the tape that plays today at a first start, 0 to 23"
    )
    parser.add_argument(
        "--symbols", type=_count, default=0, help="how many contracts (default: all recorded)"
    )
    return parser.parse_args(arguments)


def _port(text: str) -> int:
    if not text.isdigit() or not 1 <= int(text) <= 65535:
        raise argparse.ArgumentTypeError(f"{text!r} is not a port (1 … 65535)")
    return int(text)


def _count(text: str) -> int:
    if not text.isdigit() or int(text) == 0:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of contracts above 0")
    return int(text)


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not 0 < seconds < math.inf:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds above 0")
    return seconds


def _day(text: str) -> str:
    if not text.isdigit() or int(text) > LAST_DAY:
        raise argparse.ArgumentTypeError(f"{text!r} is not a day of the tape (0 … {LAST_DAY})")
    return text


def _refuse_the_impossible(port: int) -> None:
    if not ports.is_free(port):
        raise Refused(
            f"port {port} of {ports.HOST} is in use; end what listens there, or ./run demo --port {port + 1}"
        )
    venue = servers.named("VENUE") or "simulator"
    if venue != "simulator":
        raise Refused(
            f"VENUE={venue}, but the demo plays a recorded market; unset VENUE, or use docker compose"
        )


def _run(options: argparse.Namespace, var: Path, ending: Ending) -> None:
    began = time.monotonic()
    say(f"TradingV3, data in {var}")
    system = System(var, web_port=options.port, day=options.day or "", symbols=options.symbols, ending=ending)
    try:
        password = system.start()
        up = time.monotonic()
        say(
            WELCOME.format(
                seconds=up - began, url=system.url, login=database.ADMIN, password=password, var=var
            )
        )
        _follow(system, ending, deadline=up + options.seconds)
    finally:
        _stop(system, var)


def _follow(system: System, ending: Ending, *, deadline: float) -> None:
    """Show on the terminal what processes.FOLLOW shows, then stay until the end."""
    readiness = Readiness(system.url, say=say)

    def tend_while(holds: Callable[[], bool]) -> None:
        while holds() and not ending.requested and time.monotonic() < deadline:
            system.tend()
            readiness.look()
            ending.sleep(0.1)

    for command in processes.FOLLOW:
        follower = Program(command[0], [*processes.MANAGE, *command], env=system.env, log=None)
        follower.start()
        tend_while(follower.alive)
        follower.stop()
    tend_while(lambda: True)


def _stop(system: System, var: Path) -> None:
    began = time.monotonic()
    say("\nending …")
    system.stop()
    say(f"ended in {time.monotonic() - began:.1f} s; the data stays in {var}")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
