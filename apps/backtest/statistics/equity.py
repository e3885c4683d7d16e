"""Figures over the account's worth: the result, the deepest fall, and the return for its ups and downs."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from decimal import Decimal
from itertools import pairwise
from math import sqrt
from statistics import mean, stdev

from apps.backtest.outcome import Outcome, Worth

DAYS_A_YEAR = 365
"""These markets never close."""
DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Drawdown:
    """A fall from `peak_at` to `trough_at`; `recovered_at` is when the peak was reached again, if it was."""

    pct: Decimal
    usdt: Decimal
    peak_at: datetime
    trough_at: datetime
    recovered_at: datetime | None


@dataclass(frozen=True, slots=True)
class EquityFigures:
    """`max_drawdown` is the deepest by percent, None when equity never fell. `days` are whole UTC days.

    Sharpe and Sortino take the daily returns of those days at a riskless rate of 0, annualised by √365; None
    with fewer than two days or without the deviation they divide by.
    """

    start_usdt: Decimal
    end_usdt: Decimal
    return_pct: Decimal
    max_drawdown: Drawdown | None
    days: int
    sharpe: float | None
    sortino: float | None


def equity_figures(outcome: Outcome) -> EquityFigures:
    curve = equity_curve(outcome)
    ends = day_ends(outcome.start, outcome.end)
    returns = _returns([equity_at(curve, end) for end in ends])
    final = curve[-1].equity
    return EquityFigures(
        start_usdt=outcome.equity,
        end_usdt=final,
        return_pct=100 * (final / outcome.equity - 1),
        max_drawdown=max_drawdown(curve),
        days=max(0, len(ends) - 1),
        sharpe=sharpe(returns),
        sortino=sortino(returns),
    )


def equity_curve(outcome: Outcome) -> list[Worth]:
    """The account's worth from the start on: never empty."""
    return [Worth(outcome.start, outcome.equity, outcome.equity), *outcome.worth]


def equity_at(curve: Sequence[Worth], moment: datetime) -> Decimal:
    """Equity at a moment: the newest point not after it."""
    return curve[max(0, bisect_right(curve, moment, key=lambda point: point.at) - 1)].equity


def day_ends(start: datetime, end: datetime) -> list[datetime]:
    """Every UTC midnight from `start` to `end`, both included: whole days lie between them."""
    first = datetime.combine(start.date(), time(), start.tzinfo)
    midnight = first if first == start else first + DAY
    return [midnight + day * DAY for day in range((end - midnight) // DAY + 1)]


def max_drawdown(curve: Sequence[Worth]) -> Drawdown | None:
    """The deepest fall from a running maximum, by percent of it (Magdon-Ismail, Atiya 2004)."""
    peak, deepest = curve[0], None
    for point in curve:
        if point.equity >= peak.equity:
            peak = point
        elif deepest is None or 1 - point.equity / peak.equity > 1 - deepest[1].equity / deepest[0].equity:
            deepest = (peak, point)
    if deepest is None:
        return None
    top, trough = deepest
    fall = top.equity - trough.equity
    back = (each.at for each in curve if each.at > trough.at and each.equity >= top.equity)
    return Drawdown(100 * fall / top.equity, fall, top.at, trough.at, next(back, None))


def sharpe(returns: Sequence[float] | None) -> float | None:
    """Mean over sample standard deviation (Sharpe, The Sharpe Ratio, 1994), annualised."""
    if returns is None or len(returns) < 2 or not any(each != returns[0] for each in returns):
        return None
    return mean(returns) / stdev(returns) * sqrt(DAYS_A_YEAR)


def sortino(returns: Sequence[float] | None) -> float | None:
    """Mean over the root of the mean square of what lies below 0 (Sortino, Price 1994), annualised.

    All days count in that mean, those above 0 with 0.
    """
    if returns is None or len(returns) < 2 or all(each >= 0 for each in returns):
        return None
    downside = sqrt(mean(min(each, 0.0) ** 2 for each in returns))
    return mean(returns) / downside * sqrt(DAYS_A_YEAR)


def _returns(equities: Sequence[Decimal]) -> list[float] | None:
    """From one day's end to the next; None once the account was empty."""
    if any(each <= 0 for each in equities):
        return None
    return [float(after / before - 1) for before, after in pairwise(equities)]
