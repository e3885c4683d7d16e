"""Every shipped profile traded over some days of the recorded market, its books left open to look into."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import cache
from pathlib import Path

import numpy as np

from apps.backtest.entry_signals import EntrySignals, entry_signals, judge_past
from apps.backtest.outcome import Outcome
from apps.backtest.replay import DECISION_LATENCY_S, LAST_TICK, Replay
from apps.backtest.signal_queue import SignalQueue
from apps.backtest.source import CandleRange, RecordedSource, open_recorded
from apps.engine.profile import Profile
from apps.exchange.simulator.exchange import Exchange
from apps.exchange.simulator.market.archive import Archive
from apps.exchange.simulator.market.market import Market
from apps.exchange.simulator.market.path import milliseconds
from apps.exchange.simulator.market.state import DEFAULT_SEED, State
from apps.exchange.simulator.tape.code import VOLUME
from apps.exchange.simulator.tape.read import Tape, extent, load
from apps.profiles.files import load_profiles, profile_names

PROFILES = Path(__file__).resolve().parents[2] / "profiles"
SHIPPED: dict[str, Profile] = {
    profile.name: profile for profile in load_profiles(PROFILES, profile_names(PROFILES))
}
SYMBOLS, FIRST_MINUTE, _ = extent()
FIRST = datetime.fromtimestamp(FIRST_MINUTE * 60, UTC)
START = FIRST + timedelta(days=7)
END = START + timedelta(days=6)
EQUITY = Decimal(1000)


@dataclass(frozen=True)
class Traded:
    """A replay that was played, and what it came to."""

    replay: Replay
    outcome: Outcome
    market: Market


def traded(name: str, market: Market, end: datetime) -> Traded:
    """One profile from START to `end`: judged by the recorded market up to then, traded on `market`."""
    ready = _ready(name, end)
    exchange = Exchange.open(market, milliseconds(START), balance=EQUITY)
    replay = Replay(SHIPPED[name], SignalQueue(ready, DECISION_LATENCY_S * 1000), exchange, START)
    replay.play(end - LAST_TICK)
    return Traded(replay, replay.outcome(SHIPPED[name], ready, START, end, EQUITY), market)


@cache
def whole(name: str) -> Traded:
    return traded(name, Market(_recorded().archive, DEFAULT_SEED), END)


def market_with_another_future(cut: datetime) -> Market:
    """The recorded market up to `cut`; from then on its days run backwards, at twice the price."""
    known = (cut - FIRST) // timedelta(minutes=1)
    tapes = []
    for tape in _tapes():
        candles = np.concatenate([tape.candles[:, :known], tape.candles[:, known:][:, ::-1]], axis=1)
        candles[:VOLUME, known:] *= 2
        tapes.append(replace(tape, candles=candles))
    return Market(Archive(tapes, len(tapes), State(FIRST.date(), day=0)), DEFAULT_SEED)


def _ready(name: str, end: datetime) -> list[EntrySignals]:
    source = RecordedSource(CandleRange(SYMBOLS, START, end), _recorded().archive)
    return [entry_signals(judge_past(source, symbol, SHIPPED[name])) for symbol in SYMBOLS]


@cache
def _tapes() -> list[Tape]:
    return load()


@cache
def _recorded() -> RecordedSource:
    return open_recorded(CandleRange(SYMBOLS, START, END))
