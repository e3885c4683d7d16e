"""Figures over trades, net of fees and funding: how often, how much, how long; whole and parts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from itertools import groupby
from statistics import mean, median, stdev

from apps.backtest.outcome import Exit, Outcome, Trade
from apps.backtest.statistics.equity import (
    EquityFigures,
    equity_figures,
    mean_exposure_ratio,
    time_in_market_pct,
)


@dataclass(frozen=True, slots=True)
class TradeFigures:
    """Won is net > 0, lost net < 0; a trade of exactly 0 is neither. Money in settle currency.

    Sums of no trades are 0, everything else of no trades is None. `still_open` were valued at the last price
    when the history ended; they count like the others.
    """

    trades: int
    won: int
    lost: int
    still_open: int
    win_rate_pct: Decimal | None
    """Won of all trades."""
    expectancy_r: Decimal | None
    """Mean R multiple: what one unit of risk earned (Van Tharp, Trade Your Way to Financial Freedom)."""
    expectancy_error_r: Decimal | None
    """Standard error of that mean, s/√n; None below two trades. A mean within two of them shows nothing."""
    expectancy_usdt: Decimal | None
    profit_factor: Decimal | None
    """Sum of the won / sum of the lost; None while nothing is lost."""
    average_win_r: Decimal | None
    average_loss_r: Decimal | None
    largest_win_usdt: Decimal | None
    largest_loss_usdt: Decimal | None
    gross_usdt: Decimal
    fees_usdt: Decimal
    funding_usdt: Decimal
    net_usdt: Decimal
    mean_holding: timedelta | None
    median_holding: timedelta | None
    winning_streak: int
    losing_streak: int
    """Most won (lost) one after the other, in the order of closing."""


def trade_figures(trades: Sequence[Trade]) -> TradeFigures:
    """Return the figures of `trades`, in any order."""
    nets = [trade.net for trade in sorted(trades, key=lambda each: each.closed_at)]
    won = [trade for trade in trades if trade.net > 0]
    lost = [trade for trade in trades if trade.net < 0]
    multiples = [trade.r_multiple for trade in trades]
    held_s = [(trade.closed_at - trade.opened_at).total_seconds() for trade in trades]
    return TradeFigures(
        trades=len(trades),
        won=len(won),
        lost=len(lost),
        still_open=sum(trade.exit is Exit.OPEN for trade in trades),
        win_rate_pct=Decimal(100 * len(won)) / len(trades) if trades else None,
        expectancy_r=mean(multiples) if trades else None,
        expectancy_error_r=stdev(multiples) / Decimal(len(trades)).sqrt() if len(trades) > 1 else None,
        expectancy_usdt=mean(nets) if trades else None,
        profit_factor=_sum(each.net for each in won) / -_sum(each.net for each in lost) if lost else None,
        average_win_r=mean(each.r_multiple for each in won) if won else None,
        average_loss_r=mean(each.r_multiple for each in lost) if lost else None,
        largest_win_usdt=max((each.net for each in won), default=None),
        largest_loss_usdt=min((each.net for each in lost), default=None),
        gross_usdt=_sum(each.gross for each in trades),
        fees_usdt=_sum(each.fees for each in trades),
        funding_usdt=_sum(each.funding for each in trades),
        net_usdt=_sum(nets),
        mean_holding=timedelta(seconds=mean(held_s)) if trades else None,
        median_holding=timedelta(seconds=median(held_s)) if trades else None,
        winning_streak=_longest_run(net > 0 for net in nets),
        losing_streak=_longest_run(net < 0 for net in nets),
    )


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
    """Return the outcome in figures: the whole, and by each of GROUPS."""
    parts: dict[str, dict[str, TradeFigures]] = {}
    for name, part_of in GROUPS.items():
        members: dict[str, list[Trade]] = {}
        for trade in outcome.trades:
            members.setdefault(part_of(trade), []).append(trade)
        parts[name] = {part: trade_figures(members[part]) for part in sorted(members)}
    return Statistics(
        equity=equity_figures(outcome),
        trades=trade_figures(outcome.trades),
        time_in_market_pct=time_in_market_pct(outcome),
        mean_exposure_ratio=mean_exposure_ratio(outcome),
        orders=len(outcome.trades) + len(outcome.unfilled),
        filled=len(outcome.trades),
        unfilled=dict(sorted(Counter(order.status for order in outcome.unfilled).items())),
        by=parts,
    )


def _sum(amounts: Iterable[Decimal]) -> Decimal:
    return sum(amounts, Decimal(0))


def _longest_run(marks: Iterable[bool]) -> int:
    return max((len(list(run)) for marked, run in groupby(marks) if marked), default=0)
