"""trade: how long an order, a stop and a kill switch take, through the processes to the exchange's books."""

from __future__ import annotations

import argparse
import os
import statistics
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import track

from benchmarks.trading.system import TradingSystem, run_trading_system
from launch.supervisor import Supervisor

SCREEN = Console(stderr=True)
"""Progress is for people: standard output holds the result alone."""
TEN = 10
BALANCE_USDT = 10_000
PAUSE_S = 3.0
"""Between rounds: the exchange's limits recover."""
FAR = "0.97"
"""A long limited at so much of the ask rests."""
RECONCILED = "SELECT 1 FROM watch_state WHERE reconciled_at > now() - interval '2 minutes'"
ACKNOWLEDGED = """
    SELECT symbol, extract(epoch FROM happened_at)::float AS at FROM trade_lifecycle_event
    WHERE event_type = 'order_acknowledged' AND happened_at > to_timestamp(%(since)s)
"""
SET_GLOBAL = """
    UPDATE mtf_switch SET is_on = %(is_on)s, reason = 'bench', changed_by = 'bench', updated_at = now()
    WHERE switch_key = 'GLOBAL'
"""
OVER, OPEN_LONG = 4, 1
"""The exchange's numbers for an order that ended and for the side of ours."""


def run(args: list[str]) -> dict[str, Any]:
    """Measure rounds: one READY symbol and ten at once to their acknowledgements, ten positions that nobody
    protects to their stops, ten resting entries from GLOBAL off to the last cancel."""
    parser = argparse.ArgumentParser(prog="bench trade", description=__doc__)
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args(args)
    var = Path(os.environ["TRADINGV3_VAR"]) / "trade"
    var.mkdir(mode=0o711)
    taken: dict[str, list[float]] = {}
    keeper = Supervisor(var / "pids", say=SCREEN.print)
    with run_trading_system(var, keeper, symbols=TEN + 1, balance=BALANCE_USDT) as system:
        rounds = Rounds(system)
        rounds.enter(TEN)  # the first fills windows and connections
        for _ in track(range(options.repeats), description="rounds", console=SCREEN):
            one, ten = rounds.enter(1), rounds.enter(TEN)
            measured = {
                "ready_to_acknowledged_one_ms": one,
                "ready_to_acknowledged_ten_ms": ten,
                "filled_to_stop_of_ten_s": rounds.protect(),
                "switch_to_last_cancel_s": rounds.switch_off(),
            }
            for name, value in measured.items():
                taken.setdefault(name, []).append(value)
    return {
        "name": "trade",
        "params": vars(options) | {"orders": TEN},
        "metrics": {f"{name}_median": round(statistics.median(values), 2) for name, values in taken.items()},
        "stages": {f"{name}_max": round(max(values), 2) for name, values in taken.items()},
    }


class Rounds:
    """Each leaves the account flat, free and on."""

    def __init__(self, system: TradingSystem) -> None:
        self._system = system
        self._symbols: list[str] = system.until(
            "contracts", lambda: system.decider.ask("contracts"), patience_s=30
        )[:TEN]
        self._names = iter(f"bench{n}" for n in range(1000))
        self._wait("reconciled", lambda: system.tables.rows(RECONCILED))

    def enter(self, number: int) -> float:
        """Return ms from the tasks' sending to the last acknowledgement of so many READY symbols."""
        symbols = self._symbols[:number]
        run_id = self._system.decider.ask("decide", name=next(self._names), symbols=symbols)
        began = time.time()
        self._system.enter(run_id, symbols)
        rows = self._wait(
            f"{number} acknowledged",
            lambda: [*self._acknowledged(began)] if len({*self._acknowledged(began)}) == number else None,
        )
        took_ms: float = (max(at for _, at in rows) - began) * 1000
        self._clear()
        return took_ms

    def protect(self) -> float:
        """Return seconds from a fill to its stop, the longest of ten filled at once without attached ones."""
        self._system.switch(preset_on_partial="never")
        self._send("1.002")

        def stopped() -> list[float] | None:
            books = self._system.books()
            stops = {row["symbol"]: row["created_ms"] for row in books["plans"] if row["kind"] == "stop_loss"}
            filled = {row["symbol"]: row["at_ms"] for row in books["fills"] if row["side"] == OPEN_LONG}
            held = [row["symbol"] for row in books["positions"]]
            if len(held) < TEN or not set(held) <= set(stops):
                return None
            return [(stops[symbol] - filled[symbol]) / 1000 for symbol in held]

        longest_s: float = max(self._wait("ten stops", stopped))
        self._system.switch(preset_on_partial="first_fill")
        self._clear()
        return longest_s

    def switch_off(self) -> float:
        """Return seconds from GLOBAL off, committed, until nothing that opens rests."""
        self._send(FAR)
        self._wait("ten rest", lambda: len(self._resting()) == TEN)
        self._set_global(is_on=False)
        began = time.monotonic()
        while self._resting():
            time.sleep(0.01)
        took_s = time.monotonic() - began
        self._clear()
        return took_s

    def _send(self, ratio: str) -> None:
        statuses = self._system.decider.ask("send_entries", symbols=self._symbols, ratio=ratio)
        assert statuses == ["SUBMITTED"] * TEN, statuses

    def _clear(self) -> None:
        """Take everything back and close it by hand; wait until every symbol is free, and switch on."""
        self._set_global(is_on=False)
        self._wait("nothing rests", lambda: not self._resting())
        self._wait("flat", lambda: self._system.decider.ask("close_all") == 0)
        self._wait("free", self._system.free)
        self._set_global(is_on=True)
        time.sleep(PAUSE_S)

    def _resting(self) -> list[Any]:
        """Entries that may still fill, in the exchange's books."""
        orders = self._system.books()["orders"]
        return [row for row in orders if row["side"] == OPEN_LONG and row["state"] != OVER]

    def _acknowledged(self, since: float) -> Iterable[tuple[str, float]]:
        return ((row["symbol"], row["at"]) for row in self._system.tables.rows(ACKNOWLEDGED, since=since))

    def _set_global(self, *, is_on: bool) -> None:
        self._system.tables.write(SET_GLOBAL, is_on=is_on)

    def _wait(self, what: str, ask: Callable[[], Any]) -> Any:
        return self._system.until(what, ask, patience_s=30)
