"""Candles that were stored or corrected after a moment: the usual reason why a verdict is not what it was."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from apps.engine.values.timeframe import Timeframe
from apps.live.models import MtfRun
from apps.market.models import Kline

AFTER_READING = ("windows_ms", "evaluate_ms", "write_ms")
"""The stages of a run between its reading of the candles and its end."""


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

    def corrected_after(self, moment: datetime) -> bool:
        """Whether another candle had been there before."""
        return self.inserted_at <= moment

    def told(self, read: datetime) -> str:
        """In words, for a run that read its candles at `read`."""
        how = "corrected" if self.corrected_after(read) else "stored"
        when = self.written_at if self.corrected_after(read) else self.inserted_at
        return (
            f"its {self.timeframe} candle of {self.open_time:%m-%d %H:%M} was {how} at "
            f"{when:%m-%d %H:%M:%S}, after the run had read its candles"
        )


def read_at(run: MtfRun) -> datetime | None:
    """When a run read its candles: what was written later it did not see. None while it has no end."""
    if run.finished_at is None:
        return None
    return run.finished_at - timedelta(
        milliseconds=sum(run.timings.get(stage, 0.0) for stage in AFTER_READING)
    )


def written_after(
    symbol: str, timeframe: Timeframe, after: datetime, start: datetime, end: datetime
) -> list[LateCandle]:
    """Candles with start <= open_time < end that were written after `after`, rising by open time."""
    rows = Kline.objects.filter(
        symbol=symbol, timeframe=timeframe, open_time__gte=start, open_time__lt=end, updated_at__gt=after
    )
    times = rows.order_by("open_time").values_list("open_time", "inserted_at", "updated_at")
    return [LateCandle(timeframe, *one) for one in times]


def newest_first(found: Sequence[LateCandle]) -> list[LateCandle]:
    """The candle that mattered most first: the newest to close, of those the fastest."""
    return sorted(found, key=lambda one: (one.close_time, -one.timeframe.seconds), reverse=True)
