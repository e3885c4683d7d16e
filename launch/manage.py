"""`./run manage …`: manage.py beside the running demo, or with embedded servers for as long as it runs."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from launch import paths, process, program, secret_files, servers, supervisor
from launch.paths import DataFolderInUse
from launch.postgres import PostgresFailed
from launch.postgres_user import PostgresMissing
from launch.secret_files import SERVERS_ENV, EnvFileUnreadable
from launch.servers import SetUpFailed
from launch.shutdown import Interrupted, Shutdown
from launch.supervisor import Supervisor
from launch.terminal import error
from launch.valkey import ValkeyFailed

DEMO_PATIENCE_S = 30.0  # a demo that has just been started is still preparing its servers


def main(arguments: Sequence[str]) -> int:
    """Return manage.py's exit code; 1 with a message when there are no servers to be had."""
    var = paths.data_folder()
    try:
        if servers.get_variable("DATABASE_URL") and servers.get_variable("REDIS_URL"):
            return _become_manage(arguments, os.environ)
        with paths.hold_data_folder(var, what="manage"):
            return _run_with_own_servers(arguments, var)
    except DataFolderInUse as in_use:
        if in_use.holder.what != "demo":
            error(in_use)
            return 1
        file = var / SERVERS_ENV
        if not process.wait_until(file.is_file, patience_s=DEMO_PATIENCE_S):
            error(
                f"the demo is starting but wrote no {file} within {DEMO_PATIENCE_S:g} s; look at its terminal"
            )
            return 1
        return _become_manage(arguments, {**secret_files.read_env_file(file), **os.environ})
    except Interrupted:
        return 130
    except (PostgresFailed, PostgresMissing, ValkeyFailed, SetUpFailed, EnvFileUnreadable) as fault:
        error(fault)
        return 1


def _become_manage(arguments: Sequence[str], env: Mapping[str, str]) -> int:
    os.execve(sys.executable, [*program.MANAGE, *arguments], env)  # noqa: S606 (no shell involved)


def _run_with_own_servers(arguments: Sequence[str], var: Path) -> int:
    shutdown = Shutdown()
    supervisor.stop_leftovers(var / "pids")
    supervised = Supervisor(var / "pids", say=error)
    env = {**os.environ, "SECRET_KEY": servers.get_secret_key(var), "TRADINGV3_VAR": str(var)}
    is_new = not (var / "postgres" / "port").is_file()
    try:
        for variable, server in servers.embedded_servers(var, give_up=lambda: shutdown.requested).items():
            supervised.start(server)
            shutdown.check()
            env[variable] = server.url
        if is_new:
            servers.migrate(env=env, log=var / "log" / "set-up.log", shutdown=shutdown)

        # In our session, with our terminal: a Ctrl-C typed there reaches the command by itself.
        child = process.start([*program.MANAGE, *arguments], env=env, own_session=False)
        while child.poll() is None and not shutdown.requested:
            supervised.tend()
            shutdown.sleep(0.05)
        if shutdown.requested and shutdown.signal != signal.SIGINT:
            child.send_signal(signal.SIGTERM)
        try:
            return child.wait(5.0)
        except subprocess.TimeoutExpired:
            return process.stop(child)
    finally:
        supervised.stop()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
