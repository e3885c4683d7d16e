"""The timeframes there are, and arithmetic on their boundaries (all UTC)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from enum import StrEnum


class Timeframe(StrEnum):
    """A candle length. Members compare as their text (`"5m"`); order them by `seconds`."""

    M1 = "1m"
    M5 = "5m"
    M15 = "15m"
    H1 = "1h"
    H4 = "4h"
    D1 = "1d"

    @property
    def seconds(self) -> int:
        return _SECONDS[self]

    @property
    def ms(self) -> int:
        return _SECONDS[self] * 1000

    @property
    def duration(self) -> timedelta:
        return timedelta(seconds=_SECONDS[self])

    @property
    def finer(self) -> Timeframe | None:
        """Return the next finer timeframe, of which this one is rolled up; None for 1m."""
        return _FINER[self]

    def floor(self, moment: datetime) -> datetime:
        """Return the newest boundary at or before `moment`: a candle that opens there contains it."""
        stamp = int(moment.timestamp())
        return datetime.fromtimestamp(stamp - stamp % self.seconds, UTC)

    def newest_open(self, at: datetime) -> datetime:
        """Return the open time of the newest candle closed at `at`."""
        return self.floor(at) - self.duration


_SECONDS = {
    Timeframe.M1: 60,
    Timeframe.M5: 300,
    Timeframe.M15: 900,
    Timeframe.H1: 3600,
    Timeframe.H4: 14400,
    Timeframe.D1: 86400,
}
_FINER = {
    Timeframe.M1: None,
    Timeframe.M5: Timeframe.M1,
    Timeframe.M15: Timeframe.M5,
    Timeframe.H1: Timeframe.M15,
    Timeframe.H4: Timeframe.H1,
    Timeframe.D1: Timeframe.H4,
}

VALIDATION = (Timeframe.H4, Timeframe.H1, Timeframe.M15, Timeframe.M5, Timeframe.M1)
"""What takes part in a verdict, slowest first."""

ROLLED_UP = (Timeframe.M5, Timeframe.M15, Timeframe.H1, Timeframe.H4, Timeframe.D1)
"""What is made from the next finer timeframe, finest first."""

WINDOW = dict.fromkeys(VALIDATION, 990) | {Timeframe.M1: 1490, Timeframe.D1: 30}
"""Closed candles a window holds: two REST pages of 499, three for 1m so that it holds a whole UTC day."""
