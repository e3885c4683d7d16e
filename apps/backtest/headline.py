"""Would this have made money: the answer in a sentence, and the figures that stand behind it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from apps.backtest.outcome import Outcome
from apps.backtest.statistics import Drawdown, EquityFigures, Statistics, TradeFigures
from apps.backtest.wording import (
    UNKNOWN,
    amount,
    change_pct,
    counted,
    day,
    lasting,
    money,
    multiple,
    ratio,
    share_pct,
)


@dataclass(frozen=True, slots=True)
class Told:
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


def answer(told: Told) -> str:
    """One sentence: what became of the money."""
    equity, trades = told.statistics.equity, told.statistics.trades
    spent = lasting(told.outcome.end - told.outcome.start)
    if not trades.trades:
        sent = counted(told.statistics.orders, "order")
        return f"It did not trade: {sent} in {spent}, none filled."
    return (
        f"{_became(equity)}: {amount(equity.start_usdt)} became {amount(equity.end_usdt)} "
        f"({change_pct(equity.return_pct)}) in {spent}, {counted(trades.trades, 'trade')}, "
        f"{share_pct(trades.win_rate_pct)} won, {multiple(trades.expectancy_r)} a trade after costs."
    )


def warnings(told: Told) -> list[str]:
    """What keeps the answer from being believed too easily."""
    found, trades = [], told.statistics.trades
    mean, error = trades.expectancy_r, trades.expectancy_error_r
    if mean is not None and error is None:
        found.append("One trade tells nothing about the next.")
    if mean is not None and error is not None and abs(mean) <= 2 * error:
        found.append(
            f"{trades.trades:,} trades cannot tell this expectancy from chance: it lies within two standard "
            f"errors of 0."
        )
    if trades.gross_usdt > 0 > trades.net_usdt:
        found.append(f"Costs decided: before fees and funding it made {money(trades.gross_usdt)}.")
    if trades.still_open:
        found.append(
            f"{counted(trades.still_open, 'position')} still open at the end, valued at the last price."
        )
    return found


def _became(equity: EquityFigures) -> str:
    if equity.end_usdt == equity.start_usdt:
        return "It broke even"
    return "It made money" if equity.end_usdt > equity.start_usdt else "It lost money"


def figures(told: Told) -> dict[str, Figure]:
    """Every figure of the whole, by name: the telling ones first."""
    found = told.statistics
    return _of_equity(found.equity) | _of_trades(found.trades) | _of_the_market(found)


def _of_equity(equity: EquityFigures) -> dict[str, Figure]:
    earned = equity.end_usdt - equity.start_usdt
    return {
        "result": Figure(change_pct(equity.return_pct), money(earned)),
        "max drawdown": _drawdown(equity.max_drawdown),
        "Sharpe / Sortino": Figure(f"{ratio(equity.sharpe)} / {ratio(equity.sortino)}"),
    }


def _drawdown(fall: Drawdown | None) -> Figure:
    if fall is None:
        return Figure("none")
    back = f"recovered {day(fall.recovered_at)}" if fall.recovered_at else "not recovered"
    return Figure(
        share_pct(fall.pct), f"{amount(fall.usdt)}, {day(fall.peak_at)} → {day(fall.trough_at)}, {back}"
    )


def _of_trades(trades: TradeFigures) -> dict[str, Figure]:
    return {
        "trades": Figure(f"{trades.trades:,}", f"{trades.won:,} won, {trades.lost:,} lost"),
        "win rate": Figure(share_pct(trades.win_rate_pct)),
        "expectancy": _expectancy(trades),
        "profit factor": Figure(ratio(trades.profit_factor)),
        "average win / loss": Figure(f"{multiple(trades.average_win_r)} / {multiple(trades.average_loss_r)}"),
        "largest win / loss": Figure(f"{money(trades.largest_win_usdt)} / {money(trades.largest_loss_usdt)}"),
        "longest streaks": Figure(f"{trades.winning_streak} won, {trades.losing_streak} lost"),
        "holding mean / median": Figure(f"{lasting(trades.mean_holding)} / {lasting(trades.median_holding)}"),
        "before costs": Figure(money(trades.gross_usdt)),
        "fees": Figure(money(-trades.fees_usdt)),
        "funding": Figure(money(trades.funding_usdt)),
    }


def _expectancy(trades: TradeFigures) -> Figure:
    if trades.expectancy_r is None:
        return Figure(UNKNOWN)
    error = "" if trades.expectancy_error_r is None else f"± {trades.expectancy_error_r:.2f} R, "
    return Figure(multiple(trades.expectancy_r), f"{error}{money(trades.expectancy_usdt)} a trade")


def _of_the_market(found: Statistics) -> dict[str, Figure]:
    exposure = ratio(found.mean_exposure_ratio)
    ends = "".join(f", {count:,} {status.lower()}" for status, count in found.unfilled.items())
    return {
        "time in market": Figure(share_pct(found.time_in_market_pct)),
        "mean exposure": Figure(exposure if exposure == UNKNOWN else f"{exposure} × equity"),
        "orders": Figure(f"{found.orders:,}", f"{found.filled:,} filled{ends}"),
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
