"""`./run bench NAME …`: a benchmark with servers of its own, durable ones, away from the demo's data."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from launch import database, process, throw_away
from launch.ending import Ending, Interrupted
from launch.postgres import PostgresFailed
from launch.postgres_user import PostgresMissing
from launch.screen import error
from launch.valkey import ValkeyFailed


def main(arguments: Sequence[str]) -> int:
    """The benchmark's exit code; 1 with a message when its servers do not start; 130 when interrupted."""
    ending = Ending()
    ending.install()
    try:
        with throw_away.servers(durable=True) as variables:
            env = {**os.environ, **variables}
            database.migrate(env=env, log=Path(variables["TRADINGV3_VAR"]) / "set-up.log", ending=ending)
            return _run([sys.executable, "-m", "benchmarks", *arguments], env, ending)
    except Interrupted:
        return 130
    except (PostgresFailed, PostgresMissing, ValkeyFailed, database.SetUpFailed) as fault:
        error(fault)
        return 1


def _run(command: list[str], env: dict[str, str], ending: Ending) -> int:
    child: subprocess.Popen[bytes] = process.start(command, env=env)
    while child.poll() is None and not ending.requested:
        ending.sleep(0.05)
    code = process.end(child)
    ending.check()
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
