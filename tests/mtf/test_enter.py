"""From a READY verdict to an order at a real local exchange."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from pytest_django import Settings

from apps.audit.models import TradeLifecycleEvent
from apps.engine.cycle import Entered
from apps.engine.values.order import OrderStatus
from apps.engine.values.reason import Refusal
from apps.exchange.simulator.archive import Archive
from apps.exchange.simulator.state import State
from apps.mtf.entering import enter
from apps.mtf.models import MtfRun
from apps.orders.models import ExchangeOrder, OrderPlan, SymbolLock
from tests.mtf.trading import SYMBOL, Desk, always, now, opened

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(scope="module")
def archive() -> Archive:
    return Archive.open(State(datetime.now(UTC).date()), symbols=4)


@pytest.fixture
def desk(settings: Settings, archive: Archive) -> Iterator[Desk]:
    with opened(settings, archive) as made:
        yield made


def entered(run: MtfRun, symbol: str = SYMBOL) -> Entered | Refusal:
    return enter(str(run.run_id), symbol, clock=now)


def test_a_ready_verdict_becomes_one_order_with_its_stop_and_target(desk: Desk) -> None:
    [run] = desk.decide(always())
    outcome = entered(run)
    assert isinstance(outcome, Entered), outcome
    assert outcome.sent is not None
    assert outcome.sent.order.status == OrderStatus.SUBMITTED, outcome.sent
    [order] = desk.arrived()
    plan = outcome.plan
    assert order["client_order_id"] == plan.client_order_id
    assert (order["size"], order["leverage"]) == (int(plan.size), plan.leverage)
    presets = order["presets"]
    assert (Decimal(presets["stop_loss"]), Decimal(presets["take_profit"])) == (plan.stop, plan.target)
    row = OrderPlan.objects.get()
    assert (row.status, row.decision_key, row.run_id) == ("SUBMITTED", plan.decision_key, run.run_id)
    assert ExchangeOrder.objects.get().exchange_order_id == str(order["order_id"])
    assert SymbolLock.objects.get().released_at is None
    told = TradeLifecycleEvent.objects.order_by("id").values_list("event_type", "run_id")
    expected = ["plan_made", "plan_claimed", "order_submitted", "order_acknowledged", "cooldown_set"]
    assert list(told) == [(name, run.run_id) for name in expected]
