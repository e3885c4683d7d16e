"""Figures over trades: counted by hand in tables."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from apps.backtest.outcome import Exit, Trade
from apps.backtest.statistics import TradeFigures
from apps.backtest.statistics.trades import trade_figures
from tests.backtest.outcome_builder import D, trade


def figures(*nets: int, **changes: Any) -> TradeFigures:
    return trade_figures([trade(net, at, **changes) for at, net in enumerate(nets)])


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("trades", 4),
        ("won", 2),
        ("lost", 1),
        ("win_rate_pct", D(50)),
        ("expectancy_r", D("0.5")),
        ("expectancy_usdt", D("2.5")),
        ("profit_factor", D(3)),
        ("average_win_r", D("1.5")),
        ("average_loss_r", D(-1)),
        ("largest_win_usdt", D(10)),
        ("largest_loss_usdt", D(-5)),
        ("net_usdt", D(10)),
    ],
)
def test_two_wins_a_loss_and_a_nothing_are_counted(name: str, expected: Any) -> None:
    assert getattr(figures(10, -5, 5, 0), name) == expected


def test_the_error_of_the_expectancy_is_the_deviation_by_the_root_of_the_count() -> None:
    result = figures(10, 0, 10, 0).expectancy_error_r  # R 2 0 2 0: variance 4/3, by 4
    assert result is not None
    assert result**2 == pytest.approx(Decimal(1) / 3)


@pytest.mark.parametrize(
    ("nets", "name"),
    [
        ((), "win_rate_pct"),
        ((), "expectancy_r"),
        ((), "expectancy_usdt"),
        ((), "profit_factor"),
        ((), "mean_holding"),
        ((), "largest_win_usdt"),
        ((5,), "expectancy_error_r"),
        ((5, 5), "profit_factor"),
        ((5, 5), "average_loss_r"),
        ((5, 5), "largest_loss_usdt"),
        ((-5,), "average_win_r"),
        ((-5,), "largest_win_usdt"),
    ],
)
def test_what_cannot_be_known_is_none(nets: tuple[int, ...], name: str) -> None:
    assert getattr(figures(*nets), name) is None


def test_only_losses_have_a_profit_factor_of_nothing() -> None:
    assert figures(-5, -5).profit_factor == 0


def test_costs_turn_a_small_win_into_a_loss() -> None:
    result = figures(1, fees=D("1.5"), funding=D("0.25"))
    assert (result.won, result.lost) == (0, 1)
    assert (result.gross_usdt, result.fees_usdt, result.funding_usdt) == (D(1), D("1.5"), D("0.25"))
    assert result.net_usdt == D("-0.25")
    assert result.expectancy_r == D("-0.05")


def test_a_part_filled_trade_is_measured_by_the_risk_of_its_part() -> None:
    assert figures(5, size=D(5)).expectancy_r == 2


@pytest.mark.parametrize(
    ("nets", "winning", "losing"),
    [
        ((5, 5, -5, 5), 2, 1),
        ((-5, -5, 0, -5), 0, 2),
        ((), 0, 0),
        ((5, 0, 5), 1, 0),
    ],
)
def test_streaks_run_without_a_break(nets: tuple[int, ...], winning: int, losing: int) -> None:
    result = figures(*nets)
    assert (result.winning_streak, result.losing_streak) == (winning, losing)


def test_streaks_follow_the_closing_and_not_the_order_given() -> None:
    first, second, third = trade(5, 0), trade(-5, 1), trade(5, 2)
    assert trade_figures([first, third, second]).winning_streak == 1


def test_holding_times_have_a_mean_and_a_median() -> None:
    held: list[Trade] = [trade(5, at, hours=hours) for at, hours in enumerate((1, 1, 4))]
    result = trade_figures(held)
    assert result.mean_holding == timedelta(hours=2)
    assert result.median_holding == timedelta(hours=1)


def test_what_is_still_open_is_counted_and_named() -> None:
    result = figures(5, exit=Exit.OPEN)
    assert (result.trades, result.still_open) == (1, 1)
