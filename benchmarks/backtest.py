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
from apps.backtest.replay import trade_signals
from apps.backtest.source import CandleRange, RecordedSource, open_recorded
from apps.engine.cycle import replay
from apps.engine.evaluate.judgement import PastJudgement
from apps.engine.evaluate.timeframe import candle_outcomes
from apps.engine.frame import Ints, Windows
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
DAY_MINUTES = 1440
HELD_BACK = (Reason.SYMBOL_LOCKED, Reason.COOLDOWN_ACTIVE)

SymbolCandles = dict[Timeframe, Windows]


def run(args: list[str]) -> dict[str, Any]:
    """Measure the whole recorded market, symbol by symbol; a repeat is all of them once."""
    parser = argparse.ArgumentParser(prog="bench backtest", description=__doc__)
    parser.add_argument("--profile", default="classic", choices=profile_names(PROFILES))
    parser.add_argument(
        "--symbols", type=int, default=16, choices=range(1, 17), metavar="N", help="1 … 16 (default 16)"
    )
    parser.add_argument("--days", type=int, help="the first N days of it (default all)")
    parser.add_argument("--repeats", type=int, default=9, help="at least 5 (default 9)")
    options = parser.parse_args(args)
    repeats = max(options.repeats, 5)
    [profile] = load_profiles(PROFILES, [options.profile])
    names, first_minute, minutes = extent()
    if options.days is not None:
        if not 1 <= options.days <= minutes // DAY_MINUTES:
            parser.error(f"argument --days: choose from 1 … {minutes // DAY_MINUTES}")
        minutes = options.days * DAY_MINUTES
    start = datetime.fromtimestamp(first_minute * 60, UTC)
    source = open_recorded(CandleRange(names[: options.symbols], start, start + timedelta(minutes=minutes)))
    loading = track(source.range.symbols, "loading candles", console=SCREEN)
    candles = [source.windows(symbol, profile.columns) for symbol in loading]
    signals = _Signals(candles, profile, source.range.closes_ms)
    judged_s = [_seconds(signals.judge_all) for _ in track(range(repeats), "signals", console=SCREEN)]
    events = _Events(signals, source)
    traded_s = [_seconds(events.trade_all) for _ in track(range(repeats), "events", console=SCREEN)]
    return {
        "name": "backtest",
        "params": vars(options) | {"repeats": repeats},
        "metrics": {
            "signals_candles_per_s": round(signals.candles / statistics.median(judged_s)),
            "signals_slowest_candles_per_s": round(signals.candles / max(judged_s)),
            "signals_n": len(judged_s),
            "event_candles_per_s": round(signals.candles / statistics.median(traded_s)),
            "event_slowest_candles_per_s": round(signals.candles / max(traded_s)),
            "event_n": len(traded_s),
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

    def __init__(self, market: Sequence[SymbolCandles], profile: Profile, closes_ms: Ints) -> None:
        self.market, self.profile, self.closes_ms = market, profile, closes_ms
        self.candles = len(market) * len(closes_ms)
        judgements = [self.judge(candles) for candles in market]  # once unmeasured: imports, caches, memory
        self.rows = sum(len(each.outcome) for judgement in judgements for each in judgement.timeframes)
        self.ready = sum(int(judgement.ready.sum()) for judgement in judgements)
        sizes = []
        for judgement in judgements:  # what the leaves' arrays show; many share a column's memory
            tables = [outcome.leaves for outcome in judgement.timeframes]
            numbers = sum(array.nbytes for table in tables for array in (*table.left, *table.right))
            sizes.append((numbers + sum(array.nbytes for table in tables for array in table.truth)) / 2**20)
        self.leaves_mib = max(sizes)

    def judge_all(self) -> None:
        for candles in self.market:
            self.judge(candles)

    def judge(self, candles: SymbolCandles) -> PastJudgement:
        judgement = replay(history(candles, self.profile.columns), self.profile, self.closes_ms)
        for outcome in judgement.timeframes:
            assert len(outcome.leaves.truth) > 0
        return judgement

    def stages(self, repeats: int) -> dict[str, float]:
        """Return median ms a symbol: indicators; rules with leaves; mapping to the 1m axis, the rest."""
        candles, columns = self.market[0], self.profile.columns
        frames = history(candles, columns)

        def judge_rules() -> None:
            for judged in self.profile.timeframe_rules:
                rows = len(frames.frames[judged.timeframe].close_ms)
                view = RuleInput(frames.frames, judged.timeframe, rows=rows)
                minimum = self.profile.min_candles(judged.timeframe)
                assert candle_outcomes(frames, judged, view, minimum=minimum).leaves.truth

        works = (lambda: history(candles, columns), judge_rules, lambda: self.judge(candles))
        taken = [[1000 * _seconds(work) for work in works] for _ in range(max(repeats, 15))]
        parts = [(indicators, rules, whole - indicators - rules) for indicators, rules, whole in taken]
        medians = (round(statistics.median(part), 2) for part in zip(*parts, strict=True))
        return dict(zip(("indicators_ms", "rules_ms", "mapping_ms"), medians, strict=True))


class _Events:
    """What is timed: the signals as above, then every order followed to its end on one account."""

    def __init__(self, signals: _Signals, source: RecordedSource) -> None:
        self._signals, self._source = signals, source
        self.outcome = self.trade_all()
        left_out = (Reason.SIGNAL_TOO_OLD, Reason.DUPLICATE_DECISION, *HELD_BACK)
        self.tried = signals.ready - sum(self.outcome.refusals.get(reason, 0) for reason in left_out)

    def trade_all(self) -> Outcome:
        return self.trade([entry_signals(self._signals.judge(candles)) for candles in self._signals.market])

    def trade(self, signals: Sequence[EntrySignals]) -> Outcome:
        range_, market = self._source.range, Market(self._source.archive, DEFAULT_SEED)
        profile = self._signals.profile
        return trade_signals(profile, signals, market, start=range_.start, end=range_.end, equity=EQUITY)

    def stages(self, repeats: int) -> dict[str, float]:
        """Return median milliseconds of the trading alone, all symbols together."""
        signals = [entry_signals(self._signals.judge(candles)) for candles in self._signals.market]
        taken = [1000 * _seconds(lambda: self.trade(signals)) for _ in range(repeats)]
        return {"trading_all_symbols_ms": round(statistics.median(taken), 1)}


def _seconds(work: Callable[[], Any]) -> float:
    gc.collect()
    started = time.perf_counter()
    work()
    return time.perf_counter() - started
