"""The one definition of rolling up: complete candles of a timeframe made from those of a finer one."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import localcontext
from itertools import groupby, pairwise

import numpy as np

from apps.engine.frame import CLOSE, HIGH, LOW, OPEN, VOLUME, Floats
from apps.engine.values.candle import Candle, Source
from apps.engine.values.timeframe import Timeframe

EXACT_DIGITS = 60
"""Enough for the sum of a day of 28-digit volumes: a rolled-up volume is never rounded."""


def roll_up(candles: Sequence[Candle], timeframe: Timeframe) -> list[Candle]:
    """Return the complete candles of `timeframe` inside `candles`: rising, one symbol, one finer timeframe.

    A bucket that misses a candle, at an edge or in the middle, is left out. The source is ROLLUP.
    Raises ValueError when the candles are not rising, are mixed, or are not finer than `timeframe`.
    """
    if not candles:
        return []
    ratio = _ratio(candles[0].timeframe, timeframe)
    for before, after in pairwise(candles):
        series, other = f"{before.symbol} {before.timeframe}", f"{after.symbol} {after.timeframe}"
        if series != other:
            raise ValueError(f"candles of {series} and {other} are mixed")
        if before.open_time >= after.open_time:
            raise ValueError(f"{series} candles do not rise: {after.open_time} follows {before.open_time}")

    buckets = groupby(candles, key=lambda candle: timeframe.floor(candle.open_time))
    rolled_up = []
    for open_time, bucket in buckets:
        members = list(bucket)
        if len(members) != ratio:
            continue
        with localcontext(prec=EXACT_DIGITS):
            volume = sum((candle.volume for candle in members[1:]), members[0].volume)
        rolled_up.append(
            Candle(
                symbol=members[0].symbol,
                timeframe=timeframe,
                open_time=open_time,
                open=members[0].open,
                high=max(candle.high for candle in members),
                low=min(candle.low for candle in members),
                close=members[-1].close,
                volume=volume,
                source=Source.ROLLUP,
            )
        )
    return rolled_up


def roll_up_columns(
    candles: Floats, first_open_ms: int, finer: Timeframe, coarser: Timeframe
) -> tuple[Floats, int]:
    """Roll up many series at once: (5, S, N) candles of `finer`, the first at `first_open_ms` (Unix ms).

    Return (5, S, M) candles of `coarser` and the open of their first column: the buckets that lie wholly on
    the axis, NaN in all five where a candle is absent. Raises ValueError when a time or a timeframe is wrong.
    """
    ratio = _ratio(finer, coarser)
    if first_open_ms % finer.ms:
        raise ValueError(f"first open {first_open_ms} ms is not a multiple of {finer}")
    lead = -first_open_ms % coarser.ms // finer.ms
    count = max(candles.shape[2] - lead, 0) // ratio
    whole = candles[:, :, lead : lead + count * ratio]
    members = whole.reshape(5, candles.shape[1], count, ratio)
    merged = np.empty(members.shape[:3])
    merged[OPEN] = members[OPEN, ..., 0]
    merged[CLOSE] = members[CLOSE, ..., -1]
    merged[HIGH] = members[HIGH].max(axis=-1)
    merged[LOW] = members[LOW].min(axis=-1)
    merged[VOLUME] = members[VOLUME].sum(axis=-1)
    merged[:, np.isnan(merged[HIGH])] = np.nan
    return merged, first_open_ms + lead * finer.ms


def _ratio(finer: Timeframe, coarser: Timeframe) -> int:
    if finer.seconds >= coarser.seconds:
        raise ValueError(f"{coarser} candles cannot be rolled up from {finer} candles: not a finer timeframe")
    return coarser.seconds // finer.seconds
