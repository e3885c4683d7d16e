"""A stretch of the recorded market and READY minutes made by hand, for replays of a few hours."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import cache
from typing import Any

import numpy as np

from apps.backtest.entry_signals import READY, EntrySignals
from apps.backtest.outcome import Outcome
from apps.backtest.replay import DECISION_LATENCY_S, LAST_TICK, Replay, trade_signals
from apps.backtest.signal_queue import SignalQueue
from apps.backtest.source import CandleRange, open_recorded
from apps.backtest.watch import SymbolWatch
from apps.engine.profile import Profile
from apps.engine.values.position import Side
from apps.engine.values.timeframe import Timeframe
from apps.exchange.simulator.exchange import Exchange
from apps.exchange.simulator.market.market import Market
from apps.exchange.simulator.market.path import milliseconds
from apps.exchange.simulator.tape.code import CLOSE
from benchmarks.trading.always import ENTRY, always

START = datetime(2025, 5, 20, 6, tzinfo=UTC)
SYMBOLS = ("BTCUSDT", "ETHUSDT", "SOLUSDT")
EQUITY = Decimal(1000)
ZONE_HOURS = 30


def profile(**entry: Any) -> Profile:
    """READY and entered wherever a test says so, on 1m, with a stop of half a percent."""
    return Profile.load(always(entry=ENTRY | entry), {}, "test")


@cache
def market(symbols: Sequence[str] = SYMBOLS, days: int = 2) -> Market:
    return Market(
        open_recorded(CandleRange(tuple(symbols), START, START + timedelta(days=days))).archive, seed=1
    )


def ready(
    symbol: str,
    minutes: Sequence[int],
    by: Profile,
    *,
    side: Side = Side.LONG,
    atr_ratio: float = 0.003,
    candle_minutes: int = 1,
) -> EntrySignals:
    """READY so many minutes after START, by the 1m candle that closed then.

    `candle_minutes` 3 keeps each candle deciding for three minutes.
    """
    at_ms = np.array([int(START.timestamp() * 1000) + minute * 60_000 for minute in minutes], dtype=np.int64)
    closes = market().archive.matrix(symbol, 60, int(START.timestamp()) - 60, max(minutes, default=0) + 1)
    listing = market().archive.listing(symbol)
    prices = np.array([float(listing.price(closes[CLOSE, minute])) for minute in minutes])
    opened = at_ms - (at_ms // 60_000 % candle_minutes + 1) * 60_000
    return EntrySignals(
        symbol=symbol,
        profile=by,
        timeframes=[Timeframe.M1],
        at_ms=at_ms,
        open_ms=opened,
        timeframe=np.zeros(len(at_ms), dtype=np.int64),
        side=np.full(len(at_ms), 1 if side is Side.LONG else -1, dtype=np.int64),
        columns={Timeframe.M1: {"sma21": prices, "vwap": prices, "atr": prices * atr_ratio}},
        verdicts={READY: len(at_ms)},
        candles=len(at_ms),
    )


def narrow_zones() -> list[EntrySignals]:
    """READY most of the time, in zones of some basis points, two of them a little off the market."""
    by = profile(
        zone=ENTRY["zone"] | {"k_atr": 0.1, "w_min": 0.0004, "w_max": 0.0005},
        order_ttl_s=90,
        max_holding_s=60,
        out_of_zone_bps=6,
        slippage_guard_bps=8,
        fallback_end_of_zone={"ttl_threshold_s": 25, "max_spread_bps": 8},
    )
    readies = []
    for symbol, side, off in zip(
        SYMBOLS, (Side.LONG, Side.SHORT, Side.LONG), (1, 1.0006, 0.9994), strict=True
    ):
        built = ready(symbol, list(range(1, 60 * ZONE_HOURS, 2)), by, side=side)
        columns = built.columns[Timeframe.M1]
        shifted = columns | {"sma21": columns["sma21"] * off}
        readies.append(replace(built, columns={Timeframe.M1: shifted}))
    return readies


def replaying(
    readies: Sequence[EntrySignals],
    *,
    queue: type[SignalQueue] = SignalQueue,
    watch: type[SymbolWatch] = SymbolWatch,
) -> Replay:
    """A replay at START, of another make where a test wants it."""
    exchange = Exchange.open(market(), milliseconds(START), balance=EQUITY)
    replay = Replay(readies[0].profile, queue(readies, DECISION_LATENCY_S * 1000), exchange, START)
    replay.watch = watch(replay.ledger, replay.broker, exchange.mark_leaves)
    return replay


def played(replay: Replay, readies: Sequence[EntrySignals], hours: float) -> Outcome:
    end = START + timedelta(hours=hours)
    replay.play(end - LAST_TICK)
    return replay.outcome(readies[0].profile, readies, START, end, EQUITY)


def replayed(readies: Sequence[EntrySignals], *, hours: float = 12, **changes: Any) -> Outcome:
    end = START + timedelta(hours=hours)
    by = readies[0].profile
    return trade_signals(by, readies, market(), start=START, end=end, equity=EQUITY, **changes)
