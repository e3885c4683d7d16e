"""The same entries and looks at the same moments, here in process, there over HTTP by the live adapter."""

from __future__ import annotations

import contextlib
import os
import time
import uuid
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
import requests

from apps.backtest.enter import EntryPlacer
from apps.backtest.entry_signals import EntrySignals
from apps.backtest.ledger import MemoryLedger
from apps.backtest.watch import SymbolWatch
from apps.engine import events
from apps.engine.cycle import EntryResult, SendResult
from apps.engine.values.book import TrackedOrder
from apps.engine.values.contract import Contract
from apps.engine.values.position import Quote, Side
from apps.engine.values.reason import Refusal
from apps.exchange.bitmart import order_client
from apps.exchange.bitmart.broker import Broker
from apps.exchange.bitmart.broker_reader import PATIENCE, BrokerReader
from apps.exchange.bitmart.order_client import OrderClient
from apps.exchange.bitmart.read_client import ReadClient
from apps.exchange.simulator.server import running
from apps.exchange.transport.rate import Rate
from apps.exchange.transport.rate_limiter import RateLimiter
from tests.backtest.short_replay import EQUITY, START, market, narrow_zones, played, profile, ready, replaying
from tests.backtest.test_replay_tranches import DEEP
from tests.contract.account import PLAY

HOURS = 9
SYMBOLS = ("BTCUSDT", "SOLUSDT", "ETHUSDT")
Step = tuple[datetime, str, Any]
IN_THREE = {"scaling": [0.5, 0.3, 0.2], "zone": DEEP, "order_ttl_s": 120}


class Noted(EntryPlacer):
    """Keeps when what was entered."""

    steps: list[Step]

    def enter(self, signals: EntrySignals, row: int, now: datetime) -> EntryResult | Refusal:
        self.steps.append((now, "enter", (signals, row)))
        return super().enter(signals, row, now)

    def fall_back(self, order: TrackedOrder, now: datetime) -> SendResult | Refusal:
        self.steps.append((now, "fall back", order))
        return super().fall_back(order, now)


class Watched(SymbolWatch):
    """Keeps when what was looked at."""

    steps: list[Step]

    def follow_symbol(self, symbol: str, contract: Contract, now: datetime) -> list[events.Event]:
        self.steps.append((now, "look", symbol))
        return super().follow_symbol(symbol, contract, now)


class Hand:
    """The exchange's clock. It stands a little after the moment: a float of seconds never falls below it."""

    def __init__(self, at: datetime) -> None:
        self.at = at

    def __call__(self) -> datetime:
        return self.at + timedelta(microseconds=100)


class Adapter(Broker):
    """The live one; its quotes are stamped by our clock, which is the hand here."""

    hand: Hand

    def quote(self, symbol: str) -> Quote:
        return replace(super().quote(symbol), at=self.hand.at)


@pytest.fixture
def hand() -> Hand:
    return Hand(START)


@pytest.fixture
def address(hand: Hand) -> Iterator[str]:
    archive = market().archive
    with running(archive, clock=hand, limits=False, balance=EQUITY) as server_address:
        yield server_address


@pytest.fixture
def broker(address: str, hand: Hand, monkeypatch: pytest.MonkeyPatch) -> Iterator[Broker]:
    """The live adapter, at the hand's time, without waiting for its turn."""
    monkeypatch.setattr(BrokerReader, "server_time", lambda self: hand())
    monkeypatch.setattr(RateLimiter, "wait_turn", lambda self, *args: 0.0)
    clock = SimpleNamespace(time_ns=lambda: int(hand().timestamp() * 1e9), perf_counter=time.perf_counter)
    monkeypatch.setattr(order_client, "time", clock)
    limits = RateLimiter(os.environ["REDIS_URL"], uuid.uuid4().hex, ceiling=Rate(100, 100.0))
    client = ReadClient(address, limits, key=PLAY.key, patience=PATIENCE)
    with contextlib.closing(Adapter(client, OrderClient(address, limits, PLAY))) as adapter:
        adapter.hand = hand
        yield adapter


def in_process(readies: list[EntrySignals], hours: int = HOURS) -> tuple[list[Step], MemoryLedger, Any]:
    replay = replaying(readies, watch=Watched)
    replay.placer = Noted(readies[0].profile, replay.ledger, replay.broker)
    replay.placer.steps = replay.watch.steps = steps = []
    outcome = played(replay, readies, hours)
    return steps, replay.ledger, outcome


def over_http(steps: list[Step], by: Any, broker: Broker, hand: Hand) -> MemoryLedger:
    ledger = MemoryLedger(keeps_refusals=False)
    placer, watch = EntryPlacer(by, ledger, broker), SymbolWatch(ledger, broker, lambda *_: None)
    for hand.at, what, of in steps:
        if what == "enter":
            placer.enter(*of, hand.at)
        elif what == "fall back":
            placer.fall_back(of, hand.at)
        else:
            watch.follow_symbol(of, placer.contract(of), hand.at)
    return ledger


@pytest.mark.parametrize("entry", [{"order_ttl_s": 60}, IN_THREE], ids=["one", "three"])
def test_a_stretch_comes_out_the_same_in_process_and_over_the_wire(
    address: str, broker: Broker, hand: Hand, entry: dict[str, Any]
) -> None:
    by = profile(tp1_r=0.5, trailing={"atr_k": 2}, max_holding_s=4000, **entry)
    minutes = [minute for minute in range(60 * HOURS) if minute % 3 == 0]
    readies = [
        ready(symbol, minutes, by, side=side, atr_ratio=0.002)
        for symbol, side in zip(SYMBOLS, (Side.LONG, Side.SHORT, Side.LONG), strict=True)
    ]
    steps, here, outcome = in_process(readies)
    there = over_http(steps, by, broker, hand)
    assert there.recorded == here.recorded
    assert outcome.trades
    assert outcome.unfilled
    assert {"stop_moved", "stop_kept", "time_stop"} <= {event.name for event in here.recorded}
    if entry is IN_THREE:
        filled = {event.order.part for event in here.recorded if isinstance(event, events.OrderFilled)}
        assert filled == {"1/3", "2/3", "3/3"}
    books = requests.get(f"{address}/admin/books", timeout=30).json()
    assert books["balance"]["wallet"] == str(outcome.equity_points[-1].balance)


def test_entries_taken_back_and_their_rests_come_out_the_same_in_process_and_over_the_wire(
    address: str, broker: Broker, hand: Hand
) -> None:
    readies = narrow_zones()
    steps, here, outcome = in_process(readies, 24)
    there = over_http(steps, readies[0].profile, broker, hand)
    assert there.recorded == here.recorded
    assert there.plans == here.plans
    asked = [event.detail for event in here.recorded if isinstance(event, events.OrderCancelAsked)]
    assert {"out of zone", "fallback at the end of the zone"} <= {detail.split(":")[0] for detail in asked}
    rests = [event.order for event in here.recorded if isinstance(event, events.OrderFilled)]
    assert any(order.attempt == 1 for order in rests)
    books = requests.get(f"{address}/admin/books", timeout=30).json()
    assert books["balance"]["wallet"] == str(outcome.equity_points[-1].balance)
