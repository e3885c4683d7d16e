"""The recorded market in the tables, and minutes driven over it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import redis
from django.db import connection

from apps.engine.profile import Profile
from apps.engine.values.candle import Candle, Source
from apps.engine.values.timeframe import WINDOW, Timeframe
from apps.exchange.simulator.market.archive import Archive
from apps.live.models import MtfRun
from apps.market import store
from tests.live.desk import Worker
from tests.live.market import MINUTE
from tests.rooms.builders import contract

BEGAN = datetime(2026, 11, 19, 11, 49, tzinfo=UTC)
"""What closed until here is stored from the beginning; noon, a boundary of four timeframes, follows soon."""


class Recorded:
    """Symbols of the recorded market: their past is stored, and each driven minute brings its candles."""

    def __init__(
        self,
        archive: Archive,
        symbols: Sequence[str],
        judged: Sequence[Profile],
        broker: redis.Redis,
        began: datetime = BEGAN,
    ) -> None:
        self.archive, self.symbols, self.at = archive, tuple(symbols), began
        store.save_contracts([contract(symbol) for symbol in archive.symbols], began)
        for timeframe, length in WINDOW.items():
            until = timeframe.floor(began)
            self.store(timeframe, until - length * timeframe.duration, until, self.symbols)
        self.worker = Worker(self.symbols, judged, broker=broker)

    def drive(self, minutes: int, *, late: Sequence[str] = ()) -> list[MtfRun]:
        """Judge the next `minutes`; the 1m candles of `late` symbols do not arrive."""
        runs = []
        for _ in range(minutes):
            self.at += MINUTE
            for timeframe in WINDOW:
                if timeframe.floor(self.at) == self.at:
                    arriving = [s for s in self.symbols if s not in late or timeframe != Timeframe.M1]
                    self.store(timeframe, self.at - timeframe.duration, self.at, arriving)
            runs += self.worker.minute(self.at)
        return runs

    def store(self, timeframe: Timeframe, start: datetime, end: datetime, symbols: Sequence[str]) -> None:
        for symbol in symbols:
            store.save_candles(self.archive.candles(symbol, timeframe, start, end))

    def correct(self, symbol: str, opened: datetime, *, times: str) -> Candle:
        """The exchange tells another 1m candle of `opened` now: its prices `times` as high."""
        [before] = self.archive.candles(symbol, Timeframe.M1, opened, opened + MINUTE)
        factor = type(before.close)(times)
        prices = (price * factor for price in (before.open, before.high, before.low, before.close))
        other = Candle(symbol, Timeframe.M1, opened, *prices, before.volume, Source.REST)
        store.save_candles([other])
        written_now(symbol, opened)
        return other


def written_now(symbol: str, opened: datetime) -> None:
    """A test's one transaction has one now(): move the stamps of a 1m candle past the runs' ends."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE klines SET updated_at = clock_timestamp() "
            "WHERE symbol = %s AND open_time = %s AND timeframe = '1m'",
            [symbol, opened],
        )
