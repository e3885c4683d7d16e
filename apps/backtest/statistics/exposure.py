"""How much of the time, and with how much, an account was in the market."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import accumulate, pairwise

from apps.backtest.outcome import Outcome, Trade, Worth
from apps.backtest.statistics.equity import equity_curve


def time_in_market_pct(outcome: Outcome) -> float:
    """Time with at least one position open, of the whole stretch."""
    held, until = timedelta(), outcome.start
    for opened, closed in sorted(_within(outcome, trade) for trade in outcome.trades):
        if closed > until:
            held += closed - max(opened, until)
            until = closed
    return 100 * (held / (outcome.end - outcome.start))


def mean_exposure_ratio(outcome: Outcome) -> float | None:
    """Notional at the entry prices / equity, averaged over the time of the whole stretch; 0 without trades.

    All positions together, longs and shorts added. None when equity was ever not positive.
    """
    curve = equity_curve(outcome)
    if any(point.equity <= 0 for point in curve):
        return None
    passed = _Passed(curve)
    total = sum(
        float(notional(trade)) * (passed.until(closed) - passed.until(opened))
        for trade in outcome.trades
        for opened, closed in [_within(outcome, trade)]
    )
    return total / (outcome.end - outcome.start).total_seconds()


def notional(trade: Trade) -> Decimal:
    """Worth of the filled size at its entry price, in settle currency."""
    plan = trade.plan
    return plan.sizing.notional * (trade.size / plan.size) * (trade.entry_price / plan.entry)


def _within(outcome: Outcome, trade: Trade) -> tuple[datetime, datetime]:
    return max(trade.opened_at, outcome.start), min(trade.closed_at, outcome.end)


class _Passed:
    """Seconds / equity, summed since the curve's start: what a notional of 1 has weighed until a moment."""

    def __init__(self, curve: Sequence[Worth]) -> None:
        self._ats = [point.at for point in curve]
        self._equities = [float(point.equity) for point in curve]
        lasted = [(end - at).total_seconds() for at, end in pairwise(self._ats)]
        weights = (seconds / equity for seconds, equity in zip(lasted, self._equities, strict=False))
        self._sums = list(accumulate(weights, initial=0.0))

    def until(self, moment: datetime) -> float:
        at = max(0, bisect_right(self._ats, moment) - 1)
        return self._sums[at] + (moment - self._ats[at]).total_seconds() / self._equities[at]
