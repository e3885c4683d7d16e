"""Would this have made money: the answer in a sentence, and the figures that stand behind it."""

from __future__ import annotations

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


def figures(told: Told) -> dict[str, str]:
    """Every figure of the whole, by name."""
    found = told.statistics
    return _of_equity(found.equity) | _of_trades(found.trades) | _of_the_market(found)


def _drawdown(fall: Drawdown | None) -> str:
    if fall is None:
        return "none"
    back = f"recovered {day(fall.recovered_at)}" if fall.recovered_at else "not recovered"
    return f"{share_pct(fall.pct)} ({amount(fall.usdt)}), {day(fall.peak_at)} → {day(fall.trough_at)}, {back}"


def _expectancy(trades: TradeFigures) -> str:
    if trades.expectancy_r is None:
        return UNKNOWN
    error = trades.expectancy_error_r
    spread = f" ± {error:.2f}" if error is not None else ""
    return f"{multiple(trades.expectancy_r)}{spread}, {money(trades.expectancy_usdt)} a trade"


def _orders(found: Statistics) -> str:
    ends = "".join(f", {count} {status.lower()}" for status, count in found.unfilled.items())
    return f"{found.orders:,} sent, {found.filled:,} filled{ends}"


def _of_equity(equity: EquityFigures) -> dict[str, str]:
    earned = equity.end_usdt - equity.start_usdt
    return {
        "result": f"{money(earned)} ({change_pct(equity.return_pct)})",
        "max drawdown": _drawdown(equity.max_drawdown),
        "Sharpe / Sortino": f"{ratio(equity.sharpe)} / {ratio(equity.sortino)}",
    }


def _of_trades(trades: TradeFigures) -> dict[str, str]:
    return {
        "trades": f"{trades.trades:,} ({trades.won} won, {trades.lost} lost)",
        "win rate": share_pct(trades.win_rate_pct),
        "expectancy": _expectancy(trades),
        "profit factor": ratio(trades.profit_factor),
        "average win / loss": f"{multiple(trades.average_win_r)} / {multiple(trades.average_loss_r)}",
        "largest win / loss": f"{money(trades.largest_win_usdt)} / {money(trades.largest_loss_usdt)}",
        "longest streaks": f"{trades.winning_streak} won, {trades.losing_streak} lost",
        "holding mean / median": f"{lasting(trades.mean_holding)} / {lasting(trades.median_holding)}",
        "before costs": money(trades.gross_usdt),
        "fees": money(-trades.fees_usdt),
        "funding": money(trades.funding_usdt),
    }


def _of_the_market(found: Statistics) -> dict[str, str]:
    exposure = ratio(found.mean_exposure_ratio)
    return {
        "time in market": share_pct(found.time_in_market_pct),
        "mean exposure": exposure if exposure == UNKNOWN else f"{exposure} × equity",
        "orders": _orders(found),
    }
