"""`./run bench NAME …`: a benchmark with servers of its own, durable ones, away from the demo's data."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path

from launch import ephemeral, process, servers
from launch.postgres import PostgresFailed
from launch.postgres_user import PostgresMissing
from launch.servers import SetUpFailed
from launch.shutdown import Interrupted, Shutdown
from launch.terminal import error
from launch.valkey import ValkeyFailed


def main(arguments: Sequence[str]) -> int:
    """Return the benchmark's exit code; 1 with a message without its servers, 130 when interrupted."""
    shutdown = Shutdown()
    try:
        with ephemeral.servers(durable=True) as variables:
            env = {**os.environ, **variables}
            servers.migrate(env=env, log=Path(variables["TRADINGV3_VAR"]) / "set-up.log", shutdown=shutdown)
            child = process.start([sys.executable, "-m", "benchmarks", *arguments], env=env)
            while child.poll() is None and not shutdown.requested:
                shutdown.sleep(0.05)
            code = process.stop(child)
            shutdown.check()
            return code
    except Interrupted:
        return 130
    except (PostgresFailed, PostgresMissing, ValkeyFailed, SetUpFailed) as fault:
        error(fault)
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
