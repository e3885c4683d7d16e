"""A live desk driven over the recorded market, every verdict of it remembered; and its entries, one by one.

Minutes and entries are the live ones over a real database and broker; only the exchange is in this process.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from functools import cache
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest
from django.db import transaction

from apps.engine.cycle import EntryResult
from apps.engine.evaluate.judgement import MinuteJudgement
from apps.engine.evaluate.verdict import Verdict
from apps.engine.ports.market import CandlePage
from apps.engine.profile import Profile
from apps.engine.values.reason import Refusal
from apps.engine.values.timeframe import Timeframe
from apps.exchange import venue
from apps.exchange.simulator.broker import CONSTRAINTS, Broker
from apps.exchange.simulator.exchange import Exchange as SimulatedExchange
from apps.exchange.simulator.market.archive import Archive
from apps.exchange.simulator.market.market import Market
from apps.exchange.simulator.market.path import milliseconds
from apps.exchange.simulator.market.state import DEFAULT_SEED
from apps.feed.announcement import redis_client
from apps.live.cause import Cause
from apps.live.enter.symbol_entry import enter_symbol
from apps.live.models import MtfRun, WatchState
from apps.live.recorder import RunRecorder
from apps.market import store
from tests.live.recorded import Recorded

EQUITY = Decimal(1000)


class RememberingRecorder(RunRecorder):
    """The worker's own ledger, which also keeps what it was given."""

    def __init__(self) -> None:
        super().__init__()
        self.heard: dict[tuple[str, str, datetime], Verdict] = {}
        self.ready: list[tuple[UUID, Verdict]] = []

    def record(
        self, decided: Sequence[tuple[MtfRun, MinuteJudgement]], *, at: datetime, **others: Any
    ) -> list[dict[str, Cause]]:
        causes = super().record(decided, at=at, **others)
        for run, judgement in decided:
            for symbol in judgement.symbols:
                verdict = judgement.verdict(symbol)
                self.heard[judgement.profile.name, symbol, at] = verdict
                if verdict.reason is None:
                    self.ready.append((run.run_id, verdict))
        return causes


def run_minutes(
    archive: Archive, profiles: Sequence[Profile], began: datetime, minutes: int
) -> RememberingRecorder:
    """Judge `minutes` from the one after `began` on, as live: injected, each with its candles just stored."""
    market = Recorded(archive, archive.symbols, profiles, redis_client(), began=began)
    ledger = market.worker.recorder = RememberingRecorder()
    market.drive(minutes)
    return ledger


class Exchange:
    """One account with EQUITY on the recorded market; it stands at `now`."""

    def __init__(self, archive: Archive, now: datetime) -> None:
        self.archive, self.now = archive, now
        market = Market(archive, DEFAULT_SEED)
        self.broker = Broker(SimulatedExchange.open(market, milliseconds(now), balance=EQUITY), now)

    def candles(self, symbol: str, timeframe: Timeframe, start: datetime, end: datetime) -> CandlePage:
        return CandlePage(self.archive.candles(symbol, timeframe, start, end))


def enter_live(
    exchange: Exchange, run_id: UUID, symbol: str, monkeypatch: pytest.MonkeyPatch
) -> EntryResult | Refusal:
    """What the live entry makes of a run's READY verdict on empty books; nothing of it is kept."""
    there = SimpleNamespace(constraints=CONSTRAINTS, broker=exchange.broker, prompt_history=exchange)
    monkeypatch.setattr(venue, "current", cache(lambda: there))
    with transaction.atomic():
        store.save_contracts(exchange.broker.contracts(), exchange.now)
        read = dict.fromkeys(("started_at", "read_at", "reconciled_at", "heard_at"), exchange.now)
        WatchState.objects.update_or_create(account=venue.account(), defaults=read)
        outcome = enter_symbol(str(run_id), symbol, clock=lambda: exchange.now)
        transaction.set_rollback(True)
    return outcome


def seconds_after(verdict: Verdict, latency_s: int) -> datetime:
    return verdict.evaluated_at + timedelta(seconds=latency_s)
