"""decision: candles announced → every profile's run `decided` and committed, over a warm recorded market."""

from __future__ import annotations

import argparse
import gc
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import yaml
from django.conf import settings
from rich.console import Console
from rich.progress import track

from apps.audit.models import MtfAudit
from apps.engine.profile import Profile
from apps.engine.values.candle import Candle
from apps.engine.values.timeframe import ROLLED_UP, WINDOW, Timeframe
from apps.exchange.simulator.market.archive import Archive
from apps.exchange.simulator.market.state import State
from apps.feed.announcement import announce, redis_client
from apps.feed.rollup import roll_up_changed
from apps.live.minute import run_minute
from apps.live.models import MtfRun, RunStatus
from apps.live.recorder import RunRecorder
from apps.live.windows import Warm
from apps.market import store
from apps.signals.models import IndicatorSnapshot, Signal, ValidationCache

NEEDS_DJANGO = True
SCREEN = Console(stderr=True)
"""Progress is for people: standard output holds the result alone."""
MINUTE = timedelta(minutes=1)
SHIPPED = ("scalper_micro", "scalper", "regular", "classic", "crash")
CLOCKED = ("close_to_decided_ms",)
"""Stages measured against the wall clock, which means nothing in minutes that are injected."""


def run(args: list[str]) -> dict[str, Any]:
    """Measure plain minutes, then 4h boundaries, each measured alone and with its roll-up."""
    parser = argparse.ArgumentParser(prog="bench decision", description=__doc__)
    parser.add_argument("--symbols", type=int, default=400)
    parser.add_argument(
        "--profiles", type=int, default=1, help="1 is scalper_micro alone, 5 all that are shipped"
    )
    parser.add_argument("--repeats", type=int, default=200, help="plain minutes")
    parser.add_argument("--boundaries", type=int, default=30, help="4h boundaries")
    options = parser.parse_args(args)
    market = _Market(options.symbols, options.profiles)
    market.load()
    cold_ms = market.warm_up()
    plain = market.plain_minutes(options.repeats)
    boundary = market.boundaries(options.boundaries)
    return {
        "name": "decision",
        "params": vars(options),
        "metrics": {
            **_spread("plain", plain),
            **(_spread("boundary_4h", boundary) if boundary else {}),
            "cold_windows_ms": round(cold_ms, 1),
            **market.written(),
        },
        "stages": {
            name: round(float(np.median([stages[name] for stages in market.plain_stages])), 2)
            for name in market.plain_stages[0]
            if name not in CLOCKED
        },
    }


class _Market:
    """The recorded market under N names, stored up to a moment that moves on."""

    def __init__(self, symbols: int, profiles: int) -> None:
        now = datetime.now(UTC)
        self.archive = Archive.open(State(now.date()), symbols=symbols)
        self.symbols = self.archive.symbols
        self.profiles = variants(profiles)
        self.client = redis_client()
        self.recorder = RunRecorder()
        self.at = Timeframe.H4.floor(now) - timedelta(days=8) + timedelta(hours=2)
        self.warm = Warm(self.symbols, self.profiles)
        self.plain_stages: list[dict[str, float]] = []

    def load(self) -> None:
        """Store every window up to `at`."""
        for symbol in track(self.symbols, description="storing windows", console=SCREEN):
            for timeframe, length in WINDOW.items():
                end = timeframe.floor(self.at)
                store.save_candles(
                    self.archive.candles(symbol, timeframe, end - length * timeframe.duration, end)
                )

    def warm_up(self) -> float:
        """Fill the windows, write the first run, which is never plain; return ms of the cold read."""
        started = time.perf_counter()
        self.warm.refresh(self.at)
        cold = time.perf_counter() - started
        self._decide()
        return cold * 1000

    def plain_minutes(self, count: int) -> list[float]:
        taken: list[float] = []
        for _ in track(range(count + count // 4), description="plain minutes", console=SCREEN):
            self.at += MINUTE
            candles = self._candles_of_minute()
            store.save_candles(candles)
            roll_up_changed(candles, now=self.at)
            took, stages = self._decide()
            if self.at.minute % 5:
                taken.append(took)
                self.plain_stages.append(stages)
        return taken

    def boundaries(self, count: int) -> list[float]:
        """Jump to the minute before each 4h boundary, then time its roll-up and its decision."""
        taken: list[float] = []
        for _ in track(range(count), description="4h boundaries", console=SCREEN):
            before = Timeframe.H4.floor(self.at) + Timeframe.H4.duration - MINUTE
            for timeframe in (Timeframe.M1, *ROLLED_UP):  # all closed up to there in one write a timeframe
                start, end = timeframe.floor(self.at), timeframe.floor(before)
                store.save_candles(
                    candle
                    for symbol in self.symbols
                    for candle in self.archive.candles(symbol, timeframe, start, end)
                )
            self.at = before
            self._decide()
            self.at += MINUTE
            candles = self._candles_of_minute()
            started = time.perf_counter()
            store.save_candles(candles)
            roll_up_changed(candles, now=self.at)
            rolled_ms = (time.perf_counter() - started) * 1000
            took, _ = self._decide()
            taken.append(rolled_ms + took)
        return taken

    def written(self) -> dict[str, int]:
        """Return the rows in the tables afterwards: proof that the runs wrote."""
        decided = MtfRun.objects.filter(status=RunStatus.DECIDED).count()
        return {
            "runs_decided": decided,
            "runs_not_decided": MtfRun.objects.count() - decided,
            "snapshots_rows": IndicatorSnapshot.objects.count(),
            "outcomes_rows": ValidationCache.objects.count(),
            "signals_rows": Signal.objects.count(),
            "audit_rows": MtfAudit.objects.count(),
        }

    def _candles_of_minute(self) -> list[Candle]:
        return [
            candle
            for symbol in self.symbols
            for candle in self.archive.candles(symbol, Timeframe.M1, self.at - MINUTE, self.at)
        ]

    def _decide(self) -> tuple[float, dict[str, float]]:
        """Announce and judge `at`; return milliseconds, and the run's own stages."""
        gc.collect()
        started = time.perf_counter()
        announce(self.client, self.at, [])
        [run, *_] = run_minute(
            self.at,
            profiles=self.profiles,
            warm=self.warm,
            recorder=self.recorder,
            client=self.client,
            now=self.at,
        )
        took = (time.perf_counter() - started) * 1000
        run.refresh_from_db()
        return took, run.timings


def variants(count: int) -> list[Profile]:
    """Return the shipped profiles, and beyond them copies under other names."""
    conditions = yaml.safe_load((settings.MTF_PROFILES_DIR / "conditions.yaml").read_text(encoding="utf-8"))
    profiles: list[Profile] = []
    for number in range(count):
        source = SHIPPED[number % len(SHIPPED)]
        content = yaml.safe_load((settings.MTF_PROFILES_DIR / f"{source}.yaml").read_text(encoding="utf-8"))
        content["name"] = source if number < len(SHIPPED) else f"{source}_{number}"
        profiles.append(Profile.load(content, conditions, content["name"]))
    return profiles


def _spread(name: str, taken: Sequence[float]) -> dict[str, float]:
    return {
        f"{name}_n": len(taken),
        f"{name}_median_ms": round(float(np.median(taken)), 1),
        f"{name}_p99_ms": round(float(np.percentile(taken, 99)), 1),
        f"{name}_max_ms": round(max(taken), 1),
    }
