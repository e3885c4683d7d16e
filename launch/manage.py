"""`./run manage …`: manage.py beside the running demo, or with embedded servers for as long as it runs."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from launch import database, lock, pids, places, ports, process, processes, servers
from launch.ending import Ending, Interrupted
from launch.lock import Held
from launch.postgres import PostgresFailed
from launch.postgres_user import PostgresMissing
from launch.screen import error
from launch.supervisor import Supervisor
from launch.valkey import ValkeyFailed

DEMO_PATIENCE_S = 30.0  # a demo that has just been started is still preparing its servers


def main(arguments: Sequence[str]) -> int:
    """manage.py's exit code; 1 with a message when there are no servers to be had."""
    var = places.var()
    try:
        if servers.named("DATABASE_URL") and servers.named("REDIS_URL"):
            return _become(arguments, os.environ)
        with lock.held(var / "lock", what="manage"):
            return _with_own_servers(arguments, var)
    except Held as held:
        if held.holder.what != "demo":
            error(held)
            return 1
        return _beside_the_demo(arguments, var)
    except Interrupted:
        return 130
    except (
        PostgresFailed,
        PostgresMissing,
        ValkeyFailed,
        database.SetUpFailed,
        servers.EnvFileUnreadable,
    ) as fault:
        error(fault)
        return 1


def _beside_the_demo(arguments: Sequence[str], var: Path) -> int:
    file = var / servers.FILE
    if not ports.wait_until(file.is_file, patience_s=DEMO_PATIENCE_S):
        error(f"the demo is starting but wrote no {file} within {DEMO_PATIENCE_S:g} s; look at its terminal")
        return 1
    return _become(arguments, {**servers.env_file(file), **os.environ})


def _become(arguments: Sequence[str], env: Mapping[str, str]) -> int:
    os.execve(sys.executable, [*processes.MANAGE, *arguments], env)  # noqa: S606 (no shell involved)


def _with_own_servers(arguments: Sequence[str], var: Path) -> int:
    ending = Ending()
    ending.install()
    pids.end_leftovers(var / "pids")
    supervisor = Supervisor(var / "pids", say=error)
    env = {**os.environ, "SECRET_KEY": servers.secret_key(var), "TRADINGV3_VAR": str(var)}
    new = not (var / "postgres" / "port").is_file()
    try:
        for variable, server in servers.embedded(var, give_up=lambda: ending.requested).items():
            supervisor.start(server)
            ending.check()
            env[variable] = server.url
        if new:
            database.migrate(env=env, log=var / "log" / "set-up.log", ending=ending)
        return _run(arguments, env, ending, supervisor)
    finally:
        supervisor.stop()


def _run(arguments: Sequence[str], env: Mapping[str, str], ending: Ending, supervisor: Supervisor) -> int:
    """In our session, with our terminal: a Ctrl-C typed there reaches the command by itself."""
    child = process.start([*processes.MANAGE, *arguments], env=env, own_session=False)
    while child.poll() is None:
        supervisor.tend()
        ending.sleep(0.05)
        if ending.requested:
            return _see_off(child, ending)
    return child.returncode


def _see_off(child: subprocess.Popen[bytes], ending: Ending) -> int:
    if ending.signal != signal.SIGINT:
        child.send_signal(signal.SIGTERM)
    try:
        return child.wait(5.0)
    except subprocess.TimeoutExpired:
        return process.end(child)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
