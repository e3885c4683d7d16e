"""Each shipped profile over the recorded market: it trades, its money adds up, and nothing was left out."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import cache
from pathlib import Path

import pytest

from apps.backtest.entry_signals import EntrySignals, entry_signals, judge_past
from apps.backtest.outcome import Outcome
from apps.backtest.replay import DECISION_LATENCY_S, LAST_TICK, Replay, trade_signals
from apps.backtest.signal_queue import SignalQueue
from apps.backtest.source import CandleRange, RecordedSource, open_recorded
from apps.engine.profile import Profile
from apps.exchange.simulator.exchange import Exchange
from apps.exchange.simulator.market.market import Market
from apps.exchange.simulator.market.path import milliseconds
from apps.exchange.simulator.tape.read import extent
from apps.profiles.files import load_profiles
from tests.backtest.test_replay_leaps import EveryTurn

pytestmark = pytest.mark.slow

FOLDER = Path(__file__).resolve().parents[2] / "profiles"
NAMES = ("scalper_micro", "scalper", "regular", "classic", "crash")
EQUITY = Decimal(1000)
DAYS = 24


@cache
def source(days: int) -> RecordedSource:
    symbols, first_minute, _ = extent()
    start = datetime.fromtimestamp(first_minute * 60, UTC)
    return open_recorded(CandleRange(symbols, start, start + timedelta(days=days)))


def judged(name: str, days: int) -> tuple[Profile, list[EntrySignals]]:
    [profile] = load_profiles(FOLDER, [name])
    recorded = source(days)
    return profile, [
        entry_signals(judge_past(recorded, symbol, profile)) for symbol in recorded.range.symbols
    ]


def traded(turns: SignalQueue, profile: Profile, signals: list[EntrySignals], days: int) -> Outcome:
    range_ = source(days).range
    exchange = Exchange.open(Market(source(days).archive, seed=1), milliseconds(range_.start), balance=EQUITY)
    replay = Replay(profile, turns, exchange, range_.start)
    replay.play(range_.end - LAST_TICK)
    return replay.outcome(profile, signals, range_.start, range_.end, EQUITY)


@pytest.mark.parametrize("name", NAMES)
def test_a_profile_fills_orders_and_its_money_adds_up_to_the_last_digit(name: str) -> None:
    profile, signals = judged(name, DAYS)
    range_, market = source(DAYS).range, Market(source(DAYS).archive, seed=1)
    outcome = trade_signals(profile, signals, market, start=range_.start, end=range_.end, equity=EQUITY)
    assert len(outcome.trades) >= 1
    assert sum(trade.net for trade in outcome.trades) == outcome.equity_points[-1].equity - EQUITY
    tried = len(outcome.trades) + len(outcome.unfilled) + sum(outcome.refusals.values())
    assert tried == outcome.verdicts["READY"]


@pytest.mark.parametrize("name", NAMES)
def test_what_was_left_out_would_have_been_refused_for_the_reason_counted(name: str) -> None:
    days = 3
    profile, signals = judged(name, days)
    latency_ms = DECISION_LATENCY_S * 1000
    leaping, every = (
        traded(turns(signals, latency_ms), profile, signals, days) for turns in (SignalQueue, EveryTurn)
    )
    assert leaping == every
