"""What an outcome amounts to: pure functions from trades and equity to figures. Unknown is None, never 0."""

from apps.backtest.statistics.equity import Drawdown, EquityFigures
from apps.backtest.statistics.trades import Statistics, TradeFigures, statistics

__all__ = ["Drawdown", "EquityFigures", "Statistics", "TradeFigures", "statistics"]
