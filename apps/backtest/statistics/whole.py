"""One outcome in figures: the whole, and by symbol, side, exit and month."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from apps.backtest.outcome import Outcome, Trade
from apps.backtest.statistics.equity import EquityFigures, equity_figures
from apps.backtest.statistics.exposure import mean_exposure_ratio, time_in_market_pct
from apps.backtest.statistics.trades import TradeFigures, trade_figures

GROUPS: Mapping[str, Callable[[Trade], str]] = {
    "symbol": lambda trade: trade.symbol,
    "side": lambda trade: str(trade.side),
    "exit": lambda trade: str(trade.exit),
    "month": lambda trade: f"{trade.closed_at:%Y-%m}",
}
"""Ways to part the trades; a month is the UTC month of the closing."""


@dataclass(frozen=True, slots=True)
class Statistics:
    """`orders` were sent, of which `filled` (also in part) became trades; `unfilled` counts by last status.

    `by` maps each name of GROUPS to its parts, in rising order of their names.
    """

    equity: EquityFigures
    trades: TradeFigures
    time_in_market_pct: float
    mean_exposure_ratio: float | None
    orders: int
    filled: int
    unfilled: Mapping[str, int]
    by: Mapping[str, Mapping[str, TradeFigures]]


def statistics(outcome: Outcome) -> Statistics:
    return Statistics(
        equity=equity_figures(outcome),
        trades=trade_figures(outcome.trades),
        time_in_market_pct=time_in_market_pct(outcome),
        mean_exposure_ratio=mean_exposure_ratio(outcome),
        orders=len(outcome.trades) + len(outcome.unfilled),
        filled=len(outcome.trades),
        unfilled=_counted([order.status for order in outcome.unfilled]),
        by={name: _parts(outcome, part) for name, part in GROUPS.items()},
    )


def _parts(outcome: Outcome, part: Callable[[Trade], str]) -> dict[str, TradeFigures]:
    names = sorted({part(trade) for trade in outcome.trades})
    return {name: trade_figures([each for each in outcome.trades if part(each) == name]) for name in names}


def _counted(words: list[str]) -> dict[str, int]:
    return {word: words.count(word) for word in sorted(set(words))}
