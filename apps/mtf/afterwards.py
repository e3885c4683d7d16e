"""Candles that were stored or corrected after a moment: the usual reason why a verdict is not what it was."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from apps.engine.values.timeframe import Timeframe
from apps.market.models import Kline
from apps.mtf.models import MtfRun

AFTER_READING = ("windows_ms", "evaluate_ms", "write_ms")
"""The stages of a run between its reading of the candles and its end."""


@dataclass(frozen=True, slots=True)
class LateCandle:
    """A candle last written at `written_at`; `corrected` when another one had been stored before it."""

    timeframe: Timeframe
    open_time: datetime
    written_at: datetime
    corrected: bool

    @property
    def close_time(self) -> datetime:
        return self.open_time + self.timeframe.duration

    def __str__(self) -> str:
        how = "corrected" if self.corrected else "stored"
        return (
            f"its {self.timeframe} candle of {self.open_time:%m-%d %H:%M} was {how} at "
            f"{self.written_at:%m-%d %H:%M:%S}, after the run had read its candles"
        )

    def to_json(self) -> dict[str, Any]:
        return {
            "timeframe": str(self.timeframe),
            "open_time": self.open_time.isoformat(),
            "written_at": self.written_at.isoformat(),
            "corrected": self.corrected,
        }


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
    return [LateCandle(timeframe, opened, updated, inserted <= after) for opened, inserted, updated in times]


def newest_first(found: Sequence[LateCandle]) -> list[LateCandle]:
    """The candle that mattered most first: the newest to close, of those the fastest."""
    return sorted(found, key=lambda one: (one.close_time, -one.timeframe.seconds), reverse=True)
