"""What the stored candles say now: a minute judged again, a span replayed, and the candles that came late."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np

from apps.engine.cycle import evaluate, replay
from apps.engine.evaluate.judgement import MinuteJudgement, PastJudgement
from apps.engine.evaluate.verdict import Verdict
from apps.engine.indicators.history import history
from apps.engine.profile import Profile
from apps.engine.values.errors import TradingError
from apps.engine.values.timeframe import WINDOW, Timeframe
from apps.live.models import MtfRun
from apps.live.quotes import with_spreads
from apps.live.windows import Warm
from apps.market import store as market
from apps.market.models import Kline
from apps.market.table import CandleTable

MINUTE = timedelta(minutes=1)
AFTER_READING = ("windows_ms", "evaluate_ms", "write_ms")
"""The stages of a run between its reading of the candles and its end."""


class NoCandles(TradingError):
    """Nothing is stored of the span that was to be judged."""


@dataclass(frozen=True, slots=True)
class LateCandle:
    """A candle first stored at `inserted_at` and last written at `written_at`."""

    timeframe: Timeframe
    open_time: datetime
    inserted_at: datetime
    written_at: datetime

    @property
    def close_time(self) -> datetime:
        return self.open_time + self.timeframe.duration

    def is_correction(self, read_at: datetime) -> bool:
        """Whether another candle had been there at `read_at`."""
        return self.inserted_at <= read_at

    def sentence(self, read_at: datetime) -> str:
        """Return what happened to it after a run had read its candles at `read_at`."""
        how, when = ("stored", self.inserted_at)
        if self.is_correction(read_at):
            how, when = ("corrected", self.written_at)
        return (
            f"its {self.timeframe} candle of {self.open_time:%m-%d %H:%M} was {how} at "
            f"{when:%m-%d %H:%M:%S}, after the run had read its candles"
        )


def minute_judgement(
    symbol: str, minute: datetime, profile: Profile, spread_bps: float | None = None
) -> MinuteJudgement:
    """Return what the stored candles say of one symbol at `minute`, by the very steps of the live minute.

    `spread_bps` is what was quoted then, None where it is not known.
    """
    warm = Warm((symbol,), [profile])
    warm.refresh(minute)
    frames = with_spreads(warm.frames(), {} if spread_bps is None else {symbol: spread_bps})
    [judgement] = evaluate(frames, [profile], at=minute)
    return judgement


def recorded_spread(verdict: Verdict) -> float | None:
    """Return the spread that a verdict was judged with, where a leaf of its selection compares just that."""
    for part in verdict.timeframes:
        for leaf in part.leaves:
            if leaf.side is None and leaf.text.startswith(("spread_bps <", "spread_bps >")):
                return leaf.left
    return None


def asks_spread(profile: Profile) -> bool:
    """Whether its selection names spread_bps: quotes are pushed and not stored, so no past knows it."""
    rules = [
        rule for judged in profile.timeframe_rules for side, _, rule in judged.all_rules() if side is None
    ]
    return any("spread_bps" in leaf.text for rule in rules for leaf in rule.leaves())


def past_judgement(symbol: str, profile: Profile, start: datetime, end: datetime) -> PastJudgement:
    """Return what `profile` says of `symbol` at every minute t with start <= t < end, one row each.

    Both are aware UTC minutes. Each timeframe reads a whole live window before the first minute: every row
    has at least what the live minute had.
    """
    spans = {}
    for timeframe in profile.timeframes:
        first, last = timeframe.floor(start), timeframe.floor(end - MINUTE)
        length = WINDOW[timeframe] + (last - first) // timeframe.duration
        spans[timeframe] = CandleTable().windows([symbol], timeframe, until=last, length=length)
    first_ms, end_ms = (int(moment.timestamp() * 1000) for moment in (start, end))
    closes_ms = np.arange(first_ms, end_ms, Timeframe.M1.ms, dtype=np.int64)
    return replay(history(spans, profile.columns), profile, closes_ms)


def require_candles(symbols: Sequence[str], start: datetime, end: datetime) -> None:
    """Raise NoCandles, saying what is stored, unless a 1m candle of `symbols` closed in [start, end)."""
    stored = market.series()
    spans = [stored[symbol, Timeframe.M1] for symbol in symbols if (symbol, Timeframe.M1) in stored]
    if any(span.first_open < end - MINUTE and span.last_open >= start - MINUTE for span in spans):
        return
    names = ", ".join(symbols) if len(symbols) <= 3 else f"{len(symbols)} symbols"
    if not spans:
        raise NoCandles(f"no 1m candle of {names} is stored: manage.py backfill_klines fetches them")
    first, last = min(span.first_open for span in spans), max(span.last_open for span in spans)
    raise NoCandles(
        f"no 1m candle of {names} is stored between {start:%Y-%m-%d %H:%M} and {end:%Y-%m-%d %H:%M} UTC; "
        f"stored are {first:%Y-%m-%d %H:%M} to {last:%Y-%m-%d %H:%M}"
    )


def candles_read_at(run: MtfRun) -> datetime | None:
    """Return when `run` read its candles: what was written later it did not see. None while it has no end."""
    if run.finished_at is None:
        return None
    after_ms = sum(run.timings.get(stage, 0.0) for stage in AFTER_READING)
    return run.finished_at - timedelta(milliseconds=after_ms)


def late_candles(
    symbol: str, after: datetime, spans: Iterable[tuple[Timeframe, datetime, datetime]]
) -> list[LateCandle]:
    """Return the candles that open in one of `spans` [start, end) and were written after `after`.

    The one that mattered most comes first: the newest to close, of those the fastest.
    """
    candles = []
    for timeframe, start, end in spans:
        rows = Kline.objects.filter(
            symbol=symbol, timeframe=timeframe, open_time__gte=start, open_time__lt=end, updated_at__gt=after
        )
        times = rows.values_list("open_time", "inserted_at", "updated_at")
        candles += [LateCandle(timeframe, *row) for row in times]
    return sorted(candles, key=lambda candle: (candle.close_time, -candle.timeframe.seconds), reverse=True)
