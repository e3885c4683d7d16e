"""The live desk and the backtest over the same hours: the same verdicts, leaf by leaf, and the same plans.

What is tolerated, and why: live settles its indicators over a window, the backtest over all it has, and both
add floats in another order. So the numbers a leaf compared, and those a plan notes of its zone (anchor, ATR),
may differ in their last digits. What held, every outcome, side, reason and score, and every price, size and
refusal of a plan may not differ, and in these hours they do not.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from django.conf import settings
from pytest_django import Settings

from apps.backtest.enter import EntryPlacer
from apps.backtest.entry_signals import EntrySignals, entry_signals, judge_past
from apps.backtest.ledger import MemoryLedger
from apps.backtest.replay import DECISION_LATENCY_S
from apps.backtest.source import CandleRange, open_recorded
from apps.backtest.source.stored import open_stored
from apps.engine.cycle import EntryResult
from apps.engine.enter.entry_price import ZoneRefusal
from apps.engine.evaluate.judgement import PastJudgement
from apps.engine.evaluate.verdict import Verdict
from apps.engine.values.plan import OrderPlan, Zone
from apps.engine.values.reason import Refusal
from apps.exchange.simulator.market.archive import Archive
from apps.profiles.files import load_profiles, profile_names
from tests.backtest.live_desk import Exchange, RememberingRecorder, enter_live, run_minutes, seconds_after
from tests.live.market import MINUTE

pytestmark = [pytest.mark.slow, pytest.mark.django_db]

PROFILES = Path(settings.MTF_PROFILES_DIR)
SHIPPED = {profile.name: profile for profile in load_profiles(PROFILES, profile_names(PROFILES))}
SYMBOLS = ("BTCUSDT", "BNBUSDT", "LINKUSDT")
BEGAN = datetime(2025, 5, 15, 21, 59, tzinfo=UTC)
"""Midnight, a boundary of 4h and of the day, is among these hours; every profile plans an order in them."""
MINUTES = 140
DIGITS = 9
"""Significant, of what a plan notes of indicators: they agree to 12 and more."""


@pytest.fixture(scope="module")
def archive() -> Archive:
    return open_recorded(CandleRange(SYMBOLS, BEGAN, BEGAN + MINUTES * MINUTE)).archive


@pytest.fixture
def house(settings: Settings) -> None:
    settings.VENUE, settings.TRADING, settings.REVIEW = "simulator", "live", "auto"


@pytest.mark.usefixtures("house")
def test_hours_driven_live_give_the_verdicts_and_the_plans_of_their_backtest(
    archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One test, because driving the hours takes most of the time."""
    live = run_minutes(archive, list(SHIPPED.values()), BEGAN, MINUTES)
    past = {(name, symbol): _replayed(name, symbol) for name in SHIPPED for symbol in SYMBOLS}
    for (name, symbol), history in past.items():
        for row in range(MINUTES - 1):
            at = BEGAN + (row + 1) * MINUTE
            assert _said(live.heard[name, symbol, at]) == _said(history.verdict(row)), (name, symbol, at)
    _plans_are_equal(live, past, archive, monkeypatch)


def _replayed(name: str, symbol: str) -> PastJudgement:
    """The backtest of what the database holds now; the last minute has no candle after it to trade on."""
    start = BEGAN + MINUTE
    return judge_past(
        open_stored(CandleRange(SYMBOLS, start, BEGAN + MINUTES * MINUTE)), symbol, SHIPPED[name]
    )


def _said(verdict: Verdict) -> Verdict:
    """All of a verdict but the numbers of its leaves: outcomes, sides, reasons, scores, and what held."""
    timeframes = (
        replace(judged, leaves=tuple(replace(leaf, left=None, right=None) for leaf in judged.leaves))
        for judged in verdict.timeframes
    )
    return replace(verdict, timeframes=tuple(timeframes))


def _plans_are_equal(
    live: RememberingRecorder,
    past: dict[tuple[str, str], PastJudgement],
    archive: Archive,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Each decision entered twice, on an account and at a quote of its own: by the live desk, and here."""
    planned: Counter[str] = Counter()
    ready = {key: entry_signals(history) for key, history in past.items()}
    for run_id, verdict in _decisions(live):
        exchange = Exchange(archive, seconds_after(verdict, DECISION_LATENCY_S))
        by_live = enter_live(exchange, run_id, verdict.symbol, monkeypatch)
        by_past = _entered(ready[verdict.profile, verdict.symbol], verdict, archive)
        assert _made(by_live) == _made(by_past), verdict
        planned[verdict.profile] += isinstance(by_live, EntryResult)
    assert all(planned[name] for name in SHIPPED), planned
    print(f"{len(live.heard):,} verdicts, {len(live.ready):,} READY; plans: {dict(planned)}")


def _decisions(live: RememberingRecorder) -> list[tuple[UUID, Verdict]]:
    """Each READY decision at the first minute it was told in, with that minute's run."""
    first: dict[tuple[Any, ...], tuple[UUID, Verdict]] = {}
    for run_id, verdict in live.ready:
        key = (
            verdict.profile,
            verdict.symbol,
            verdict.execution_timeframe,
            verdict.candle_open_at,
            verdict.side,
        )
        if verdict.evaluated_at < BEGAN + MINUTES * MINUTE:
            first.setdefault(key, (run_id, verdict))
    return list(first.values())


def _entered(ready: EntrySignals, verdict: Verdict, archive: Archive) -> EntryResult | Refusal:
    exchange = Exchange(archive, seconds_after(verdict, DECISION_LATENCY_S))
    entering = EntryPlacer(ready.profile, MemoryLedger(), exchange.broker)
    row = ready.at_ms.tolist().index(round(verdict.evaluated_at.timestamp() * 1000))
    return entering.enter(ready, row, exchange.now)


def _made(outcome: EntryResult | Refusal) -> OrderPlan | Refusal:
    """With what is tolerated rounded."""
    if isinstance(outcome, EntryResult):
        return replace(outcome.plan, zone=_rounded_zone(outcome.plan.zone))
    numbers = {name: _rounded(value) for name, value in outcome.numbers.items()}
    if isinstance(outcome, ZoneRefusal):
        return replace(outcome, numbers=numbers, zone=_rounded_zone(outcome.zone))
    return replace(outcome, numbers=numbers)


def _rounded_zone(zone: Zone) -> Zone:
    return replace(zone, anchor=_rounded(zone.anchor), atr=_rounded(zone.atr))


def _rounded(value: Any) -> Any:
    return Decimal(f"{value:.{DIGITS}g}") if isinstance(value, Decimal) else value
