"""The whole system on this machine: set up in order, kept alive, ended in the opposite order."""

from __future__ import annotations

import os
import time
from pathlib import Path

from launch import database, pids, ports, private, processes, servers, web
from launch.database import SetUpFailed
from launch.ending import Ending
from launch.processes import Market
from launch.program import Program
from launch.screen import say, step
from launch.supervisor import Supervisor

WEB_PATIENCE_S = 60.0
SIMULATOR_PATIENCE_S = 60.0


class System:
    """Everything that runs; the caller holds the data folder's lock."""

    def __init__(self, var: Path, *, web_port: int, day: str, symbols: int, ending: Ending) -> None:
        """`day` and `symbols` as in processes.Market."""
        self._var = var
        self._web_port = web_port
        self._ending = ending
        self._supervisor = Supervisor(var / "pids", say=say)
        self._log = var / "log" / "set-up.log"
        self._market = Market(port=ports.remembered(var / "simulator-port"), day=day, symbols=symbols)
        self.url = f"http://{ports.HOST}:{web_port}"
        self.env: dict[str, str] = {}

    def start(self) -> str:
        """Start everything until the web process answers; the admin's first password.

        Raises SetUpFailed, PostgresFailed, PostgresMissing, ValkeyFailed; Interrupted when asked to end.
        """
        if left := pids.end_leftovers(self._var / "pids"):
            say(f"  ended what an earlier start left running: {', '.join(left)}")
        variables = self._start_servers() | self._own_variables()
        servers.write(self._var, variables)
        self.env = {**os.environ, **variables, "TRADINGV3_VAR": str(self._var), "PYTHONUNBUFFERED": "1"}
        simulator = processes.simulator(self._market, var=self._var, env=self.env)
        self._start("exchange simulator", simulator)
        with step("tables, admin user"):
            password = database.set_up(self._var, env=self.env, log=self._log, ending=self._ending)
        with step("simulator answers"):
            self._await_simulator(simulator)
        self._start(
            "stream, watch, workers, web", *processes.workers(self._web_port, var=self._var, env=self.env)
        )
        self._start("beat", processes.beat(var=self._var, env=self.env))
        with step("web answers"):
            self._await_web()
        return password

    def tend(self) -> None:
        """Restart what crashed; call it a few times a second."""
        self._supervisor.tend()

    def stop(self) -> None:
        self._supervisor.stop()
        servers.remove(self._var)

    def _start_servers(self) -> dict[str, str]:
        """The servers' URLs; embedded ones are started where none is named."""
        urls = {name: servers.named(name) for name in ("DATABASE_URL", "REDIS_URL")}
        for variable, server in servers.embedded(self._var, give_up=lambda: self._ending.requested).items():
            with step(f"{server.name} (embedded)"):
                self._supervisor.start(server)
                urls[variable] = server.url
            self._ending.check()
        return urls

    def _own_variables(self) -> dict[str, str]:
        return {
            "SECRET_KEY": servers.secret_key(self._var),
            "VENUE": "simulator",
            "BITMART_BASE_URL": f"http://{ports.HOST}:{self._market.port}",
            "BITMART_WS_URL": f"ws://{ports.HOST}:{self._market.port}",
            "BITMART_API_KEY": "demo",
            "BITMART_SECRET_KEY": private.kept_password(self._var / "simulator-secret"),
            "BITMART_API_MEMO": "demo",
        }

    def _start(self, what: str, *programs: Program) -> None:
        self._ending.check()
        with step(f"start {what}"):
            self._supervisor.start(*programs)

    def _await_simulator(self, simulator: Program) -> None:
        """Until it answers. One that ends before that cannot play what was asked for, now or later."""
        url = f"http://{ports.HOST}:{self._market.port}/healthz"
        deadline = time.monotonic() + SIMULATOR_PATIENCE_S
        while not web.answers(url):
            self._ending.check()
            if not simulator.alive():
                why = self._supervisor.last_line(simulator).removeprefix("CommandError: ")
                raise SetUpFailed(f"the simulator cannot start: {why or f'see {simulator.log}'}")
            if time.monotonic() > deadline:
                raise SetUpFailed(
                    f"{url} did not answer within {SIMULATOR_PATIENCE_S:g} s; see {simulator.log}"
                )
            self._ending.sleep(0.05)

    def _await_web(self) -> None:
        deadline = time.monotonic() + WEB_PATIENCE_S
        while not web.answers(f"{self.url}/healthz"):
            self._ending.check()
            self._supervisor.tend()
            if time.monotonic() > deadline:
                raise SetUpFailed(
                    f"{self.url}/healthz did not answer within {WEB_PATIENCE_S:g} s; "
                    f"see {self._var / 'log' / 'web.log'}"
                )
            self._ending.sleep(0.1)
