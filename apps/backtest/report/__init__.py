"""The HTML report: one file that holds everything and asks nobody."""

from apps.backtest.report.candles import PastCandles
from apps.backtest.report.html import page

__all__ = ["PastCandles", "page"]
