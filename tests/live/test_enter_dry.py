"""Dry runs: everything up to the request's body, and not a row or a byte beyond their own result."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from pytest_django import Settings

from apps.audit.models import TradeLifecycleEvent, TradeZoneEvent
from apps.engine.cycle import EntryResult
from apps.engine.values.reason import Reason, Refusal
from apps.exchange import venue
from apps.live.enter.outcome import outcome_counts, result_with_entries
from apps.live.enter.symbol_entry import enter_symbol
from apps.live.models import MtfRun
from apps.orders.models import ExchangeOrder, OrderPlan, SymbolLock
from apps.switches import store as switches
from apps.switches.models import Cooldown
from benchmarks.trading.always import ENTRY, always
from tests.live.trading import SYMBOL, Desk

WRITTEN = (OrderPlan, ExchangeOrder, SymbolLock, TradeLifecycleEvent, TradeZoneEvent, Cooldown)


@pytest.fixture
def dry(desk: Desk, settings: Settings) -> Desk:
    """The same desk in a deployment that sends nothing."""
    settings.TRADING, settings.DRY_EQUITY_USDT = "dry", Decimal(2000)
    desk.watched()
    return desk


def entered(desk: Desk, run: MtfRun) -> EntryResult | Refusal:
    return enter_symbol(str(run.run_id), SYMBOL, clock=desk.clock)


def entries_of(run: MtfRun) -> list[dict[str, Any]]:
    run.refresh_from_db()
    entries: list[dict[str, Any]] = result_with_entries(run)["entries"]
    return entries


def nothing_happened(desk: Desk) -> bool:
    books = desk.books()
    return not any(model.objects.exists() for model in WRITTEN) and not books["orders"]


def test_a_dry_deployment_plans_by_its_play_equity_and_keeps_it_to_its_result(dry: Desk) -> None:
    [run] = dry.decide(always())
    assert run.dry_run
    outcome = entered(dry, run)
    assert isinstance(outcome, EntryResult)
    assert outcome.plan.sizing.equity == Decimal(2000)
    [entry] = entries_of(run)
    assert (entry["symbol"], entry["status"], entry["side"]) == (SYMBOL, "simulated", "long")
    assert Decimal(entry["size"]) == outcome.plan.size
    assert entry["plan"]["decision_key"] == outcome.plan.decision_key
    assert outcome_counts([run])[run.run_id] == {"simulated": 1}
    assert nothing_happened(dry)


def test_a_dry_deployment_decides_the_same_again_the_next_time(dry: Desk) -> None:
    [run] = dry.decide(always())
    assert isinstance(entered(dry, run), EntryResult)
    assert isinstance(entered(dry, run), EntryResult)


def test_a_refusal_of_a_dry_run_is_told_there_too_and_nowhere_else(dry: Desk) -> None:
    [run] = dry.decide(always(entry=ENTRY | {"skip_at_or_below": 200}))
    assert isinstance(entered(dry, run), Refusal)
    [entry] = entries_of(run)
    assert (entry["status"], entry["reason"]) == ("skipped", Reason.LEVERAGE_BELOW_THRESHOLD)
    assert outcome_counts([run])[run.run_id] == {"refused: leverage_below_threshold": 1}
    assert nothing_happened(dry)


@pytest.mark.parametrize(("force", "status"), [(False, "skipped"), (True, "simulated")])
def test_a_dry_run_on_a_live_account_sees_its_switches_unless_it_is_forced(
    force: bool, status: str, desk: Desk
) -> None:
    [run] = desk.decide(always())
    run.dry_run, run.options = True, {"force_run": force}
    run.save()
    switches.set_switch("GLOBAL", is_on=False, reason="test", actor="ada")
    entered(desk, run)
    assert [entry["status"] for entry in entries_of(run)] == [status]
    assert nothing_happened(desk)


def test_a_dry_run_on_a_live_account_plans_with_the_account_and_sends_nothing(desk: Desk) -> None:
    [run] = desk.decide(always())
    MtfRun.objects.update(dry_run=True)
    outcome = entered(desk, run)
    assert isinstance(outcome, EntryResult)
    assert outcome.plan.sizing.equity == Decimal(1000)
    assert nothing_happened(desk)
    assert not venue.is_dry()


def test_a_dry_run_lists_the_tranches_it_would_have_sent(dry: Desk) -> None:
    scaled = ENTRY | {"scaling": [0.5, 0.3, 0.2], "zone": ENTRY["zone"] | {"w_min": 0.004}}
    [run] = dry.decide(always(entry=scaled))
    outcome = entered(dry, run)
    assert isinstance(outcome, EntryResult)
    [entry] = entries_of(run)
    assert [(each["part"], each["status"]) for each in entry["tranches"]] == [
        ("1/3", "SUBMITTED"),
        ("2/3", "SUBMITTED"),
        ("3/3", "SUBMITTED"),
    ]
    planned = [(each.price, each.size) for each in outcome.plan.tranches]
    assert [(Decimal(each["price"]), Decimal(each["size"])) for each in entry["tranches"]] == planned
    assert nothing_happened(dry)
