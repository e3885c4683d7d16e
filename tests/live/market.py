"""A small market for the desk's tests: candles whose close decides what the test's profiles say."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from apps.engine.profile.profile import MIN_CANDLES
from apps.engine.values.candle import Candle, Source
from apps.engine.values.timeframe import Timeframe
from apps.market import store
from tests.rooms.builders import contract

AT = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
"""A boundary of every timeframe but 1d."""
MINUTE = timedelta(minutes=1)
LONG, SHORT, NEUTRAL = "101", "99", "100"
"""Closes by which tests.live.desk.PLAIN says long, short and neither."""
M1, M5, M15, H1, H4, D1 = Timeframe


def candle(
    symbol: str, timeframe: Timeframe, closes_at: datetime, close: str = LONG, source: Source = Source.WS
) -> Candle:
    """The candle that closes at `closes_at`, one below and above its close."""
    price = Decimal(close)
    return Candle(
        symbol,
        timeframe,
        closes_at - timeframe.duration,
        price,
        price + 1,
        price - 1,
        price,
        Decimal(10),
        source,
    )


def run_of(
    symbol: str, timeframe: Timeframe, until: datetime, count: int = MIN_CANDLES, close: str = LONG
) -> list[Candle]:
    """`count` candles, the last one closing at the newest boundary at or before `until`."""
    last = timeframe.floor(until)
    return [candle(symbol, timeframe, last - n * timeframe.duration, close) for n in range(count)][::-1]


def fill(
    symbols: Sequence[str],
    timeframes: Sequence[Timeframe],
    until: datetime = AT,
    *,
    count: int = MIN_CANDLES,
    close: str = LONG,
) -> None:
    """List `symbols` and store enough candles of each to be judged at `until`."""
    store.save_contracts([contract(symbol) for symbol in symbols], until)
    store.save_candles(
        c for s in symbols for timeframe in timeframes for c in run_of(s, timeframe, until, count, close)
    )


def push(symbol: str, at: datetime, close: str = LONG, timeframe: Timeframe = M1) -> None:
    """Store the candle that closed at `at`."""
    store.save_candles([candle(symbol, timeframe, at, close)])
