"""The terminal: everything is there, at any width."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from apps.backtest.headline import BacktestResult
from apps.backtest.outcome import Outcome
from apps.backtest.statistics import statistics
from apps.console.screens.backtest import show
from apps.engine.values.position import Side
from apps.engine.values.reason import Reason
from tests.backtest.outcome_builder import outcome, trade, unfilled

FULL = outcome(
    trade(5),
    trade(-5, 1, symbol="ETHUSDT", side=Side.SHORT),
    unfilled=(unfilled(),),
    refusals={Reason.SYMBOL_LOCKED: 12},
    verdicts={"READY": 40, "NO_LONG_NO_SHORT": 11_480},
)


def shown(*outcomes: Outcome, width: int = 80, pessimistic: bool = False) -> str:
    text, results = io.StringIO(), [BacktestResult(each, statistics(each)) for each in outcomes]
    show(Console(file=text, width=width), results, pessimistic=pessimistic)
    return text.getvalue()


@pytest.mark.parametrize("width", [44, 80, 160])
def test_one_profile_is_told_whole_within_the_width(width: int) -> None:
    text = shown(FULL, width=width)
    assert max(len(line) for line in text.splitlines()) <= width
    for word in ("It broke even", "max drawdown", "ETHUSDT", "short", "target", "2026-03", "symbol_locked"):
        assert word in text
    assert "11,480" in text
    assert "…" not in text.replace("00:00 … 2026", "")


def test_several_profiles_stand_side_by_side_in_one_table() -> None:
    lines = shown(FULL, outcome(trade(10), profile="regular")).splitlines()
    compared = [line for line in lines if line.startswith((" scalper_micro", " regular"))]
    assert [line.split()[:2] for line in compared] == [["scalper_micro", "0.00"], ["regular", "+1.00"]]


def test_without_trades_no_empty_table_is_shown() -> None:
    text = shown(outcome())
    assert "It did not trade" in text
    assert "net USDT" not in text


def test_a_profiles_name_is_text_and_not_markup() -> None:
    assert "[red]x" in shown(outcome(trade(), profile="[red]x"))


def test_pessimistic_fills_are_said() -> None:
    assert "of 1m, pessimistic" in shown(outcome(), width=100, pessimistic=True)
    assert "pessimistic" not in shown(outcome())
