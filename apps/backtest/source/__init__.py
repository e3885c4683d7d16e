"""Candles in: what is asked for, from the recorded market or from the market room.

`stored` (the market room) is imported by its own path: it needs Django, the recorded market does not.
"""

from apps.backtest.source.asked import Asked, SourceError
from apps.backtest.source.holes import Holes, holes
from apps.backtest.source.recorded import Recorded, recorded
from apps.backtest.source.source import Source

__all__ = ["Asked", "Holes", "Recorded", "Source", "SourceError", "holes", "recorded"]
