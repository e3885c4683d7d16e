"""The processes that trade, on servers of their own, and the hands that kill them and tend them."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import psycopg
import requests
from celery import Celery

from launch import ports
from launch.paths import REPOSITORY
from launch.postgres import Postgres
from launch.program import MANAGE, Market, Program, simulator, workers
from launch.valkey import Valkey
from tests.system.tables import Tables
from tests.system.until import SHARED

SYMBOLS = 8
SUBMIT = "/contract/private/submit-order"
NAMES = ("simulator", "watch", "worker-exchange")
SETTLED = """
    SELECT (SELECT count(*) FROM exchange_order
            WHERE status::text IN ('SUBMITTING', 'UNKNOWN', 'SUBMITTED', 'PARTIALLY_FILLED'))
         + (SELECT count(*) FROM position WHERE status::text IN ('OPENING', 'NAKED', 'CLOSING')) AS n
"""
EVENTS = """
    SELECT happened_at::text, symbol, event_type, extra FROM trade_lifecycle_event ORDER BY id DESC LIMIT 30
"""
ANSWERED = """
    SELECT run_id::text, symbol FROM order_plan
    UNION SELECT run_id::text, symbol FROM trade_lifecycle_event
    WHERE event_type IN ('plan_refused', 'call_failed')
"""
ENTRY_EXPIRES_S = 20
ENTRY_TAKES_S = 10
"""From its start to its claim or refusal, Redis or PostgreSQL coming back meanwhile."""
LOCKED = "SELECT symbol FROM symbol_lock WHERE released_at IS NULL"


_DATABASE_FAULTS = (psycopg.Error,)


def _tail(log: Path | None, lines: int = 25) -> str:
    return "\n".join(log.read_text("utf-8").splitlines()[-lines:]) if log and log.exists() else ""


class TradingSystem:
    """`services` by name, in the order in which they are started."""

    def __init__(self, env: dict[str, str], url: str, services: dict[str, Any], decider: Decider) -> None:
        self.env, self.url = env, url
        self.tables = Tables(env["DATABASE_URL"])
        self.services = services
        self.decider = decider
        self._queue = Celery("enters", broker=env["REDIS_URL"])
        self._sent_at: dict[tuple[str, str], float] = {}

    def kill(self, name: str) -> None:
        """kill -9; `tend` starts it again."""
        os.kill(self.services[name].pid, signal.SIGKILL)

    def tend(self) -> None:
        """Start again what ended, as the supervisor does; servers before those who need them."""
        for service in self.services.values():
            if not service.is_alive():
                service.start()

    def until(self, what: str, ask: Callable[[], Any], *, patience_s: float) -> Any:
        """Return the first answer that is true, tending meanwhile; an unreachable server is no answer."""
        deadline = time.monotonic() + SHARED * patience_s
        while True:
            self.tend()
            with contextlib.suppress(requests.RequestException, OSError, *_DATABASE_FAULTS):
                if answer := ask():
                    return answer
            assert time.monotonic() < deadline, f"not within {patience_s:g} s: {what}\n{self.told()}"
            time.sleep(0.1)

    def enter(self, run_id: str, symbols: list[str]) -> None:
        for symbol in symbols:
            self._queue.send_task(
                "apps.live.tasks.enter_symbol",
                kwargs={"run_id": run_id, "symbol": symbol},
                queue="exchange",
                expires=ENTRY_EXPIRES_S,
            )
            self._sent_at[run_id, symbol] = time.monotonic()

    def switch(self, **faults: Any) -> None:
        requests.post(f"{self.url}/admin/faults", json=faults, timeout=10).raise_for_status()

    def books(self) -> dict[str, Any]:
        """The exchange's own truth."""
        answer = requests.get(f"{self.url}/admin/books", timeout=10)
        answer.raise_for_status()
        return dict(answer.json())

    def settled(self) -> bool:
        """No entry to come, nothing in doubt, nothing resting, everything held is protected.

        An entry that is lost with its worker never answers: it can come no more once its time is over.
        """
        may_come_since = time.monotonic() - ENTRY_EXPIRES_S - ENTRY_TAKES_S
        may_come = {entry for entry, sent_at in self._sent_at.items() if sent_at > may_come_since}
        answered = {(row["run_id"], row["symbol"]) for row in self.tables.rows(ANSWERED)}
        return may_come <= answered and bool(self.tables.rows(SETTLED)[0]["n"] == 0)

    def free(self) -> bool:
        return not self.tables.rows(LOCKED)

    def told(self) -> str:
        """The last words of every process and the last events."""
        words = [f"--- {name}\n{_tail(self.services[name].log)}" for name in NAMES]
        with contextlib.suppress(*_DATABASE_FAULTS):
            words += [str(tuple(row.values())) for row in self.tables.rows(EVENTS)]
        return "\n".join(words)


class Decider:
    """See decider.py; here its end of the pipe."""

    def __init__(self, env: dict[str, str], state_file: Path) -> None:
        self._child = subprocess.Popen(
            [sys.executable, "-m", "tests.system.decider", str(state_file), str(SYMBOLS)],
            cwd=REPOSITORY,
            env=env,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )

    def ask(self, what: str, **how: Any) -> Any:
        """AssertionError with its traceback when it could not."""
        assert self._child.stdin is not None
        assert self._child.stdout is not None
        self._child.stdin.write(json.dumps({"do": what, **how}) + "\n")
        self._child.stdin.flush()
        answer = json.loads(self._child.stdout.readline())
        assert "answer" in answer, answer["fault"]
        return answer["answer"]

    def close(self) -> None:
        self._child.kill()
        self._child.communicate()


@contextlib.contextmanager
def run_trading_system(var: Path) -> Iterator[TradingSystem]:
    """All of it while the block runs; the exchange arms no attached stop: only `watch` protects."""
    with ExitStack() as stack:
        port = ports.find_free()
        postgres, valkey = Postgres(var / "postgres"), Valkey(var / "valkey")
        for server in (postgres, valkey):
            stack.callback(server.stop)
            server.start()
        env = {**os.environ, **_variables(var, port, postgres, valkey)}
        subprocess.run([*MANAGE, "migrate", "--noinput"], env=env, capture_output=True, check=True)
        market = Market(port=port, symbols=SYMBOLS)
        programs = [simulator(market, var=var, env=env)]
        programs += [p for p in workers(0, var=var, env=env) if p.name in NAMES]
        services: dict[str, Any] = {"postgres": postgres, "valkey": valkey, **_named(programs)}
        for program in programs:
            stack.callback(program.stop)
            program.start()
        decider = Decider(env, var / "simulator.json")
        stack.callback(decider.close)
        system = TradingSystem(env, f"http://127.0.0.1:{port}", services, decider)
        system.until("the exchange answers", system.books, patience_s=30)
        system.switch(preset_on_partial="never")
        yield system


def _named(programs: list[Program]) -> dict[str, Program]:
    return {program.name: program for program in programs}


def _variables(var: Path, port: int, postgres: Postgres, valkey: Valkey) -> dict[str, str]:
    return {
        "DATABASE_URL": postgres.url,
        "REDIS_URL": valkey.url,
        "SECRET_KEY": "of-a-test",
        "TRADINGV3_VAR": str(var),
        "VENUE": "simulator",
        "TRADING": "live",
        "BITMART_BASE_URL": f"http://127.0.0.1:{port}",
        "BITMART_WS_URL": f"ws://127.0.0.1:{port}",
        "PYTHONUNBUFFERED": "1",
    }
