"""When is a pushed candle closed? No exchange says: a successor opens, or its end and a grace have passed."""

from __future__ import annotations

from datetime import datetime, timedelta

import structlog

from apps.engine.ports.market import FormingCandle
from apps.engine.values.candle import Candle, ImpossibleCandle, Source

log = structlog.get_logger("feed")

GRACE = timedelta(seconds=1.3)
"""A candle without a successor is final this long after its end: before the minute is announced at 1.5 s."""

LIVE_FOR = timedelta(minutes=2)
"""A symbol that closed a candle within this time is waited for; a silent one is not."""


class CandleCloser:
    """The forming 1m candle of every symbol. Not thread-safe: it belongs to the stream's loop."""

    def __init__(self) -> None:
        self._forming: dict[str, FormingCandle] = {}
        self._closed_until: dict[str, datetime] = {}
        self.refused: dict[str, int] = {}

    def push(self, candle: FormingCandle) -> list[Candle]:
        """Take one push; return the predecessor it proves closed, or nothing."""
        if candle.open_time < self._closed_until.get(candle.symbol, candle.open_time):
            return []
        previous = self._forming.get(candle.symbol)
        if previous is not None and candle.open_time < previous.open_time:
            return []
        self._forming[candle.symbol] = candle
        if previous is not None and candle.open_time > previous.open_time:
            return self._close(previous)
        return []

    def close_due(self, now: datetime) -> list[Candle]:
        """Close the candles whose end and grace have passed without a successor; return them."""
        over = [c for c in self._forming.values() if now >= c.open_time + c.timeframe.duration + GRACE]
        closed: list[Candle] = []
        for candle in over:
            del self._forming[candle.symbol]
            closed += self._close(candle)
        return closed

    def pending_symbols(self, minute: datetime) -> frozenset[str]:
        """Return the live symbols whose candle that ended at `minute` has not closed yet."""
        forming = {s for s, c in self._forming.items() if c.open_time < minute}
        live = {s for s, until in self._closed_until.items() if until < minute <= until + LIVE_FOR}
        return frozenset(forming | live)

    def forget(self, symbols: tuple[str, ...]) -> None:
        """Drop forming candles whose pushes may have been missed: REST will tell."""
        for symbol in symbols:
            self._forming.pop(symbol, None)

    def _close(self, forming: FormingCandle) -> list[Candle]:
        self._closed_until[forming.symbol] = forming.open_time + forming.timeframe.duration
        try:
            return [
                Candle(
                    forming.symbol,
                    forming.timeframe,
                    forming.open_time,
                    forming.open,
                    forming.high,
                    forming.low,
                    forming.close,
                    forming.volume,
                    Source.WS,
                )
            ]
        except ImpossibleCandle as fault:
            self.refused[fault.law] = self.refused.get(fault.law, 0) + 1
            log.warning("candle_refused", symbol=forming.symbol, law=fault.law, detail=str(fault))
            return []
