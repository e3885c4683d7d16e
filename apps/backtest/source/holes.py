"""Candles that are not there, of one symbol over the range asked for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np

from apps.engine.frame import CLOSE, Windows
from apps.engine.values.timeframe import Timeframe


@dataclass(frozen=True, slots=True)
class Holes:
    """`missing` candles of `timeframe` from `start` on, the first of them opening at `first_open_at`."""

    timeframe: Timeframe
    missing: int
    first_open_at: datetime


def holes(stretch: Mapping[Timeframe, Windows], start: datetime) -> tuple[Holes, ...]:
    """The timeframes of one symbol that lack candles, in the order of `stretch`."""
    return tuple(found for timeframe, windows in stretch.items() if (found := _of(timeframe, windows, start)))


def _of(timeframe: Timeframe, windows: Windows, start: datetime) -> Holes | None:
    opens_ms = windows.close_ms - timeframe.ms
    lost = np.isnan(windows.candles[CLOSE, 0]) & (opens_ms >= start.timestamp() * 1000)
    if not lost.any():
        return None
    first = datetime.fromtimestamp(int(opens_ms[lost.argmax()]) / 1000, UTC)
    return Holes(timeframe, int(lost.sum()), first)
