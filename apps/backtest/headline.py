"""Would this have made money: the answer in a sentence, and the figures that stand behind it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from apps.backtest.formatting import (
    UNKNOWN,
    amount,
    change_pct,
    count_of,
    day,
    duration,
    money,
    multiple,
    ratio,
    share_pct,
)
from apps.backtest.outcome import Outcome
from apps.backtest.statistics import Statistics


@dataclass(frozen=True, slots=True)
class BacktestResult:
    """One outcome with what it amounts to."""

    outcome: Outcome
    statistics: Statistics


@dataclass(frozen=True, slots=True)
class Figure:
    """A value in words, and what belongs to it."""

    value: str
    note: str = ""

    def __str__(self) -> str:
        return f"{self.value} ({self.note})" if self.note else self.value


def answer(result: BacktestResult) -> str:
    """Return one sentence: what became of the money."""
    equity, trades = result.statistics.equity, result.statistics.trades
    time = duration(result.outcome.end - result.outcome.start)
    if not trades.trades:
        return f"It did not trade: {count_of(result.statistics.orders, 'order')} in {time}, none filled."
    if equity.end_usdt == equity.start_usdt:
        became = "It broke even"
    else:
        became = "It made money" if equity.end_usdt > equity.start_usdt else "It lost money"
    return (
        f"{became}: {amount(equity.start_usdt)} became {amount(equity.end_usdt)} "
        f"({change_pct(equity.return_pct)}) in {time}, {count_of(trades.trades, 'trade')}, "
        f"{share_pct(trades.win_rate_pct)} won, {multiple(trades.expectancy_r)} a trade after costs."
    )


def warnings(result: BacktestResult) -> list[str]:
    """Return what keeps the answer from being believed too easily."""
    texts, trades = [], result.statistics.trades
    mean, error = trades.expectancy_r, trades.expectancy_error_r
    if mean is not None and error is None:
        texts.append("One trade tells nothing about the next.")
    if mean is not None and error is not None and abs(mean) <= 2 * error:
        texts.append(
            f"{trades.trades:,} trades cannot tell this expectancy from chance: it lies within two standard "
            f"errors of 0."
        )
    if trades.gross_usdt > 0 > trades.net_usdt:
        texts.append(f"Costs decided: before fees and funding it made {money(trades.gross_usdt)}.")
    if trades.still_open:
        texts.append(
            f"{count_of(trades.still_open, 'position')} still open at the end, valued at the last price."
        )
    return texts


def figures(result: BacktestResult) -> dict[str, Figure]:
    """Return every figure of the whole, by name: the telling ones first."""
    statistics, equity, trades = result.statistics, result.statistics.equity, result.statistics.trades
    drawdown, expectancy = Figure("none"), Figure(UNKNOWN)
    if (fall := equity.max_drawdown) is not None:
        back = f"recovered {day(fall.recovered_at)}" if fall.recovered_at else "not recovered"
        dates = f"{day(fall.peak_at)} → {day(fall.trough_at)}, {back}"
        drawdown = Figure(share_pct(fall.pct), f"{amount(fall.usdt)}, {dates}")
    if trades.expectancy_r is not None:
        error = "" if trades.expectancy_error_r is None else f"± {trades.expectancy_error_r:.2f} R, "
        expectancy = Figure(multiple(trades.expectancy_r), f"{error}{money(trades.expectancy_usdt)} a trade")
    exposure = ratio(statistics.mean_exposure_ratio)
    ends = "".join(f", {count:,} {status.lower()}" for status, count in statistics.unfilled.items())
    return {
        "result": Figure(change_pct(equity.return_pct), money(equity.end_usdt - equity.start_usdt)),
        "max drawdown": drawdown,
        "Sharpe / Sortino": Figure(f"{ratio(equity.sharpe)} / {ratio(equity.sortino)}"),
        "trades": Figure(f"{trades.trades:,}", f"{trades.won:,} won, {trades.lost:,} lost"),
        "win rate": Figure(share_pct(trades.win_rate_pct)),
        "expectancy": expectancy,
        "profit factor": Figure(ratio(trades.profit_factor)),
        "average win / loss": Figure(f"{multiple(trades.average_win_r)} / {multiple(trades.average_loss_r)}"),
        "largest win / loss": Figure(f"{money(trades.largest_win_usdt)} / {money(trades.largest_loss_usdt)}"),
        "longest streaks": Figure(f"{trades.winning_streak} won, {trades.losing_streak} lost"),
        "holding mean / median": Figure(
            f"{duration(trades.mean_holding)} / {duration(trades.median_holding)}"
        ),
        "before costs": Figure(money(trades.gross_usdt)),
        "fees": Figure(money(-trades.fees_usdt)),
        "funding": Figure(money(trades.funding_usdt)),
        "time in market": Figure(share_pct(statistics.time_in_market_pct)),
        "mean exposure": Figure(exposure if exposure == UNKNOWN else f"{exposure} × equity"),
        "orders": Figure(f"{statistics.orders:,}", f"{statistics.filled:,} filled{ends}"),
    }


MEANINGS: Mapping[str, str] = {
    "result": "equity at the end less equity at the start, open positions valued at the last price",
    "max drawdown": "the deepest fall of equity from an earlier peak, in percent of that peak",
    "Sharpe / Sortino": (
        "mean daily return over its deviation (Sortino: over that of the losing side only), × √365; "
        "whole UTC days, riskless rate 0"
    ),
    "trades": "positions from the first fill until flat; won and lost after all costs",
    "win rate": "won of all trades",
    "expectancy": (
        "mean R multiple ± its standard error. R is what the plan would lose at its stop, fees and slippage "
        "included: +0.10 R earns a tenth of the risk with each trade"
    ),
    "profit factor": "sum of what was won / sum of what was lost; above 1 is profit",
    "average win / loss": "mean R of the won and of the lost trades",
    "largest win / loss": "the best and the worst trade, after costs",
    "longest streaks": "most won, and most lost, one after the other",
    "holding mean / median": "from the first fill until flat",
    "before costs": "price differences × sizes, without fees and funding",
    "fees": "paid to the exchange for entries and exits",
    "funding": "paid (−) or received (+) at 00, 08 and 16 o'clock UTC",
    "time in market": "share of the time with at least one position open",
    "mean exposure": "notional of all positions / equity, averaged over the whole time",
    "orders": "entries sent, how many were filled at least in part, and how the others ended",
}
"""What each figure means."""
