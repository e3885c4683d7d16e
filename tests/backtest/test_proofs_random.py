"""On markets that remember nothing every profile trades, and before fees none earns or loses but by chance.

Here a backtest that lies is caught: one that sees a minute ahead, fills orders that nobody would have filled,
or runs through a minute in the account's favour earns where there is nothing to earn.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from statistics import mean, stdev

import pytest

from apps.backtest.entry_signals import EntrySignals, entry_signals, judge_past
from apps.backtest.outcome import Trade
from apps.backtest.replay import trade_signals
from apps.backtest.source import RecordedSource
from apps.engine.profile import Profile
from apps.engine.values.account import AccountLimits
from apps.exchange.simulator.market.market import Market
from apps.exchange.simulator.market.state import DEFAULT_SEED
from apps.exchange.simulator.tape.read import extent
from apps.profiles.files import load_profiles, profile_names
from tests.backtest.random_market import random_market

pytestmark = pytest.mark.slow

PROFILES = Path(__file__).resolve().parents[2] / "profiles"
SHIPPED = load_profiles(PROFILES, profile_names(PROFILES))
SEEDS = (1, 2, 3)
"""Chosen before any was run, and pooled."""
SYMBOLS = extent()[0][:8]
DAYS = 30
EQUITY = Decimal(1000)
UNSTOPPED = AccountLimits(
    drawdown_pct=Decimal(100), symbol_stop_streak=1_000_000, account_stop_streak=1_000_000
)
"""Fees alone bring an account down: its guards would leave too few trades to measure."""
LEAST_TRADES = 200
ERRORS = 2
"""Standard errors: one honest profile in twenty lies farther out; with fixed seeds always the same."""

Multiples = dict[str, list[float]]


@pytest.fixture(scope="module")
def multiples() -> Multiples:
    """Every trade of every profile, market after market: one takes much memory."""
    by_profile: Multiples = {profile.name: [] for profile in SHIPPED}
    for seed in SEEDS:
        market = random_market(SYMBOLS, DAYS, seed)
        for profile in SHIPPED:
            by_profile[profile.name] += traded(market, profile)
    return by_profile


def traded(market: RecordedSource, profile: Profile, early: timedelta = timedelta(0)) -> list[float]:
    """The gross multiples of the trades; `early`: each verdict is entered so long before it can be known."""
    signals = [entry_signals(judge_past(market, symbol, profile)) for symbol in market.range.symbols]
    outcome = trade_signals(
        profile,
        [_before(each, early) for each in signals],
        Market(market.archive, DEFAULT_SEED),
        start=market.range.start - early,
        end=market.range.end,
        equity=EQUITY,
        limits=UNSTOPPED,
    )
    return [gross_multiple(trade) for trade in outcome.trades]


@pytest.mark.parametrize("name", [profile.name for profile in SHIPPED])
def test_before_fees_a_profile_earns_nothing_where_there_is_nothing_to_earn(
    name: str, multiples: Multiples
) -> None:
    values = multiples[name]
    middle, error = mean(values), stdev(values) / len(values) ** 0.5
    print(f"{name}: {len(values)} trades, {middle:+.3f} R ± {error:.3f} before fees")
    assert len(values) >= LEAST_TRADES
    assert abs(middle) <= ERRORS * error


def test_looking_five_minutes_ahead_would_be_found() -> None:
    """The measure can see."""
    [profile] = [each for each in SHIPPED if each.name == "scalper_micro"]
    values = traded(random_market(SYMBOLS, DAYS, SEEDS[0]), profile, timedelta(minutes=5))
    assert mean(values) > 2 * ERRORS * stdev(values) / len(values) ** 0.5


def _before(signals: EntrySignals, early: timedelta) -> EntrySignals:
    early_ms = early // timedelta(milliseconds=1)
    return replace(signals, at_ms=signals.at_ms - early_ms, open_ms=signals.open_ms - early_ms)


def gross_multiple(trade: Trade) -> float:
    """What the prices of the fills earned, by what they would have lost at the planned stop.

    Fees and funding are left out; the spread is paid in the price of the exit, and a limit fills only beyond
    its price: both together cost 0.02 to 0.03 R, which is below what can be seen here.
    """
    way = 1 if trade.side == "long" else -1
    risk = abs(trade.plan.entry - trade.plan.stop)
    return float(way * (trade.exit_price - trade.entry_price) / risk)
