"""Tranches on the recorded market, judged by the exchange's own books."""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal

import pytest

from apps.backtest.outcome import Exit
from apps.engine import events
from apps.engine.values.order import Role, client_order_id
from apps.engine.values.plan import OrderPlan
from apps.engine.values.position import Side
from apps.exchange.simulator.account.rows import Trade
from apps.exchange.simulator.codes import OPENS
from tests.backtest.short_replay import played, profile, ready, replaying

HOURS = 12
LATE_MS = 2500
"""What fills before the watch could look and its cancel arrived is a late fill."""


@pytest.mark.parametrize("preset", ["first_fill", "complete", "never"])
def test_no_decision_opens_beyond_its_plan_nor_after_its_exit_nor_loses_more_than_its_risk(
    preset: str,
) -> None:
    by = profile(order_ttl_s=600, tp1_r=0.5, scaling=[0.5, 0.3, 0.2], zone=DEEP)
    minutes = list(range(0, 60 * HOURS, 3))
    readies = [
        ready("BTCUSDT", minutes, by, side=Side.LONG, atr_ratio=0.002),
        ready("SOLUSDT", minutes, by, side=Side.SHORT, atr_ratio=0.002),
        ready("ETHUSDT", minutes, by, side=Side.LONG, atr_ratio=0.002),
    ]
    replay = replaying(readies)
    replay.exchange.rules.preset_on_partial = preset
    outcome = played(replay, readies, HOURS)

    owners = {
        client_order_id(Role.ENTRY, key, tranche=number): plan
        for key, (plan, _) in replay.ledger.plans.items()
        for number in range(len(plan.tranches))
    }
    account = replay.exchange.account
    opening: defaultdict[str, list[Trade]] = defaultdict(list)
    exits: defaultdict[str, list[int]] = defaultdict(list)
    current: dict[str, OrderPlan] = {}
    for trade in account.trades.values():
        if trade.side in OPENS:
            plan = current[trade.symbol] = owners[trade.client_order_id]
            opening[plan.decision_key].append(trade)
        else:
            exits[current[trade.symbol].decision_key].append(trade.at_ms)
    several = 0
    for key, trades in opening.items():
        plan, _ = replay.ledger.plans[key]
        several += len({trade.client_order_id for trade in trades}) > 1
        assert sum(trade.contracts for trade in trades) <= plan.size
        if exits[key]:
            assert max(trade.at_ms for trade in trades) <= min(exits[key]) + LATE_MS
    assert several > 3
    names = {event.detail for event in replay.ledger.recorded if isinstance(event, events.OrderCancelAsked)}
    assert "a part of its position is closed" in names or "its position is closed" in names
    stopped = [trade for trade in outcome.trades if trade.exit is Exit.STOP]
    assert stopped
    for row in outcome.trades:
        # a stop may slip a little farther than reckoned where the recorded market leaps
        assert row.net >= -row.plan.risk_of(row.size) * Decimal("1.05") + min(row.funding, Decimal(0))


DEEP = {
    "anchor": "sma21",
    "timeframe": "1m",
    "atr_timeframe": "1m",
    "k_atr": 1.0,
    "w_min": 0.001,
    "w_max": 0.01,
    "ttl_s": 600,
}
