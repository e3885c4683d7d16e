"""minute: candles announced → the last order acknowledged by the simulator, through both workers."""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import requests
import yaml
from django.conf import settings
from django.test import override_settings
from rich.console import Console
from rich.progress import track

from apps.engine.values.order import OrderStatus
from apps.engine.values.timeframe import WINDOW, Timeframe
from apps.exchange import venue
from apps.exchange.simulator.market import state
from apps.exchange.simulator.market.archive import Archive
from apps.feed.announcement import announce, redis_client
from apps.feed.quote_feed import QuoteFeed
from apps.feed.rollup import roll_up_changed
from apps.live.models import MtfRun, WatchState
from apps.market import quotes, store
from apps.orders.models import ExchangeOrder, OrderPlan, SymbolLock
from apps.switches.models import MtfSwitch
from benchmarks.trading.task_queue import open_task_queue
from launch import ports
from launch.program import Market, simulator, workers

NEEDS_DJANGO = True
SCREEN = Console(stderr=True)
"""Progress is for people: standard output holds the result alone."""
BALANCE_USDT = 1_000_000
"""So much, and so little of it at risk, that no order takes another's room."""
ACCOUNT = "simulator:live"
PAUSE_S = 6.0
RECOVERY_S = 1.2
"""Between minutes, at least and for each order: the exchange's limits recover as they would in a real one, by
one read of each kind a second."""
START_S = 60.0
PATIENCE_S = 30.0
TURN_S = 8
"""No minute is begun so near the turn to the next one."""


def run(args: list[str]) -> dict[str, Any]:
    """Measure minutes: each repeat is one in which symbols are ready that were not traded before."""
    parser = argparse.ArgumentParser(prog="bench minute", description=__doc__)
    parser.add_argument("--symbols", type=int, default=400, help="contracts judged")
    parser.add_argument("--repeats", type=int, default=30)
    parser.add_argument(
        "--orders", type=int, default=5, choices=range(1, 11), metavar="N", help="ready at once (default 5)"
    )
    parser.add_argument(
        "--quotes", choices=("pushed", "asked"), default="pushed", help="are theirs on the board already?"
    )
    parser.add_argument(
        "--latency-ms", type=int, default=0, help="each answer of the exchange takes so long (default 0)"
    )
    options = parser.parse_args(args)
    needed = options.orders * (options.repeats + 1)
    if options.symbols < needed:
        parser.error(f"{options.repeats} repeats and one before need {needed} symbols")
    var = Path(os.environ["TRADINGV3_VAR"])
    with _exchange_and_workers(var, options.symbols) as env, ExitStack() as stack:
        if options.quotes == "pushed":
            stack.enter_context(_quotes(env))
        minutes = _Minutes(var, options.symbols, env, options.orders)
        faults = {"latency_ms": options.latency_ms}
        requests.post(f"{env['BITMART_BASE_URL']}/admin/faults", json=faults, timeout=30).raise_for_status()
        minutes.measure()  # the first fills windows and connections
        taken = [
            minutes.measure() for _ in track(range(options.repeats), description="minutes", console=SCREEN)
        ]
    return {
        "name": "minute",
        "params": vars(options),
        "metrics": {
            "n": len(taken),
            "median_ms": round(float(np.median(taken)), 1),
            "p99_ms": round(float(np.percentile(taken, 99)), 1),
            "max_ms": round(max(taken), 1),
            "orders_submitted": OrderPlan.objects.filter(status="SUBMITTED").count(),
            "load_1m": round(os.getloadavg()[0], 2),
        },
        "stages": {
            f"{name}_median_ms": round(float(np.median(values)), 1) for name, values in minutes.stages.items()
        },
    }


