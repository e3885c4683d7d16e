"""How a position or an order of the replay may end, each to the last digit of the exchange's books."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from apps.backtest.outcome import Exit, Outcome
from apps.engine import events
from apps.engine.ports.account import BrokerRejected
from apps.engine.values.order import ProtectionKind
from apps.engine.values.position import Side
from apps.exchange.simulator.codes import CLEARANCE, FUNDING
from tests.backtest.worked_example import END, FLAT, READY_AT, Quoted, market, played

EQUITY = Decimal(1000)
CRASHED = 500_000
"""Far below the liquidation price at leverage 7."""


class Unprotecting(Quoted):
    """Takes attached stops off as soon as they are there, and no others."""

    def protections(self, symbol: str | None = None) -> list:  # type: ignore[type-arg]  # as the port's
        return []

    def protect(
        self,
        symbol: str,
        side: Side,
        kind: ProtectionKind,
        trigger_price: Decimal,
        client_order_id: str,
        size: Decimal | None = None,
    ) -> str:
        raise BrokerRejected("40012", "refused")


def earned(outcome: Outcome) -> Decimal:
    return sum((trade.net for trade in outcome.trades), Decimal(0))


def test_a_stop_that_is_gapped_over_costs_what_the_book_gives() -> None:
    outcome, _ = played(market(then=FLAT - 6000))
    [trade] = outcome.trades
    assert trade.exit is Exit.STOP
    assert trade.exit_price < trade.plan.stop
    assert trade.r_multiple < -1
    assert trade.closed_at == READY_AT + timedelta(minutes=30)
    assert outcome.equity_points[-1].balance == EQUITY + trade.net


def test_a_liquidated_position_costs_its_margin() -> None:
    outcome, replay = played(market(then=CRASHED))
    [trade] = outcome.trades
    clearance = [
        row.amount for row in replay.exchange.account.ledger_lines.values() if row.flow_type == CLEARANCE
    ]
    assert trade.exit is Exit.LIQUIDATION
    assert clearance
    assert outcome.equity_points[-1].balance == EQUITY + trade.net
    assert trade.net == pytest.approx(-trade.plan.sizing.margin, rel=Decimal("0.01"))


def test_what_cannot_be_protected_is_closed_at_market_by_the_same_rule_as_live() -> None:
    outcome, replay = played(market(), Unprotecting)
    [trade] = outcome.trades
    assert trade.exit is Exit.CLOSED
    assert timedelta(seconds=5) <= trade.closed_at - trade.opened_at < timedelta(seconds=8)
    assert any(isinstance(event, events.EmergencyClose) for event in replay.ledger.recorded)
    assert outcome.equity_points[-1].balance == EQUITY + trade.net


def test_what_is_held_at_the_end_is_valued_at_the_last_price() -> None:
    outcome, _ = played(market())
    [trade] = outcome.trades
    last = outcome.equity_points[-1]
    assert (trade.exit, trade.exit_price) == (Exit.OPEN, Decimal(FLAT) / 10)
    assert last.equity == EQUITY + trade.net
    assert last.balance == EQUITY - trade.fees
    assert (trade.best, trade.worst) == (Decimal("67416.4"), Decimal("67410.4"))


def test_funding_is_paid_by_who_holds_over_it_and_counts_in_his_trade() -> None:
    until = END + timedelta(hours=6)
    outcome, replay = played(market(), until=until)
    [trade] = outcome.trades
    [line] = [row for row in replay.exchange.account.ledger_lines.values() if row.flow_type == FUNDING]
    assert trade.funding == line.amount != 0
    assert outcome.equity_points[-1].equity == EQUITY + earned(outcome)
    assert READY_AT.replace(hour=16) in [point.at for point in outcome.equity_points]


def test_an_order_nobody_fills_expires_and_its_symbol_rests_for_a_quarter_of_an_hour() -> None:
    outcome, replay = played(market(wick=0), fallback_end_of_zone=None)
    [order] = outcome.unfilled
    assert outcome.trades == ()
    assert (order.status, order.ended_at) == ("EXPIRED", order.plan.expires_at + timedelta(milliseconds=50))
    assert replay.ledger.cooldowns["BTCUSDT"] == order.ended_at + timedelta(minutes=15)
    assert outcome.equity_points[-1].balance == EQUITY


def test_a_thin_minute_fills_in_parts_and_the_rest_is_taken_back() -> None:
    outcome, _ = played(market(volume=45), fallback_end_of_zone=None)
    [trade] = outcome.trades
    assert (trade.size, trade.plan.size) == (4, 10)
    assert outcome.equity_points[-1].equity == EQUITY + trade.net


def test_an_order_nobody_fills_is_taken_from_the_book_at_the_end_of_its_time() -> None:
    outcome, replay = played(market(wick=0))
    [trade] = outcome.trades
    first, *_ = [event.order for event in replay.ledger.recorded if isinstance(event, events.OrderSubmitted)]
    opened_s = (first.expires_at - trade.opened_at).total_seconds()
    assert 24 < opened_s < 25
    assert trade.entry_price > first.price
    assert trade.size < first.size  # the stop is farther away from there
    assert trade.fees == trade.entry_price * trade.size * Decimal("0.001") * Decimal("0.0006")
    assert outcome.unfilled == ()
    assert outcome.equity_points[-1].equity == EQUITY + trade.net


def test_what_a_thin_minute_leaves_is_taken_from_the_book_as_far_as_the_budget_goes() -> None:
    outcome, replay = played(market(volume=45))
    [trade] = outcome.trades
    assert (trade.size, trade.plan.size) == (9, 10)
    attempts = {
        event.order.attempt for event in replay.ledger.recorded if isinstance(event, events.OrderEvent)
    }
    assert attempts == {0, 1}
    planned, _ = replay.ledger.plans[trade.plan.decision_key]
    assert planned.sizing.risk <= planned.sizing.risk_budget
    assert outcome.equity_points[-1].equity == EQUITY + trade.net


def test_a_market_entry_is_filled_at_once_at_the_taker_s_fee() -> None:
    outcome, _ = played(market(wick=0), order_type="market", fallback_end_of_zone=None)
    [trade] = outcome.trades
    assert (trade.opened_at, trade.size) == (trade.plan.created_at, trade.plan.size)
    assert trade.plan.quote.ask <= trade.entry_price <= trade.plan.entry
    assert trade.fees == trade.entry_price * trade.size * Decimal("0.001") * Decimal("0.0006")
    assert outcome.unfilled == ()
