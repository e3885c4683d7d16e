"""Plans that wait for a person: nothing leaves before the approval, and nothing worse after it."""

from __future__ import annotations

from decimal import Decimal

import pytest
from pytest_django import Settings

from apps.engine.cycle import EntryResult
from apps.engine.values.reason import Refusal
from apps.live.enter.context import UnknownProfile
from apps.live.enter.symbol_entry import MAX_APPROVED_AGE, enter_approved_plans, enter_symbol
from apps.live.models import MtfRun
from apps.orders import store as orders
from apps.orders.models import OrderPlan, SymbolLock
from benchmarks.trading.always import ENTRY, always
from tests.live.trading import SYMBOL, Desk


@pytest.fixture
def waiting(desk: Desk, settings: Settings) -> OrderPlan:
    settings.REVIEW = "manual"
    [run] = desk.decide(always())
    return planned(desk, run)


def planned(desk: Desk, run: MtfRun) -> OrderPlan:
    outcome = enter_symbol(str(run.run_id), SYMBOL, clock=desk.clock)
    assert isinstance(outcome, EntryResult), outcome
    assert outcome.sent is None
    return OrderPlan.objects.get()


def loosened(plan: OrderPlan) -> None:
    """The market goes on while the person reads: leave room for what it does meanwhile."""
    risk, execution = plan.risk_json, plan.exec_json
    risk["sizing"]["risk"] = str(2 * Decimal(risk["sizing"]["risk"]))
    execution["stop"] = str(Decimal(execution["stop"]) * Decimal("0.98"))
    OrderPlan.objects.filter(pk=plan.pk).update(risk_json=risk, exec_json=execution)


def approve(plan: OrderPlan, desk: Desk) -> None:
    orders.approve(plan.pk, actor="ada", now=desk.clock())


def test_a_plan_waits_until_a_person_approves_it_and_is_then_sent_once(
    waiting: OrderPlan, desk: Desk
) -> None:
    assert waiting.status == "PENDING_REVIEW"
    enter_approved_plans(clock=desk.clock)
    assert desk.arrived() == []
    loosened(waiting)
    approve(waiting, desk)
    enter_approved_plans(clock=desk.clock)
    enter_approved_plans(clock=desk.clock)
    waiting.refresh_from_db()
    assert (waiting.status, waiting.reviewed_by) == ("SUBMITTED", "ada")
    assert [order["client_order_id"] for order in desk.arrived()] == [waiting.client_order_id]


def test_the_stricter_of_setting_and_profile_holds(desk: Desk) -> None:
    [run] = desk.decide(always(entry=ENTRY | {"review": True}))
    assert planned(desk, run).status == "PENDING_REVIEW"
    assert desk.arrived() == []


def test_an_approved_plan_whose_risk_would_be_worse_ends_and_frees_its_symbol(
    waiting: OrderPlan, desk: Desk
) -> None:
    approve(waiting, desk)
    numbers = waiting.risk_json
    numbers["sizing"]["risk"] = "0.01"
    OrderPlan.objects.update(risk_json=numbers)
    enter_approved_plans(clock=desk.clock)
    waiting.refresh_from_db()
    assert (waiting.status, waiting.reason) == ("EXPIRED", "price_moved")
    assert not SymbolLock.objects.filter(released_at=None).exists()
    assert desk.arrived() == []


def test_an_approved_plan_that_nobody_entered_in_time_ends_and_is_not_sent_late(
    waiting: OrderPlan, desk: Desk
) -> None:
    loosened(waiting)
    approve(waiting, desk)
    waiting.refresh_from_db()
    made_at = desk.clock() - MAX_APPROVED_AGE
    OrderPlan.objects.update(exec_json=waiting.exec_json | {"created_at": made_at.isoformat()})
    enter_approved_plans(clock=desk.clock)
    waiting.refresh_from_db()
    assert (waiting.status, waiting.reason) == ("EXPIRED", "decision_too_old")
    assert not SymbolLock.objects.filter(released_at=None).exists()
    assert desk.arrived() == []


def test_an_approved_plan_that_cannot_be_entered_holds_up_none_behind_it(
    waiting: OrderPlan, desk: Desk
) -> None:
    loosened(waiting)
    waiting.refresh_from_db()
    unreadable = {"digest": "0" * 64, "decision_key": "k", "client_order_id": "tv3ek"}
    execution = waiting.exec_json | unreadable
    OrderPlan.objects.update(symbol="ETHUSDT", exec_json=execution, **unreadable)
    first, waiting.pk = waiting.pk, None
    waiting.save()
    SymbolLock.objects.update(plan=waiting)
    for plan_id in (first, waiting.pk):
        orders.approve(plan_id, actor="ada", now=desk.clock())
    with pytest.raises(UnknownProfile, match="no profile of digest 000000000000"):
        enter_approved_plans(clock=desk.clock)
    assert [order["client_order_id"] for order in desk.arrived()] == [waiting.client_order_id]


def test_a_rejected_plan_is_never_sent_and_its_decision_stays_used_up(waiting: OrderPlan, desk: Desk) -> None:
    orders.reject(waiting.pk, actor="ada", reason="no", now=desk.clock())
    enter_approved_plans(clock=desk.clock)
    again = enter_symbol(str(waiting.run_id), SYMBOL, clock=desk.clock)
    assert isinstance(again, Refusal)
    assert again.reason == "duplicate_decision"
    assert desk.arrived() == []
