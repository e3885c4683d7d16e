"""A market made by hand around one decision of the worked example: BTCUSDT, 2026-03-02 10:00, long."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import numpy as np

from apps.backtest.enter import EntryPlacer
from apps.backtest.entry_signals import READY, EntrySignals
from apps.backtest.outcome import Outcome
from apps.backtest.replay import LAST_TICK, Replay
from apps.backtest.signal_queue import SignalQueue
from apps.backtest.watch import SymbolWatch
from apps.engine.values.position import Quote
from apps.engine.values.timeframe import Timeframe
from apps.exchange.simulator.broker import Broker
from apps.exchange.simulator.exchange import Exchange
from apps.exchange.simulator.market.archive import Archive
from apps.exchange.simulator.market.listing import Listing
from apps.exchange.simulator.market.market import Market
from apps.exchange.simulator.market.path import milliseconds
from apps.exchange.simulator.market.state import State
from apps.exchange.simulator.tape.code import HIGH, LOW, VOLUME
from apps.exchange.simulator.tape.read import Tape
from tests.engine.trade_builder import D, profile

LISTING = Listing(
    symbol="BTCUSDT",
    base="BTC",
    price_decimals=1,
    volume_decimals=3,
    max_leverage=100,
    max_volume=1_000_000,
    market_max_volume=1_000_000,
    listed_at_ms=0,
    brackets=(
        {"initial_leverage": 100, "notional_cap": "200000", "maint_margin_ratio": "0.005", "cum": "0"},
    ),
)
READY_AT = datetime(2026, 3, 2, 10, tzinfo=UTC)
START, END = READY_AT.replace(hour=9), READY_AT.replace(hour=11)
SECONDS_LATER = 2
BUSY = 1_000_000
"""Contracts a minute."""
FLAT = 674_124
"""The last price in ticks, of 0.1."""


def market(*, then: int = FLAT, from_minute: int = 30, wick: int = 20, volume: int = BUSY) -> Market:
    """Flat, with a wick down in the first minute; `then` from so many minutes after READY_AT on."""
    return market_of_steps({from_minute: then}, wick=wick, volume=volume)


def market_of_steps(steps: Mapping[int, int], *, wick: int = 20, volume: int = BUSY) -> Market:
    """Flat, with a wick down in the first minute; from each minute after READY_AT on at its price (ticks)."""
    candles = np.full((5, 1440), FLAT, dtype=np.int64)
    for minute, price in sorted(steps.items()):
        candles[:VOLUME, 600 + minute :] = price
    candles[VOLUME] = volume
    candles[LOW, 600] = FLAT - wick
    candles[HIGH, 600] = FLAT + 2 * wick
    state = State(date(2026, 3, 2), day=0)
    return Market(Archive([Tape(LISTING, state.first_minute, candles)], 1, state), seed=1)


class Quoted(Broker):
    """The page's book: a tick wide, which the recorded market's never is at this price."""

    def quote(self, symbol: str) -> Quote:
        return Quote(symbol, D("67412.3"), D("67412.4"), D("67410.2"), D("67412.4"), self.now)


def readies(**entry: Any) -> EntrySignals:
    return EntrySignals(
        symbol="BTCUSDT",
        profile=profile("scalper_micro", **entry),
        timeframes=[Timeframe.M1],
        at_ms=np.array([milliseconds(READY_AT)]),
        open_ms=np.array([milliseconds(READY_AT) - 60_000]),
        timeframe=np.array([0]),
        side=np.array([1]),
        columns={
            Timeframe.M1: {"sma21": np.array([67401.52]), "atr": np.array([95.3])},
            Timeframe.M5: {"atr": np.array([210.6])},
        },
        verdicts={READY: 1},
        candles=1,
    )


def played(
    on: Market, broker: type[Quoted] = Quoted, *, until: datetime = END, **entry: Any
) -> tuple[Outcome, Replay]:
    """The decision traded, and the replay that did it; `entry` replaces keys of the profile's section."""
    signals, equity = readies(**entry), Decimal(1000)
    exchange = Exchange.open(on, milliseconds(START), balance=equity)
    replay = Replay(signals.profile, SignalQueue([signals], SECONDS_LATER * 1000), exchange, START)
    replay.broker = broker(exchange, START)
    replay.placer = EntryPlacer(signals.profile, replay.ledger, replay.broker)
    replay.watch = SymbolWatch(replay.ledger, replay.broker, replay.exchange.mark_leaves)
    replay.play(until - LAST_TICK)
    return replay.outcome(signals.profile, [signals], START, until, equity), replay
