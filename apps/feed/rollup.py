"""Rolls stored candles up, from each timeframe to the next coarser one."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime

from apps.engine.rollup import roll_up
from apps.engine.values.candle import Candle
from apps.engine.values.timeframe import ROLLED_UP
from apps.market import store


def roll_up_changed(changed: Sequence[Candle], *, now: datetime) -> int:
    """Roll up again every coarser candle that is over and whose bucket holds one of the changed 1m candles.

    Over is what ends at `now` or at the newest changed candle's end: the venue's clock may be ahead of ours.
    Incomplete buckets are left alone. Returns how many stored candles changed.
    """
    over = max([now, *(c.close_time for c in changed)])
    touched = {(c.symbol, c.open_time) for c in changed}
    total = 0
    for timeframe in ROLLED_UP:
        finer = timeframe.finer
        assert finer is not None
        buckets: dict[datetime, set[str]] = defaultdict(set)
        for symbol, open_time in touched:
            bucket = timeframe.floor(open_time)
            if bucket + timeframe.duration <= over:
                buckets[bucket].add(symbol)
        if not buckets:
            return total
        coarser: list[Candle] = []
        for bucket, symbols in buckets.items():
            stored = store.candles_by_symbol(sorted(symbols), finer, bucket, bucket + timeframe.duration)
            for candles in stored.values():
                coarser += roll_up(candles, timeframe)
        total += store.save_candles(coarser)
        touched = {(c.symbol, c.open_time) for c in coarser}
    return total
