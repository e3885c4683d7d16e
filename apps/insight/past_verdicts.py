"""The past as the engine replays it: one profile over one symbol at every minute, from stored candles."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import numpy as np

from apps.engine.cycle import replay
from apps.engine.evaluate.judgement import PastJudgement
from apps.engine.frame import Windows
from apps.engine.indicators.history import history
from apps.engine.profile import Profile
from apps.engine.values.errors import TradingError
from apps.engine.values.timeframe import WINDOW, Timeframe
from apps.market import store as market

MINUTE = timedelta(minutes=1)


class NoCandles(TradingError):
    """A stretch of which nothing is stored."""


def past(symbol: str, profile: Profile, start: datetime, end: datetime) -> PastJudgement:
    """What `profile` says of `symbol` at every minute t with start <= t < end, one row each.

    Both are aware UTC minutes. Each timeframe reads a whole live window before the first minute: every row
    has at least what the live minute had.
    """
    stretches = {timeframe: _stretch(symbol, timeframe, start, end) for timeframe in profile.timeframes}
    first_ms, end_ms = (int(moment.timestamp() * 1000) for moment in (start, end))
    closes_ms = np.arange(first_ms, end_ms, Timeframe.M1.ms, dtype=np.int64)
    return replay(history(stretches, profile.columns), profile, closes_ms)


def refuse_without_candles(symbols: Sequence[str], start: datetime, end: datetime) -> None:
    """NoCandles, saying what is stored, unless a 1m candle of one of `symbols` closed in [start, end)."""
    stored = market.series()
    spans = [stored[symbol, Timeframe.M1] for symbol in symbols if (symbol, Timeframe.M1) in stored]
    if any(one.first_open < end - MINUTE and one.last_open >= start - MINUTE for one in spans):
        return
    named = ", ".join(symbols) if len(symbols) <= 3 else f"{len(symbols)} symbols"
    if not spans:
        raise NoCandles(f"no 1m candle of {named} is stored: manage.py backfill_klines fetches them")
    first, last = min(one.first_open for one in spans), max(one.last_open for one in spans)
    raise NoCandles(
        f"no 1m candle of {named} is stored between {start:%Y-%m-%d %H:%M} and {end:%Y-%m-%d %H:%M} UTC; "
        f"stored are {first:%Y-%m-%d %H:%M} to {last:%Y-%m-%d %H:%M}"
    )


def _stretch(symbol: str, timeframe: Timeframe, start: datetime, end: datetime) -> Windows:
    first, last = timeframe.floor(start), timeframe.floor(end - MINUTE)
    length = WINDOW[timeframe] + (last - first) // timeframe.duration
    return market.Table().windows([symbol], timeframe, until=last, length=length)
