"""Figures over the account's worth."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from math import sqrt

import pytest

from apps.backtest.statistics.equity import (
    EquityFigures,
    day_ends,
    equity_figures,
    max_drawdown,
    sharpe,
    sortino,
)
from tests.backtest.outcome_builder import START, D, day, equity_points, outcome


def figures(*equities: int, days: float | None = None) -> EquityFigures:
    return equity_figures(outcome(days=days or len(equities) - 1, equity_points=equity_points(*equities)))


def test_the_result_is_the_last_worth_beside_the_first() -> None:
    result = figures(1000, 900, 1100)
    assert (result.start_usdt, result.end_usdt, result.return_pct) == (D(1000), D(1100), D(10))


def test_without_any_point_the_account_kept_its_worth() -> None:
    result = equity_figures(outcome(equity_points=()))
    assert (result.end_usdt, result.return_pct, result.max_drawdown) == (D(1000), D(0), None)


def test_the_deepest_fall_is_by_percent_of_its_own_peak() -> None:
    result = max_drawdown(equity_points(1000, 800, 4000, 3600, 4100))  # 20 % of 1,000, then 10 % of 4,000
    assert result is not None
    assert (result.pct, result.usdt) == (D(20), D(200))
    assert (result.peak_at, result.trough_at, result.recovered_at) == (day(0), day(1), day(2))


def test_a_fall_runs_from_the_last_moment_at_the_peak() -> None:
    result = max_drawdown(equity_points(1000, 1000, 900))
    assert result is not None
    assert result.peak_at == day(1)


def test_a_fall_that_lasts_has_no_recovery() -> None:
    result = max_drawdown(equity_points(1000, 900, 999))
    assert result is not None
    assert result.recovered_at is None


def test_equity_that_never_fell_has_no_drawdown() -> None:
    assert max_drawdown(equity_points(1000, 1000, 1100)) is None


def test_sharpe_is_the_mean_by_the_sample_deviation_a_year() -> None:
    assert sharpe([0.01, 0.03]) == pytest.approx(0.02 / (0.01 * sqrt(2)) * sqrt(365))


def test_sortino_counts_only_what_lies_below_nothing_over_all_days() -> None:
    assert sortino([0.03, -0.01]) == pytest.approx(0.01 / sqrt(0.0001 / 2) * sqrt(365))


@pytest.mark.parametrize("returns", [None, [], [0.01], [0.01, 0.01], [0.0, 0.0, 0.0]])
def test_sharpe_is_unknown_without_two_days_or_a_deviation(returns: list[float] | None) -> None:
    assert sharpe(returns) is None


@pytest.mark.parametrize("returns", [None, [], [-0.01], [0.01, 0.02], [0.0, 0.0]])
def test_sortino_is_unknown_without_two_days_or_a_loss(returns: list[float] | None) -> None:
    assert sortino(returns) is None


def test_daily_returns_are_of_whole_utc_days_only() -> None:
    half = outcome(equity_points=equity_points(1000, 500, 1000, 1100, 990, every=0.5), days=2)
    late = replace(half, start=START + timedelta(hours=6), end=day(1.75))
    assert equity_figures(half).days == 2
    assert equity_figures(half).sharpe == pytest.approx(sharpe([0.0, -0.01]))
    assert equity_figures(late).days == 0
    assert equity_figures(late).sharpe is None


def test_days_end_at_midnight_from_the_start_to_the_end() -> None:
    assert day_ends(day(0), day(2)) == [day(0), day(1), day(2)]
    assert day_ends(day(0.1), day(1.9)) == [day(1)]
    assert day_ends(day(0.1), day(0.9)) == []


def test_a_day_without_a_point_keeps_the_worth_of_the_day_before() -> None:
    result = equity_figures(outcome(equity_points=equity_points(1000, 1100, 990, every=2), days=4))
    assert result.sharpe == pytest.approx(sharpe([0.0, 0.1, 0.0, -0.1]))


def test_an_emptied_account_has_neither_sharpe_nor_sortino() -> None:
    result = figures(1000, 0, 0)
    assert (result.sharpe, result.sortino) == (None, None)
    assert result.max_drawdown is not None
    assert result.max_drawdown.pct == 100
    assert result.return_pct == D(-100)
