"""Every shipped profile trades on the recorded market, and its figures agree with one another."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from django.conf import settings
from rich.console import Console

from apps.backtest.headline import BacktestResult
from apps.backtest.outcome import Outcome
from apps.backtest.report import page
from apps.backtest.request import BacktestRequest, read_request
from apps.backtest.statistics import statistics
from apps.console.screens.backtest import run_profiles
from apps.profiles.files import profile_names

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def backtest_request() -> BacktestRequest:
    """Three days of all sixteen contracts, every shipped profile."""
    options: dict[str, Any] = {
        "profile": profile_names(settings.MTF_PROFILES_DIR),
        "profiles_dir": settings.MTF_PROFILES_DIR,
        "symbols": None,
        "source": "files",
        "from": "2025-05-28",
        "to": "2025-05-31",
        "equity": "1000",
        "pessimistic": False,
        "csv": None,
        "html": None,
    }
    return read_request(options)


@pytest.fixture(scope="module")
def outcomes(backtest_request: BacktestRequest) -> list[Outcome]:
    return list(run_profiles(Console(quiet=True), backtest_request))


def test_all_five_profiles_get_ready_and_have_an_order_filled(outcomes: list[Outcome]) -> None:
    assert {outcome.profile for outcome in outcomes} == {
        "scalper_micro",
        "scalper",
        "regular",
        "classic",
        "crash",
    }
    for outcome in outcomes:
        assert outcome.verdicts["READY"] > 0, outcome.profile
        assert len(outcome.trades) > 0, outcome.profile


def test_every_minute_of_every_symbol_has_its_verdict(outcomes: list[Outcome]) -> None:
    for outcome in outcomes:
        assert sum(outcome.verdicts.values()) == outcome.candles == 16 * 3 * 1440


def test_the_trades_add_up_to_what_became_of_the_account(outcomes: list[Outcome]) -> None:
    for outcome in outcomes:
        figures = statistics(outcome)
        assert outcome.equity + figures.trades.net_usdt == figures.equity.end_usdt, outcome.profile


def test_no_plan_lost_more_at_its_stop_than_it_said_but_for_a_gap(outcomes: list[Outcome]) -> None:
    stopped = [each for outcome in outcomes for each in outcome.trades if each.exit == "stop"]
    assert stopped
    assert sum(each.r_multiple >= -1 for each in stopped) >= Decimal("0.9") * len(stopped)


def test_the_report_holds_every_trade_of_all_of_them(
    backtest_request: BacktestRequest, outcomes: list[Outcome]
) -> None:
    results = [BacktestResult(outcome, statistics(outcome)) for outcome in outcomes]
    text = page(
        results, backtest_request.source.archive.candles, source="the recorded market", pessimistic=False
    )
    assert text.count('class="open"') == sum(len(outcome.trades) for outcome in outcomes)
