"""What an outcome amounts to: pure functions from trades and equity to figures. Unknown is None, never 0."""

from apps.backtest.statistics.equity import Drawdown, EquityFigures
from apps.backtest.statistics.trades import TradeFigures
from apps.backtest.statistics.whole import Statistics, statistics

__all__ = ["Drawdown", "EquityFigures", "Statistics", "TradeFigures", "statistics"]
