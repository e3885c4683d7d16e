"""Figures over the account: result, drawdown, return for its ups and downs, time in the market."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from decimal import Decimal
from itertools import accumulate, pairwise
from math import sqrt
from statistics import mean, stdev

from apps.backtest.outcome import EquityPoint, Outcome, Trade

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
    daily = [equity_at(curve, end) for end in ends]
    returns = None  # there is none once the account was empty
    if all(equity > 0 for equity in daily):
        returns = [float(after / before - 1) for before, after in pairwise(daily)]
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


def equity_curve(outcome: Outcome) -> list[EquityPoint]:
    """Return the account's worth from the start on: never empty."""
    return [EquityPoint(outcome.start, outcome.equity, outcome.equity), *outcome.equity_points]


def equity_at(curve: Sequence[EquityPoint], moment: datetime) -> Decimal:
    """Return the equity at a moment: that of the newest point not after it."""
    return curve[max(0, bisect_right(curve, moment, key=lambda point: point.at) - 1)].equity


def day_ends(start: datetime, end: datetime) -> list[datetime]:
    """Return every UTC midnight from `start` to `end`, both included: whole days lie between them."""
    first = datetime.combine(start.date(), time(), start.tzinfo)
    midnight = first if first == start else first + DAY
    return [midnight + day * DAY for day in range((end - midnight) // DAY + 1)]


def max_drawdown(curve: Sequence[EquityPoint]) -> Drawdown | None:
    """Return the deepest fall from a running maximum, by percent of it (Magdon-Ismail, Atiya 2004)."""
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
    """Return mean over sample standard deviation (Sharpe, The Sharpe Ratio, 1994), annualised."""
    if returns is None or len(returns) < 2 or not any(each != returns[0] for each in returns):
        return None
    return mean(returns) / stdev(returns) * sqrt(DAYS_A_YEAR)


def sortino(returns: Sequence[float] | None) -> float | None:
    """Return mean over root mean square of what lies below 0 (Sortino, Price 1994), annualised.

    All days count in that mean, those above 0 with 0.
    """
    if returns is None or len(returns) < 2 or all(each >= 0 for each in returns):
        return None
    downside = sqrt(mean(min(each, 0.0) ** 2 for each in returns))
    return mean(returns) / downside * sqrt(DAYS_A_YEAR)


def time_in_market_pct(outcome: Outcome) -> float:
    """Return the time with at least one position open, of the whole stretch."""
    held, until = timedelta(), outcome.start
    for opened, closed in sorted(_span(outcome, trade) for trade in outcome.trades):
        if closed > until:
            held += closed - max(opened, until)
            until = closed
    return 100 * (held / (outcome.end - outcome.start))


def mean_exposure_ratio(outcome: Outcome) -> float | None:
    """Return notional at the entry prices / equity, averaged over the whole range; 0 without trades.

    All positions together, longs and shorts added. None when equity was ever not positive.
    """
    curve = equity_curve(outcome)
    if any(point.equity <= 0 for point in curve):
        return None
    times, equities = [point.at for point in curve], [float(point.equity) for point in curve]
    seconds = [(end - at).total_seconds() for at, end in pairwise(times)]
    weights = (each / equity for each, equity in zip(seconds, equities, strict=False))
    sums = list(accumulate(weights, initial=0.0))

    def weight_until(moment: datetime) -> float:
        """Seconds / equity, summed since the curve's start: what a notional of 1 has weighed by then."""
        at = max(0, bisect_right(times, moment) - 1)
        return sums[at] + (moment - times[at]).total_seconds() / equities[at]

    total = sum(
        float(notional(trade)) * (weight_until(closed) - weight_until(opened))
        for trade in outcome.trades
        for opened, closed in [_span(outcome, trade)]
    )
    return total / (outcome.end - outcome.start).total_seconds()


def notional(trade: Trade) -> Decimal:
    """Return the worth of the filled size at its entry price, in settle currency."""
    plan = trade.plan
    return plan.sizing.notional * (trade.size / plan.size) * (trade.entry_price / plan.average_entry)


def _span(outcome: Outcome, trade: Trade) -> tuple[datetime, datetime]:
    return max(trade.opened_at, outcome.start), min(trade.closed_at, outcome.end)
