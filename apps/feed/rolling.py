"""Rolls stored candles up, from each timeframe to the next coarser one."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime

from apps.engine.rollup import roll_up
from apps.engine.values.candle import Candle
from apps.engine.values.timeframe import ROLLED_UP
from apps.market import store


def roll_up_around(changed: Iterable[Candle], *, now: datetime) -> int:
    """Re-make every coarser candle, closed at `now`, whose bucket holds one of the changed 1m candles.

    Incomplete buckets are left alone. Returns how many stored candles changed.
    """
    touched = {(c.symbol, c.open_time) for c in changed}
    total = 0
    for timeframe in ROLLED_UP:
        finer = timeframe.finer
        assert finer is not None
        buckets: dict[datetime, set[str]] = defaultdict(set)
        for symbol, open_time in touched:
            bucket = timeframe.floor(open_time)
            if bucket + timeframe.duration <= now:
                buckets[bucket].add(symbol)
        if not buckets:
            return total
        made: list[Candle] = []
        for bucket, symbols in buckets.items():
            stored = store.candles_of(sorted(symbols), finer, bucket, bucket + timeframe.duration)
            for candles in stored.values():
                made += roll_up(candles, timeframe)
        total += store.save_candles(made)
        touched = {(c.symbol, c.open_time) for c in made}
    return total
