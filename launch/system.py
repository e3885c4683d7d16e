"""The whole system on this machine: set up in order, kept alive, stopped in the opposite order."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

from launch import ports, program, secret_files, servers, supervisor
from launch.program import Market, Program
from launch.secret_files import SERVERS_ENV
from launch.servers import SetUpFailed
from launch.shutdown import Shutdown
from launch.supervisor import Supervisor
from launch.terminal import say, step

PATIENCE_S = 60.0
"""How long the simulator, and then the web process, may take to answer."""


class System:
    """Everything that runs; the caller holds the data folder."""

    def __init__(self, var: Path, *, web_port: int, day: str, symbols: int, shutdown: Shutdown) -> None:
        """`day` and `symbols` as in program.Market."""
        self._var = var
        self._web_port = web_port
        self._shutdown = shutdown
        self._supervisor = Supervisor(var / "pids", say=say)
        self._market = Market(port=ports.get_or_choose(var / "simulator-port"), day=day, symbols=symbols)
        self.url = f"http://{ports.HOST}:{web_port}"
        self.env: dict[str, str] = {}

    def start(self) -> str:
        """Start everything until the web process answers; return the admin's first password.

        Raises SetUpFailed, PostgresFailed, PostgresMissing, ValkeyFailed; Interrupted when asked to end.
        """
        var, shutdown = self._var, self._shutdown
        if names := supervisor.stop_leftovers(var / "pids"):
            say(f"  ended what an earlier start left running: {', '.join(names)}")

        variables = {name: servers.get_variable(name) for name in ("DATABASE_URL", "REDIS_URL")}
        for variable, server in servers.embedded_servers(var, give_up=lambda: shutdown.requested).items():
            with step(f"{server.name} (embedded)"):
                self._supervisor.start(server)
                variables[variable] = server.url
            shutdown.check()
        variables |= {
            "SECRET_KEY": servers.get_secret_key(var),
            "VENUE": "simulator",
            "BITMART_BASE_URL": f"http://{ports.HOST}:{self._market.port}",
            "BITMART_WS_URL": f"ws://{ports.HOST}:{self._market.port}",
            "BITMART_API_KEY": "demo",
            "BITMART_SECRET_KEY": secret_files.get_or_create_password(var / "simulator-secret"),
            "BITMART_API_MEMO": "demo",
        }
        secret_files.write_env_file(var / SERVERS_ENV, variables)
        env = self.env = {**os.environ, **variables, "TRADINGV3_VAR": str(var), "PYTHONUNBUFFERED": "1"}

        simulator = program.simulator(self._market, var=var, env=env)
        self._start("exchange simulator", simulator)
        with step("tables, admin user"):
            log = var / "log" / "set-up.log"
            password = servers.migrate_and_create_admin(var, env=env, log=log, shutdown=shutdown)

        def check_simulator() -> None:
            """One that ends before it answers cannot play what was asked for, now or later."""
            if not simulator.is_alive():
                why = self._supervisor.last_line(simulator).removeprefix("CommandError: ")
                raise SetUpFailed(f"the simulator cannot start: {why or f'see {simulator.log}'}")

        with step("simulator answers"):
            url = f"http://{ports.HOST}:{self._market.port}/healthz"
            self._wait_for(url, check_simulator, log=var / "log" / "simulator.log")
        self._start("stream, watch, workers, web", *program.workers(self._web_port, var=var, env=env))
        self._start("beat", program.beat(var=var, env=env))
        with step("web answers"):
            self._wait_for(f"{self.url}/healthz", self.tend, log=var / "log" / "web.log")
        return password

    def tend(self) -> None:
        """Restart what crashed; call it a few times a second."""
        self._supervisor.tend()

    def stop(self) -> None:
        self._supervisor.stop()
        (self._var / SERVERS_ENV).unlink(missing_ok=True)

    def _start(self, what: str, *programs: Program) -> None:
        self._shutdown.check()
        with step(f"start {what}"):
            self._supervisor.start(*programs)

    def _wait_for(self, url: str, tend: Callable[[], None], *, log: Path) -> None:
        """Call `tend` until `url` answers. Raises SetUpFailed after PATIENCE_S, naming the log."""
        deadline = time.monotonic() + PATIENCE_S
        while not ports.is_answering(url):
            self._shutdown.check()
            tend()
            if time.monotonic() > deadline:
                raise SetUpFailed(f"{url} did not answer within {PATIENCE_S:g} s; see {log}")
            self._shutdown.sleep(0.05)
