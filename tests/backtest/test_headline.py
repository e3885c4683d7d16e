"""The answer says what became of the money, and what speaks against believing it."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from apps.backtest.formatting import duration, money, multiple, price, ratio, share_pct
from apps.backtest.headline import MEANINGS, BacktestResult, answer, figures, warnings
from apps.backtest.outcome import Exit, Outcome
from apps.backtest.statistics import statistics
from tests.backtest.outcome_builder import D, equity_points, outcome, trade, unfilled


def result_of(case: Outcome) -> BacktestResult:
    return BacktestResult(case, statistics(case))


@pytest.mark.parametrize(
    ("case", "said"),
    [
        (
            outcome(trade(10), trade(-5, 1)),
            "It made money: 1,000.00 USDT became 1,005.00 USDT (+0.50 %) in 4 d, 2 trades, 50.0 % won, "
            "+0.50 R a trade after costs.",
        ),
        (
            outcome(trade(-5)),
            "It lost money: 1,000.00 USDT became 995.00 USDT (−0.50 %) in 4 d, 1 trade, 0.0 % won, "
            "−1.00 R a trade after costs.",
        ),
        (
            outcome(trade(5), trade(-5, 1)),
            "It broke even: 1,000.00 USDT became 1,000.00 USDT (0.00 %) in 4 d, 2 trades, 50.0 % won, "
            "0.00 R a trade after costs.",
        ),
        (outcome(unfilled=(unfilled(),)), "It did not trade: 1 order in 4 d, none filled."),
    ],
)
def test_the_answer_is_one_sentence(case: Outcome, said: str) -> None:
    assert answer(result_of(case)) == said


@pytest.mark.parametrize(
    ("case", "words"),
    [
        (outcome(trade(5)), "One trade tells nothing"),
        (outcome(trade(10), trade(-5, 1)), "cannot tell this expectancy from chance"),
        (outcome(trade(1, fees=D(2))), "Costs decided: before fees and funding it made +1.00 USDT."),
        (outcome(trade(5, exit=Exit.OPEN)), "1 position still open at the end"),
    ],
)
def test_what_speaks_against_it_is_said(case: Outcome, words: str) -> None:
    assert words in " ".join(warnings(result_of(case)))


def test_a_clear_result_carries_no_warning() -> None:
    clear = outcome(*(trade(5 + number % 2, number / 10) for number in range(20)))
    assert warnings(result_of(clear)) == []


def test_every_figure_has_its_meaning_and_no_other() -> None:
    assert set(figures(result_of(outcome(trade())))) == set(MEANINGS)


def test_unknown_is_shown_as_a_dash_and_never_as_nothing() -> None:
    shown = figures(result_of(outcome()))
    for name in ("win rate", "expectancy", "profit factor"):
        assert shown[name].value == "–"
    assert shown["Sharpe / Sortino"].value == "– / –"
    assert shown["largest win / loss"].value == "– / –"


def test_a_drawdown_says_from_when_to_when_and_whether_it_ended() -> None:
    lasted = figures(result_of(outcome(equity_points=equity_points(1000, 900, 950))))["max drawdown"]
    ended = figures(result_of(outcome(equity_points=equity_points(1000, 900, 1000))))["max drawdown"]
    assert str(lasted) == "10.0 % (100.00 USDT, 2026-03-01 → 2026-03-02, not recovered)"
    assert ended.note.endswith("recovered 2026-03-03")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (money(Decimal("-1234.5")), "−1,234.50 USDT"),
        (money(Decimal("-0.001")), "0.00 USDT"),
        (multiple(Decimal("0.004")), "0.00 R"),
        (ratio(-0.5), "−0.50"),
        (share_pct(None), "–"),
        (price(Decimal("50000.00")), "50000"),
        (price(Decimal("0.000010")), "0.00001"),
        (duration(timedelta(minutes=59, seconds=31)), "1 h"),
        (duration(timedelta(days=2, hours=3)), "2 d 3 h"),
        (duration(timedelta(seconds=20)), "0 min"),
    ],
)
def test_numbers_read_as_people_write_them(text: str, said: str) -> None:
    assert text == said
