"""Candles in: a range of them, from the recorded market or from the market room.

`stored` (the market room) is imported by its own path: it needs Django, the recorded market does not.
"""

from apps.backtest.source.candle_range import CandleRange, Holes, Source, SourceError, find_holes
from apps.backtest.source.recorded import RecordedSource, open_recorded

__all__ = ["CandleRange", "Holes", "RecordedSource", "Source", "SourceError", "find_holes", "open_recorded"]
