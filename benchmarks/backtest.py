"""backtest: candles in memory → what a profile said at every 1m close, and what it traded; on one core."""

from __future__ import annotations

import argparse
import gc
import statistics
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import track

from apps.backtest.entry_signals import EntrySignals, entry_signals
from apps.backtest.outcome import Outcome
from apps.backtest.replay import trade_signals as trade
from apps.backtest.source import CandleRange, RecordedSource, open_recorded
from apps.engine.cycle import replay
from apps.engine.evaluate.judgement import PastJudgement
from apps.engine.evaluate.timeframe import candle_outcomes
from apps.engine.frame import Frames, Ints, Windows
from apps.engine.indicators.history import history
from apps.engine.profile import Profile
from apps.engine.rules.rule_input import RuleInput
from apps.engine.values.reason import Reason
from apps.engine.values.timeframe import Timeframe
from apps.exchange.simulator.market.market import Market
from apps.exchange.simulator.market.state import DEFAULT_SEED
from apps.exchange.simulator.tape.read import extent
from apps.profiles.files import load_profiles, profile_names

SCREEN = Console(stderr=True)
"""Progress is for people: standard output holds the result alone."""
PROFILES = Path(__file__).resolve().parents[1] / "profiles"

EQUITY = Decimal(1000)
HELD_BACK = (Reason.SYMBOL_LOCKED, Reason.COOLDOWN_ACTIVE)

Stretch = dict[Timeframe, Windows]


def run(args: list[str]) -> dict[str, Any]:
    """The whole recorded market, symbol by symbol; a repeat is all of them once."""
    parser = argparse.ArgumentParser(prog="bench backtest", description=__doc__)
    parser.add_argument("--profile", default="classic", choices=profile_names(PROFILES))
    parser.add_argument(
        "--symbols", type=int, default=16, choices=range(1, 17), metavar="N", help="1 … 16 (default 16)"
    )
    parser.add_argument("--repeats", type=int, default=9, help="at least 5 (default 9)")
    options = parser.parse_args(args)
    repeats = max(options.repeats, 5)
    [profile] = load_profiles(PROFILES, [options.profile])
    source = _source(options.symbols)
    signals = _Signals(_stretches(source, profile), profile, source.range.closes_ms)
    taken = [_seconds(signals.all) for _ in track(range(repeats), "signals", console=SCREEN)]
    events = _Events(signals, source)
    traded = [_seconds(events.all) for _ in track(range(repeats), "events", console=SCREEN)]
    return {
        "name": "backtest",
        "params": vars(options) | {"repeats": repeats},
        "metrics": {
            "signals_candles_per_s": round(signals.candles / statistics.median(taken)),
            "signals_slowest_candles_per_s": round(signals.candles / max(taken)),
            "signals_n": len(taken),
            "event_candles_per_s": round(signals.candles / statistics.median(traded)),
            "event_slowest_candles_per_s": round(signals.candles / max(traded)),
            "event_n": len(traded),
            "candles_1m": signals.candles,
            "rows_judged": signals.rows,
            "ready": signals.ready,
            "entries_tried": events.tried,
            "orders": len(events.outcome.trades) + len(events.outcome.unfilled),
            "trades": len(events.outcome.trades),
            "leaves_mib_per_symbol": round(signals.leaves_mib, 1),
        },
        "stages": signals.stages(repeats) | events.stages(repeats),
    }


