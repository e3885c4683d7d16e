"""`./run demo`: the whole system on this machine, over a recorded market that plays now."""

from __future__ import annotations

import argparse
import math
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from launch import paths, ports, program, servers
from launch.paths import DataFolderInUse
from launch.postgres import PostgresFailed
from launch.postgres_user import PostgresMissing
from launch.program import Program
from launch.secret_files import EnvFileUnreadable
from launch.servers import SetUpFailed
from launch.shutdown import Interrupted, Shutdown
from launch.system import System
from launch.terminal import error, say
from launch.valkey import ValkeyFailed

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


class ReadyMessage:
    """Says once that the system is ready: its services are up and a run was decided (/readyz)."""

    def __init__(self, url: str) -> None:
        self._url = f"{url}/readyz"
        self._began = time.monotonic()
        self._next_request = 0.0

    def show_when_ready(self) -> None:
        """Ask at most once a second, until it is ready."""
        now = time.monotonic()
        if now < self._next_request:
            return
        self._next_request = now + 1.0
        if ports.is_answering(self._url):
            say(f"  ready: {self._url} answers 200, {now - self._began:.1f} s after the services were up")
            self._next_request = math.inf


def main(arguments: Sequence[str]) -> int:
    """Return 0 after a good start, 1 with a message, 130 when ended before everything was up."""
    options = parse_options(arguments)
    shutdown = Shutdown()
    var = paths.data_folder()
    try:
        with paths.hold_data_folder(var, what="demo", port=options.port):
            if not ports.is_free(options.port):
                raise Refused(
                    f"port {options.port} of {ports.HOST} is in use; end what listens there, "
                    f"or ./run demo --port {options.port + 1}"
                )
            venue = servers.get_variable("VENUE") or "simulator"
            if venue != "simulator":
                raise Refused(
                    f"VENUE={venue}, but the demo plays a recorded market; unset VENUE, or use docker compose"
                )
            run(options, var, shutdown)
    except Interrupted:
        say("ended before everything was up; the next start goes on from here")
        return 130
    except (
        DataFolderInUse,
        Refused,
        SetUpFailed,
        PostgresFailed,
        PostgresMissing,
        ValkeyFailed,
        EnvFileUnreadable,
    ) as fault:
        error(fault)
        return 1
    return 0


def run(options: argparse.Namespace, var: Path, shutdown: Shutdown) -> None:
    """Start the system, stay until its time is over or a shutdown is requested, and stop it."""
    began = time.monotonic()
    say(f"TradingV3, data in {var}")
    system = System(
        var, web_port=options.port, day=options.day or "", symbols=options.symbols, shutdown=shutdown
    )
    try:
        password = system.start()
        up = time.monotonic()
        say(
            WELCOME.format(
                seconds=up - began, url=system.url, login=servers.ADMIN, password=password, var=var
            )
        )

        # The terminal shows program.FOLLOW's output, one command after the other, then nothing until the end.
        ready, deadline = ReadyMessage(system.url), up + options.seconds
        commands = list(program.FOLLOW)
        follower: Program | None = None
        while not shutdown.requested and time.monotonic() < deadline:
            if commands and (follower is None or not follower.is_alive()):
                command = commands.pop(0)
                follower = Program(command[0], [*program.MANAGE, *command], env=system.env, log=None)
                follower.start()
            system.tend()
            ready.show_when_ready()
            shutdown.sleep(0.1)
        if follower is not None:
            follower.stop()
    finally:
        began = time.monotonic()
        say("\nending …")
        system.stop()
        say(f"ended in {time.monotonic() - began:.1f} s; the data stays in {var}")


def parse_options(arguments: Sequence[str]) -> argparse.Namespace:
    """Return port, seconds, day and symbols; a bad one ends with 2, named."""
    parser = argparse.ArgumentParser(
        prog="./run demo", description="Run everything here, over a recorded market that plays now."
    )
    parser.add_argument("--port", type=port, default=8000, help="web port on 127.0.0.1 (default 8000)")
    parser.add_argument(
        "--seconds", type=duration_s, default=math.inf, help="end by itself so long after the start"
    )
    parser.add_argument(
        "--day", type=day, default=None, help="day of the tape that plays today at a first start, 0 to 23"
    )
    parser.add_argument("--symbols", type=count, default=0, help="how many contracts (default: all recorded)")
    return parser.parse_args(arguments)


def port(text: str) -> int:
    if not text.isdigit() or not 1 <= int(text) <= 65535:
        raise argparse.ArgumentTypeError(f"{text!r} is not a port (1 … 65535)")
    return int(text)


def count(text: str) -> int:
    if not text.isdigit() or int(text) == 0:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of contracts above 0")
    return int(text)


def duration_s(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not 0 < seconds < math.inf:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds above 0")
    return seconds


def day(text: str) -> str:
    if not text.isdigit() or int(text) > LAST_DAY:
        raise argparse.ArgumentTypeError(f"{text!r} is not a day of the tape (0 … {LAST_DAY})")
    return text


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
