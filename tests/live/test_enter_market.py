"""A market entry on the local exchange, by the live adapter: taken at once, and called what it is."""

from __future__ import annotations

from apps.engine.cycle import EntryResult
from apps.live.enter.outcome import entry_outcomes
from apps.live.enter.symbol_entry import enter_symbol
from apps.orders.models import ExchangeOrder, OrderPlan
from benchmarks.trading.always import ENTRY, always
from tests.live.trading import SYMBOL, Desk

MARKET = {"order_type": "market", "market_max_spread_pct": 1, "slippage_guard_bps": 8}


def test_a_market_entry_takes_from_the_book_and_rests_nowhere(desk: Desk) -> None:
    [run] = desk.decide(always(entry=ENTRY | MARKET))
    entered = enter_symbol(str(run.run_id), SYMBOL, clock=desk.clock)
    assert isinstance(entered, EntryResult), entered
    [order] = desk.arrived()
    assert order["filled"] == entered.plan.size
    assert entered.plan.quote.bid < entered.plan.quote.ask < entered.plan.entry
    [position] = desk.books()["positions"]
    assert position["size"] == entered.plan.size
    [outcome] = entry_outcomes(run)
    assert (outcome["status"], outcome["order_type"], outcome["time_in_force"]) == (
        "submitted",
        "market",
        "IOC",
    )
    assert (OrderPlan.objects.get().order_type, ExchangeOrder.objects.get().time_in_force) == (
        "market",
        "IOC",
    )


def test_a_limit_entry_is_called_one(desk: Desk) -> None:
    [run] = desk.decide(always())
    enter_symbol(str(run.run_id), SYMBOL, clock=desk.clock)
    [outcome] = entry_outcomes(run)
    assert (outcome["order_type"], outcome["time_in_force"]) == ("limit", "GTC")


def test_a_dry_run_says_what_it_would_send(desk: Desk) -> None:
    [run] = desk.decide(always(entry=ENTRY | MARKET))
    run.dry_run = True
    run.result = {}
    run.save(update_fields=["dry_run", "result"])
    enter_symbol(str(run.run_id), SYMBOL, clock=desk.clock)
    run.refresh_from_db()
    [outcome] = entry_outcomes(run)
    assert (outcome["status"], outcome["order_type"]) == ("simulated", "market")
    assert desk.arrived() == []
