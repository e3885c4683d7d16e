"""How far back a rule looks."""

from __future__ import annotations

from math import ceil

from apps.engine.rules.term import Read
from apps.engine.values.timeframe import Timeframe


def rows(where: Timeframe, judged: Timeframe, read: Read) -> int:
    """Rows of `where` that `read` may reach, also when the judged candle is late and its last one stands."""
    late = 1
    if where == judged and read.timeframe is None:
        return read.lag + read.back + late + 1
    # The judged candle may itself have closed almost one of them ago.
    reach_s = (read.back + late + 1) * judged.seconds
    return read.lag + ceil(reach_s / where.seconds) + 1
