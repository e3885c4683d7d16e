"""What is closed before stop and target in a replay: half at the first target, at break-even, and by time."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal

import pytest

from apps.backtest.outcome import Exit
from apps.backtest.watch import SymbolWatch
from apps.engine import events
from apps.engine.values.contract import Contract
from apps.engine.values.exit import RECALCULATE_EACH_S
from tests.backtest.short_replay import played as replay_played
from tests.backtest.short_replay import profile, ready, replaying
from tests.backtest.worked_example import FLAT, market, market_of_steps, played
from tests.engine.trade_builder import D

FIRST_TARGET = 677_936
"""One R above the entry at 67412.3 with its stop at 67031.0."""
EVEN = D("67493.2")
"""The entry and twice the taker's fee of it."""


def test_half_is_won_at_the_first_target_and_the_rest_ends_at_break_even() -> None:
    there_and_back = market_of_steps({10: FIRST_TARGET + 100, 20: FLAT - 500})
    outcome, replay = played(there_and_back, tp1_r=1.0)
    [trade] = outcome.trades
    [moved] = [event for event in replay.ledger.recorded if isinstance(event, events.StopMoved)]
    assert moved.position.stop == EVEN
    closes = [
        event.fill
        for event in replay.ledger.recorded
        if isinstance(event, events.FillSeen) and not event.fill.opens
    ]
    assert closes[0].size == trade.size // 2
    assert timedelta(0) < moved.at - closes[0].at < timedelta(seconds=5)
    assert sum(fill.size for fill in closes) == trade.size
    assert closes[0].price > D(FIRST_TARGET) / 10 - 10
    assert (trade.exit, trade.r_multiple > 0) == (Exit.STOP, True)
    assert outcome.equity_points[-1].balance == Decimal(1000) + trade.net
    single, _ = played(there_and_back)
    assert single.trades[0].exit is Exit.OPEN


def test_a_first_target_that_is_reached_early_moves_the_stop_at_the_third_minute() -> None:
    _, replay = played(market_of_steps({1: FIRST_TARGET + 100}), tp1_r=1.0)
    [moved] = [event for event in replay.ledger.recorded if isinstance(event, events.StopMoved)]
    since_opening_s = (moved.at - moved.position.opened_at).total_seconds()
    assert RECALCULATE_EACH_S <= since_opening_s < RECALCULATE_EACH_S + 3


def test_a_stop_that_stays_is_hit_where_it_was_planned() -> None:
    falls = market_of_steps({10: FIRST_TARGET + 100, 20: FLAT - 500, 30: FLAT - 4000})
    outcome, replay = played(falls, tp1_r=1.0, process_tp_sl=False)
    [trade] = outcome.trades
    assert not [event for event in replay.ledger.recorded if isinstance(event, events.StopMoved)]
    assert (trade.exit, trade.closed_at.minute) == (Exit.STOP, 30)


def test_a_stop_trails_in_a_market_that_nobody_pushes_news_of() -> None:
    rises = market_of_steps({5: FLAT + 2000, 15: FLAT + 4000, 25: FLAT + 2500})
    outcome, replay = played(rises, trailing={"atr_k": 1.0})
    stops = [event.position.stop for event in replay.ledger.recorded if isinstance(event, events.StopMoved)]
    assert stops == [D("67317.1"), D("67517.1"), D("67717.1")], "one ATR of 95.3 below the mark"
    [trade] = outcome.trades
    assert (trade.exit, trade.closed_at.minute) == (Exit.STOP, 25)
    assert trade.r_multiple > 0


@pytest.mark.parametrize("max_holding_s", [600, 601])
def test_a_position_is_closed_to_the_second_when_its_time_is_over(max_holding_s: int) -> None:
    outcome, replay = played(market(), max_holding_s=max_holding_s)
    [trade] = outcome.trades
    assert trade.exit is Exit.CLOSED
    held_s = (trade.closed_at - trade.opened_at).total_seconds()
    assert max_holding_s <= held_s < max_holding_s + 0.1
    names = [event.name for event in replay.ledger.recorded]
    assert names.count("time_stop") == 1
    assert "emergency_close" not in names
    assert outcome.equity_points[-1].balance == Decimal(1000) + trade.net


def test_a_symbol_is_free_after_each_of_its_trades_of_a_day_and_looked_at_when_something_happens() -> None:
    """An order of hours ago does not keep a leftover target: the trades are read back to it."""
    looks: list[datetime] = []

    class Counting(SymbolWatch):
        def follow_symbol(self, symbol: str, contract: Contract, now: datetime) -> list[events.Event]:
            looks.append(now)
            return super().follow_symbol(symbol, contract, now)

    by = profile(order_ttl_s=60)
    readies = [ready("SOLUSDT", range(0, 600, 3), by, atr_ratio=0.002)]
    replay = replaying(readies, watch=Counting)
    outcome = replay_played(replay, readies, 10)
    names = [event.name for event in replay.ledger.recorded]
    assert names.count("position_closed") >= 2
    assert names.count("symbol_released") >= names.count("position_closed")
    assert outcome.trades
    assert len(looks) < 200
