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
from typing import Any, Protocol

import psycopg
import requests

from benchmarks.trading.tables import Tables
from benchmarks.trading.task_queue import open_task_queue
from launch import ports
from launch.paths import REPOSITORY
from launch.postgres import Postgres
from launch.program import MANAGE, Market, simulator, workers
from launch.supervisor import Service
from launch.valkey import Valkey

SHARED = 4
"""CI's machines are shared and may be so many times slower. Patience ends a hang; it claims no speed."""
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
FALLBACK_EXPIRES_S = 5
ENTRY_TAKES_S = 10
"""From its start to its claim or refusal, Redis or PostgreSQL coming back meanwhile."""
LOCKED = "SELECT symbol FROM symbol_lock WHERE released_at IS NULL"


_DATABASE_FAULTS = (psycopg.Error,)


class Keeper(Protocol):
    """What starts services and starts them again: launch's Supervisor, or one without its pauses."""

    def start(self, *services: Service) -> None: ...
    def tend(self) -> None: ...
    def stop(self) -> None: ...


class DeciderFault(Exception):
    """The decider could not do what it was asked; the message is its traceback."""


class NotInTime(AssertionError):
    """What was waited for did not come."""


def _tail(log: Path | None, lines: int = 25) -> str:
    return "\n".join(log.read_text("utf-8").splitlines()[-lines:]) if log and log.exists() else ""


class TradingSystem:
    """`services` by name, in the order in which they are started; `keeper` starts again what ended."""

    def __init__(
        self, env: dict[str, str], url: str, services: dict[str, Service], keeper: Keeper, decider: Decider
    ) -> None:
        self.env, self.url = env, url
        self.tables = Tables(env["DATABASE_URL"])
        self.services = services
        self.tend = keeper.tend
        self.decider = decider
        self._queue = open_task_queue(env["REDIS_URL"])
        self._sent_at: dict[tuple[str, str], float] = {}

    def kill(self, name: str) -> int:
        """kill -9; `tend` starts it again. The process that was killed."""
        pid = self.services[name].pid
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        return pid

    def until(self, what: str, ask: Callable[[], Any], *, patience_s: float) -> Any:
        """Return the first answer that is true, tending meanwhile; an unreachable server is no answer."""
        longest_s = SHARED * patience_s
        deadline = time.monotonic() + longest_s
        while True:
            self.tend()
            with contextlib.suppress(requests.RequestException, OSError, *_DATABASE_FAULTS):
                if answer := ask():
                    return answer
            if time.monotonic() > deadline:
                raise NotInTime(f"not within {longest_s:g} s: {what}\n{self.last_words()}")
            time.sleep(0.1)

    def enter(self, run_id: str, symbols: list[str]) -> None:
        for symbol in symbols:
            self._queue.send_task(
                "apps.live.tasks.enter_symbol",
                kwargs={"run_ids": [run_id], "symbol": symbol},
                queue="exchange",
                expires=ENTRY_EXPIRES_S,
            )
            self._sent_at[run_id, symbol] = time.monotonic()

    def enter_fallbacks(self) -> None:
        """What beat does every few seconds."""
        self._queue.send_task("apps.live.tasks.enter_fallbacks", queue="exchange", expires=FALLBACK_EXPIRES_S)

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

    def last_words(self) -> str:
        """The last words of every process and the last events."""
        words = [f"--- {name}\n{_tail(self.services[name].log)}" for name in NAMES]
        with contextlib.suppress(*_DATABASE_FAULTS):
            words += [str(tuple(row.values())) for row in self.tables.rows(EVENTS)]
        return "\n".join(words)


class Decider:
    """See decider.py; here its end of the pipe."""

    def __init__(self, env: dict[str, str], state_file: Path, symbols: int) -> None:
        self._child = subprocess.Popen(  # noqa: S603 - our own module
            [sys.executable, "-m", "benchmarks.trading.decider", str(state_file), str(symbols)],
            cwd=REPOSITORY,
            env=env,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )

    def ask(self, what: str, **how: Any) -> Any:
        """Raises DeciderFault when it could not."""
        assert self._child.stdin is not None
        assert self._child.stdout is not None
        self._child.stdin.write(json.dumps({"do": what, **how}) + "\n")
        self._child.stdin.flush()
        answer = json.loads(self._child.stdout.readline())
        if "fault" in answer:
            raise DeciderFault(answer["fault"])
        return answer["answer"]

    def close(self) -> None:
        self._child.kill()
        self._child.communicate()


@contextlib.contextmanager
def run_trading_system(
    var: Path, keeper: Keeper, *, symbols: int, balance: int = 0
) -> Iterator[TradingSystem]:
    """All of it while the block runs, started and in the end stopped by `keeper`; `balance` as in Market."""
    with ExitStack() as stack:
        port = ports.find_free()
        postgres, valkey = Postgres(var / "postgres"), Valkey(var / "valkey")
        stack.callback(keeper.stop)
        keeper.start(postgres)
        keeper.start(valkey)
        env = {**os.environ, **_variables(var, port, postgres, valkey)}
        migrate = [*MANAGE, "migrate", "--noinput"]
        subprocess.run(migrate, env=env, capture_output=True, check=True)  # noqa: S603 - fixed words
        programs = [simulator(Market(port=port, symbols=symbols, balance=balance), var=var, env=env)]
        programs += [p for p in workers(0, var=var, env=env) if p.name in NAMES]
        for program in programs:
            keeper.start(program)
        services: dict[str, Service] = {"postgres": postgres, "valkey": valkey}
        services |= {program.name: program for program in programs}
        decider = Decider(env, var / "simulator.json", symbols)
        stack.callback(decider.close)
        system = TradingSystem(env, f"http://127.0.0.1:{port}", services, keeper, decider)
        system.until("the exchange answers", system.books, patience_s=30)
        yield system


def _variables(var: Path, port: int, postgres: Postgres, valkey: Valkey) -> dict[str, str]:
    return {
        "DATABASE_URL": postgres.url,
        "REDIS_URL": valkey.url,
        "SECRET_KEY": "of-an-attack",
        "TRADINGV3_VAR": str(var),
        "VENUE": "simulator",
        "TRADING": "live",
        "BITMART_BASE_URL": f"http://127.0.0.1:{port}",
        "BITMART_WS_URL": f"ws://127.0.0.1:{port}",
        "PYTHONUNBUFFERED": "1",
    }
