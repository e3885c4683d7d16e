"""What machines read of a backtest: one JSON object, and a CSV row for each trade."""

from apps.backtest.export.summary import summary
from apps.backtest.export.trade_rows import COLUMNS, trade_csv

__all__ = ["COLUMNS", "summary", "trade_csv"]
