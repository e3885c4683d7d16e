"""Our own processes on servers of their own: the least that judges a minute, or what trades as well."""

from __future__ import annotations

import json
import os
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from benchmarks.trading.task_queue import open_task_queue
from launch import ports
from launch.postgres import Postgres
from launch.program import MANAGE, Market, Program, simulator, workers
from launch.valkey import Valkey
from tests.system.output import output_of
from tests.system.tables import Tables

WORKER = "worker-mtf"
STREAM = "stream"
ENTERING = "worker-exchange"
"""Without it what a minute of the market makes READY comes to no end."""
JUDGING = (STREAM, WORKER)
TRADING = (*JUDGING, ENTERING, "watch")
WEB = "web"


class Processes:
    """The running processes and the way to ask them."""

    def __init__(self, env: dict[str, str], programs: dict[str, Program], web: str) -> None:
        self.env = env
        self.web = web
        self.tables = Tables(env["DATABASE_URL"])
        self._programs = programs
        self._queue = open_task_queue(env["REDIS_URL"])

    def fire(self, at: datetime) -> None:
        """What beat does each minute, for the minute that ends at `at`."""
        self._queue.send_task(
            "apps.live.tasks.judge_minute", kwargs={"at": at.isoformat()}, queue="mtf", expires=55
        )

    def enter(self, run_id: str, symbol: str) -> None:
        """What the minute sends for a symbol that is ready."""
        wanted = {"run_ids": [run_id], "symbol": symbol}
        self._queue.send_task("apps.live.tasks.enter_symbol", kwargs=wanted, queue="exchange", expires=20)

    def books(self) -> dict[str, Any]:
        """The exchange's own truth."""
        with urllib.request.urlopen(f"{self.env['BITMART_BASE_URL']}/admin/books", timeout=30) as answer:
            books: dict[str, Any] = json.load(answer)
        return books

    def manage(self, *arguments: str) -> str:
        """The output of a manage.py command that ends well."""
        return output_of([*MANAGE, *arguments], self.env)

    def log(self, name: str) -> str:
        log = self._programs[name].log
        assert log is not None
        return log.read_text("utf-8")

    def are_alive(self) -> bool:
        return all(program.is_alive() for program in self._programs.values())


@contextmanager
def run_processes(
    var: Path, *, symbols: int, names: Sequence[str] = JUDGING, more: Mapping[str, str] | None = None
) -> Iterator[Processes]:
    """The processes `names` while the block runs, over the recorded market's first `symbols` contracts.

    `more` are variables of theirs.
    """
    with ExitStack() as stack:
        market = Market(port=ports.find_free(), symbols=symbols)
        web_port = ports.find_free()
        env = {**os.environ, **_variables(stack, var, market), **(more or {})}
        output_of([*MANAGE, "migrate", "--noinput"], env)
        programs = [simulator(market, var=var, env=env)]
        programs += [p for p in workers(web_port, var=var, env=env) if p.name in names]
        for program in programs:
            stack.callback(program.stop)
            program.start()
        by_name = {program.name: program for program in programs}
        yield Processes(env, by_name, web=f"http://{ports.HOST}:{web_port}")


def _variables(stack: ExitStack, var: Path, market: Market) -> dict[str, str]:
    postgres = Postgres(var / "postgres", ephemeral=True)
    valkey = Valkey(var / "valkey", ephemeral=True)
    for server in (postgres, valkey):
        stack.callback(server.stop)
        server.start()
    return {
        "DATABASE_URL": postgres.url,
        "REDIS_URL": valkey.url,
        "SECRET_KEY": "of-a-test",
        "TRADINGV3_VAR": str(var),
        "BITMART_BASE_URL": f"http://127.0.0.1:{market.port}",
        "BITMART_WS_URL": f"ws://127.0.0.1:{market.port}",
        "PYTHONUNBUFFERED": "1",
    }
