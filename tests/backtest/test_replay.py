"""The replay trades the past: the money is the exchange's, the refusals the entry's, the times live's."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from itertools import pairwise

import pytest

from apps.backtest.outcome import Exit, Outcome
from apps.backtest.replay import DECISION_LATENCY_S
from apps.engine.values.account import AccountLimits
from apps.engine.values.position import Side
from apps.engine.values.reason import Reason
from tests.backtest.short_replay import EQUITY, START, SYMBOLS, played, profile, ready, replayed, replaying

ALL_DAY = range(12 * 60)


@pytest.fixture(scope="module")
def busy() -> Outcome:
    """Three symbols that are always ready for twelve hours."""
    by = profile()
    sides = zip(SYMBOLS, (Side.LONG, Side.SHORT, Side.LONG), strict=True)
    return replayed([ready(symbol, ALL_DAY, by, side=side) for symbol, side in sides])


def test_what_the_trades_earned_is_what_the_account_is_worth_more_to_the_last_digit(busy: Outcome) -> None:
    assert len(busy.trades) >= 6
    assert sum(trade.net for trade in busy.trades) == busy.equity_points[-1].equity - EQUITY
    held = [trade for trade in busy.trades if trade.exit is Exit.OPEN]
    assert (busy.equity_points[-1].equity == busy.equity_points[-1].balance) is (not held)


def test_worth_begins_with_the_equity_and_rises_in_time(busy: Outcome) -> None:
    times = [point.at for point in busy.equity_points]
    assert (busy.equity_points[0].at, busy.equity_points[0].equity) == (START, EQUITY)
    assert times == sorted(set(times))
    assert times[-1] == START + timedelta(hours=12) - timedelta(milliseconds=100)


def test_every_ready_minute_is_a_trade_an_unfilled_order_or_a_refusal(busy: Outcome) -> None:
    tried = len(busy.trades) + len(busy.unfilled) + sum(busy.refusals.values())
    assert tried == busy.verdicts["READY"] == len(SYMBOLS) * len(ALL_DAY)


def test_an_entry_that_fills_rests_its_symbol_for_four_hours(busy: Outcome) -> None:
    for symbol in SYMBOLS:
        entered = [trade.plan.created_at for trade in busy.trades if trade.symbol == symbol]
        for before, after in pairwise(entered):
            assert after - before >= timedelta(hours=4)
    assert busy.refusals[Reason.COOLDOWN_ACTIVE] > 0


@pytest.mark.parametrize("first", SYMBOLS)
def test_within_a_minute_symbols_come_in_the_order_they_were_given(first: str) -> None:
    by = profile(max_concurrent_positions=1)
    order = [first, *(symbol for symbol in SYMBOLS if symbol != first)]
    outcome = replayed([ready(symbol, [10], by) for symbol in order], hours=1)
    entered = [each.plan.symbol for each in (*outcome.trades, *outcome.unfilled)]
    assert entered == [first]
    assert outcome.refusals == {Reason.MAX_CONCURRENT_POSITIONS_REACHED: 2}


def test_a_decision_is_made_on_the_quote_of_a_second_after_its_close(busy: Outcome) -> None:
    for each in (*busy.trades, *busy.unfilled):
        assert each.plan.created_at == each.plan.quote.at
        assert each.plan.created_at - each.plan.candle_open_at == timedelta(seconds=60 + DECISION_LATENCY_S)


def test_a_drawdown_is_counted_from_every_balance_there_was() -> None:
    readies = [ready("BTCUSDT", [10], profile(), side=Side.SHORT)]
    replay = replaying(readies)
    outcome = played(replay, readies, 12)
    [won] = outcome.trades
    assert replay.ledger.risk.peak_equity(replay.broker.now) == EQUITY + won.net > EQUITY


def test_a_drawdown_is_counted_from_what_the_account_was_worth_at_every_entry_that_was_tried() -> None:
    """SOL rises for a while before its stop is hit, and BTC is ready meanwhile, its leverage too low."""
    by = profile(per_symbol_caps={"^BTCUSDT$": 1}, skip_at_or_below=1)
    readies = [ready("SOLUSDT", [10], by), ready("BTCUSDT", range(11, 25), by)]
    replay = replaying(readies)
    outcome = played(replay, readies, 1)
    [lost] = outcome.trades
    peak = replay.ledger.risk.peak_equity(replay.broker.now)
    assert lost.net < 0
    assert peak is not None
    assert peak > max(point.equity for point in outcome.equity_points) == EQUITY


def test_past_the_drawdown_nothing_is_entered_any_more(busy: Outcome) -> None:
    by = profile()
    sides = zip(SYMBOLS, (Side.LONG, Side.SHORT, Side.LONG), strict=True)
    readies = [ready(symbol, ALL_DAY, by, side=side) for symbol, side in sides]
    stopped = replayed(readies, limits=AccountLimits(drawdown_pct=Decimal("0.5")))
    assert 0 < len(stopped.trades) < len(busy.trades)
    assert stopped.refusals[Reason.MAX_DRAWDOWN_REACHED] > 0


def test_the_same_past_gives_the_same_outcome(busy: Outcome) -> None:
    by = profile()
    sides = zip(SYMBOLS, (Side.LONG, Side.SHORT, Side.LONG), strict=True)
    assert replayed([ready(symbol, ALL_DAY, by, side=side) for symbol, side in sides]) == busy


def test_a_pessimist_never_earns_more_from_a_trade_that_was_filled_alike() -> None:
    by = profile()
    readies = [ready(symbol, ALL_DAY, by, atr_ratio=0.002) for symbol in SYMBOLS]
    hopeful, pessimist = (replayed(readies, pessimistic=harsh) for harsh in (False, True))
    optimistic = {trade.plan.decision_key: trade for trade in hopeful.trades}
    pairs = [
        (optimistic[each.plan.decision_key], each)
        for each in pessimist.trades
        if each.plan.decision_key in optimistic
    ]
    assert pairs
    for gently, harshly in pairs:
        if gently.opened_at == harshly.opened_at and gently.size == harshly.size:
            assert harshly.exit_price <= gently.exit_price
    assert pessimist.trades != hopeful.trades


def test_an_empty_stretch_is_refused() -> None:
    with pytest.raises(ValueError, match="nothing to replay"):
        replayed([ready("BTCUSDT", [1], profile())], hours=0)
