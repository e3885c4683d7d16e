"""The HTML report: one file that holds everything and asks nobody."""

from apps.backtest.report.html import page
from apps.backtest.report.trade_candles import PastCandles

__all__ = ["PastCandles", "page"]