class _Minutes:
    """The recorded market stored up to now, and fresh symbols switched on for each minute."""

    def __init__(self, var: Path, symbols: int, env: Mapping[str, str], orders: int) -> None:
        self._orders = orders
        now = datetime.now(UTC)
        self._archive = Archive.open(state.open_state(var / "simulator.json", now=now), symbols=symbols)
        self._at = Timeframe.M1.floor(now)
        self._fresh = list(self._archive.symbols)
        self._queue = open_task_queue(env["REDIS_URL"])
        self._client = redis_client()
        names = ("announced_to_decided", "decided_to_last_planned", "last_planned_to_acknowledged")
        self.stages: dict[str, list[float]] = {name: [] for name in names}
        self._queue.send_task("apps.live.tasks.sync_contracts", queue="exchange")
        deadline = time.monotonic() + START_S
        while len(store.contracts()) < len(self._fresh):
            if time.monotonic() > deadline:
                raise TimeoutError(f"the exchange worker stored no contracts within {START_S:g} s")
            time.sleep(0.1)
        for symbol in track(self._fresh, description="storing windows", console=SCREEN):
            for timeframe, length in WINDOW.items():
                end = timeframe.floor(self._at)
                start = end - length * timeframe.duration
                store.save_candles(self._archive.candles(symbol, timeframe, start, end))
        self._switch_off(self._fresh)

    def measure(self) -> float:
        """Return milliseconds from the announcement until the last order's row says SUBMITTED."""
        chosen, self._fresh = self._fresh[: self._orders], self._fresh[self._orders :]
        quotes.want(chosen, 60)
        time.sleep(max(PAUSE_S, RECOVERY_S * self._orders))
        self._keep_up()
        SymbolLock.objects.update(released_at=datetime.now(UTC))
        # nobody watches here: what rests would take the places of the next ones
        ExchangeOrder.objects.update(status=OrderStatus.CANCELLED)
        MtfRun.objects.filter(minute=self._at).delete()
        MtfSwitch.objects.filter(switch_key__in=[f"SYMBOL:{symbol}" for symbol in chosen]).delete()
        watched_at = ("started_at", "read_at", "reconciled_at", "heard_at")
        WatchState.objects.update_or_create(
            account=ACCOUNT, defaults=dict.fromkeys(watched_at, datetime.now(UTC))
        )
        self._client.delete(f"ready:{self._at:%Y-%m-%dT%H:%MZ}")
        started = time.perf_counter()
        announce(self._client, self._at, [])
        # in a real minute the worker waits already: this costs one message more
        self._queue.send_task(
            "apps.live.tasks.judge_minute", kwargs={"at": self._at.isoformat()}, queue="mtf", expires=55
        )
        submitted = OrderPlan.objects.filter(symbol__in=chosen, status="SUBMITTED")
        while (count := submitted.count()) < self._orders:
            if time.perf_counter() - started > PATIENCE_S:
                raise TimeoutError(f"{count} of {self._orders} orders within {PATIENCE_S:g} s")
            time.sleep(0.005)
        took = (time.perf_counter() - started) * 1000
        [run] = MtfRun.objects.filter(minute=self._at)
        planned_at = max(OrderPlan.objects.filter(symbol__in=chosen).values_list("plan_time", flat=True))
        assert run.finished_at is not None
        decided = run.timings["announced_to_decided_ms"]
        planned = (planned_at - run.finished_at).total_seconds() * 1000
        parts = (decided, planned, took - decided - planned)
        for values, ms in zip(self.stages.values(), parts, strict=True):
            values.append(ms)
        self._switch_off(chosen)
        return took

    def _keep_up(self) -> None:
        """Store the minutes that passed, as the stream would; wait where the next one is near."""
        seconds = datetime.now(UTC).second
        if seconds > 60 - TURN_S:
            time.sleep(60 - seconds + 0.5)
        at = Timeframe.M1.floor(datetime.now(UTC))
        if at > self._at:
            symbols = self._archive.symbols
            candles = [
                candle
                for symbol in symbols
                for candle in self._archive.candles(symbol, Timeframe.M1, self._at, at)
            ]
            store.save_candles(candles)
            roll_up_changed(candles, now=at)
            self._at = at

    @staticmethod
    def _switch_off(symbols: Sequence[str]) -> None:
        rows = [
            MtfSwitch(switch_key=f"SYMBOL:{symbol}", is_on=False, reason="not its minute", changed_by="bench")
            for symbol in symbols
        ]
        MtfSwitch.objects.bulk_create(rows)


@contextmanager
def _quotes(env: Mapping[str, str]) -> Iterator[None]:
    """Show the quotes of who is wanted, as the stream process does beside its candles."""
    with override_settings(
        VENUE=env["VENUE"], BITMART_BASE_URL=env["BITMART_BASE_URL"], BITMART_WS_URL=env["BITMART_WS_URL"]
    ):
        feed = QuoteFeed(venue.current().quote_streams, clock=lambda: datetime.now(UTC))
        feed.start()
        try:
            yield
        finally:
            feed.stop()


@contextmanager
def _exchange_and_workers(var: Path, symbols: int) -> Iterator[dict[str, str]]:
    """Run the simulator, the worker that judges and the one that enters; yield their environment."""
    market = Market(port=ports.find_free(), symbols=symbols, balance=BALANCE_USDT)
    env = {
        **os.environ,
        "VENUE": "simulator",
        "TRADING": "live",
        "BITMART_BASE_URL": f"http://{ports.HOST}:{market.port}",
        "BITMART_WS_URL": f"ws://{ports.HOST}:{market.port}",
        "MTF_PROFILES": "always",
        "MTF_PROFILES_DIR": str(_write_profile(var, symbols)),
        "REDIS_URL": settings.REDIS_URL,
        "DATABASE_URL": settings.DATABASE_URL,
    }
    state.open_state(var / "simulator.json", now=datetime.now(UTC))
    programs = [simulator(market, var=var, env=env)]
    programs += [program for program in workers(0, var=var, env=env) if program.name.startswith("worker-")]
    with ExitStack() as stack:
        for program in programs:
            stack.callback(program.stop)
            stack.callback(program.request_stop)
            program.start()
        yield env


def _write_profile(var: Path, symbols: int) -> Path:
    """Write and return a folder with one profile that is always ready, and risks next to nothing."""
    folder = var / "bench-profiles"
    folder.mkdir()
    content = yaml.safe_load((settings.MTF_PROFILES_DIR / "regular.yaml").read_text(encoding="utf-8"))
    rules = {"long": ["close > 0"], "short": ["close < 0"]}
    content |= {
        "name": "always",
        "universe": {"top_n": symbols},
        "context_timeframes": ["5m"],
        "execution_timeframes": ["1m"],
        "timeframes": {"5m": dict(rules), "1m": {name: list(rule) for name, rule in rules.items()}},
    }
    content.pop("filters_mandatory")
    zone = {
        "anchor": "sma21",
        "timeframe": "1m",
        "atr_timeframe": "1m",
        "k_atr": 10,
        "w_min": 0.02,
        "w_max": 0.05,
    }
    content["entry"] |= {
        "risk_pct": 0.001,
        "max_concurrent_positions": 100,
        "zone_max_deviation_pct": 5,
        "spread_guard_bps": 100,
        "zone": {**zone, "ttl_s": 240},
    }
    (folder / "conditions.yaml").write_text("{}\n")
    (folder / "always.yaml").write_text(yaml.safe_dump(content))
    return folder