class _Signals:
    """What is timed: float64 candles of every timeframe in memory → History with every leaf's arrays."""

    def __init__(self, market: Sequence[Stretch], profile: Profile, closes_ms: Ints) -> None:
        self.market, self.profile, self.closes_ms = market, profile, closes_ms
        self.candles = len(market) * len(closes_ms)
        told = [self.one(stretch) for stretch in market]  # once unmeasured: imports, caches, memory
        self.rows = sum(len(one.outcome) for history_of in told for one in history_of.timeframes)
        self.ready = sum(int(history_of.ready.sum()) for history_of in told)
        self.leaves_mib = max(map(_leaves_mib, told))

    def all(self) -> None:
        for stretch in self.market:
            self.one(stretch)

    def one(self, stretch: Stretch) -> PastJudgement:
        told = replay(history(stretch, self.profile.columns), self.profile, self.closes_ms)
        for one in told.timeframes:
            assert len(one.leaves.truth) > 0
        return told

    def stages(self, repeats: int) -> dict[str, float]:
        """Median milliseconds a symbol: indicators; rules with leaves; mapping to the 1m axis, the rest."""
        stretch, columns = self.market[0], self.profile.columns
        frames = history(stretch, columns)
        works = (lambda: history(stretch, columns), lambda: self._rules(frames), lambda: self.one(stretch))
        taken = [[1000 * _seconds(work) for work in works] for _ in range(max(repeats, 15))]
        parts = [(indicators, rules, whole - indicators - rules) for indicators, rules, whole in taken]
        medians = (round(statistics.median(part), 2) for part in zip(*parts, strict=True))
        return dict(zip(("indicators_ms", "rules_ms", "mapping_ms"), medians, strict=True))

    def _rules(self, frames: Frames) -> None:
        for judged in self.profile.timeframe_rules:
            view = RuleInput(
                frames.frames, judged.timeframe, rows=len(frames.frames[judged.timeframe].close_ms)
            )
            minimum = self.profile.min_candles(judged.timeframe)
            assert candle_outcomes(frames, judged, view, minimum=minimum).leaves.truth


class _Events:
    """What is timed: the signals as above, then every order followed to its end on one account."""

    def __init__(self, signals: _Signals, source: RecordedSource) -> None:
        self._signals, self._source = signals, source
        self.outcome = self.all()
        left_out = (Reason.SIGNAL_TOO_OLD, Reason.DUPLICATE_DECISION, *HELD_BACK)
        self.tried = signals.ready - sum(self.outcome.refusals.get(reason, 0) for reason in left_out)

    def all(self) -> Outcome:
        return self.traded([entry_signals(self._signals.one(stretch)) for stretch in self._signals.market])

    def traded(self, found: Sequence[EntrySignals]) -> Outcome:
        asked, market = self._source.range, Market(self._source.archive, DEFAULT_SEED)
        profile = self._signals.profile
        return trade(profile, found, market, start=asked.start, end=asked.end, equity=EQUITY)

    def stages(self, repeats: int) -> dict[str, float]:
        """Median milliseconds of the trading alone, all symbols together."""
        found = [entry_signals(self._signals.one(stretch)) for stretch in self._signals.market]
        taken = [1000 * _seconds(lambda: self.traded(found)) for _ in range(repeats)]
        return {"trading_all_symbols_ms": round(statistics.median(taken), 1)}


def _source(symbols: int) -> RecordedSource:
    """The first `symbols` of the recorded market, whole."""
    names, first_minute, minutes = extent()
    start = datetime.fromtimestamp(first_minute * 60, UTC)
    return open_recorded(CandleRange(names[:symbols], start, start + timedelta(minutes=minutes)))


def _stretches(source: RecordedSource, profile: Profile) -> list[Stretch]:
    loading = track(source.range.symbols, "loading candles", console=SCREEN)
    return [source.windows(symbol, profile.columns) for symbol in loading]


def _leaves_mib(told: PastJudgement) -> float:
    """What the leaves' arrays show; many share a column's memory."""
    tables = [one.leaves for one in told.timeframes]
    numbers = sum(array.nbytes for table in tables for array in (*table.left, *table.right))
    return (numbers + sum(array.nbytes for table in tables for array in table.truth)) / 2**20


def _seconds(work: Callable[[], Any]) -> float:
    gc.collect()
    started = time.perf_counter()
    work()
    return time.perf_counter() - started
