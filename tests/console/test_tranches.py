"""Of a decision in several orders every list, page and line says which one it speaks of."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from io import StringIO
from typing import Any

import pytest
from django.contrib.admin import site
from django.core.management import call_command
from rich.text import Text

from apps.audit.models import TradeLifecycleEvent
from apps.console.api.order import OrderRow, PlanRow
from apps.console.event_line import event_line
from apps.console.management.commands.mtf_run import entry_line
from apps.engine import events
from apps.engine.values.book import TrackedOrder
from apps.engine.values.order import OrderStatus
from apps.engine.values.reason import Reason
from apps.exchange import venue
from apps.live.enter.outcome import entry_outcomes
from apps.live.models import MtfRun
from apps.orders.chart import plan_chart
from apps.orders.models import ExchangeOrder, OrderPlan
from tests.rooms.builders import RUN
from tests.rooms.fill_trading import ledger
from tests.rooms.trades import ACCOUNT, NOW, at, in_three

pytestmark = pytest.mark.django_db


@pytest.fixture
def claimed() -> OrderPlan:
    """The first rests, the second is unknown, and the third was not sent."""
    plan, books = in_three(), ledger()
    books.claim(plan, NOW)
    first, second, third = TrackedOrder.all_of(plan)
    first = replace(first, status=OrderStatus.SUBMITTED, exchange_order_id="x1")
    second = replace(second, status=OrderStatus.UNKNOWN)
    third = replace(third, status=OrderStatus.DENIED)
    symbol, why = plan.symbol, "tranche 2/3 is UNKNOWN, so 3/3 is not sent"
    reason = Reason.EARLIER_TRANCHE_FAILED
    books.record(
        [
            events.PlanClaimed(symbol=symbol, at=NOW, plan=plan, status=OrderStatus.SUBMITTING),
            events.OrderAcknowledged(symbol=symbol, at=at(1), order=first),
            events.OrderUnknown(symbol=symbol, at=at(2), order=second, detail="no answer"),
            events.OrderDenied(symbol=symbol, at=at(2), order=third, detail=why, reason=reason),
        ]
    )
    return OrderPlan.objects.get()


def test_the_terminal_tells_each_step_with_its_tranche(claimed: OrderPlan) -> None:
    lines = [event_line(event) for event in TradeLifecycleEvent.objects.order_by("id")]
    assert [Text.from_markup(line).plain.partition(": ")[2] for line in lines if line is not None] == [
        "planned 1000 at 100 to 99.6 in 3 tranches, stop 99, target 102, risk 1.20 USDT, regular",
        "tranche 1/3 submitted with stop and target, 500 at 100",
        "tranche 2/3 no answer: it may rest or not: no answer",
        "tranche 3/3 not sent: earlier_tranche_failed",
    ]


def test_a_plan_s_page_lists_each_tranche_with_what_became_of_it(claimed: OrderPlan) -> None:
    page = site._registry[OrderPlan].summary(claimed)  # type: ignore[attr-defined]  # a column of ours
    for shown in (
        "tranche 1/3</td><td>500 contracts at 100, risk 0.65 USDT: SUBMITTED, 0 filled",
        "tranche 2/3</td><td>300 contracts at 99.8, risk 0.33 USDT: UNKNOWN, 0 filled, no answer",
        "tranche 3/3</td><td>200 contracts at 99.6, risk 0.22 USDT: DENIED, 0 filled, earlier_tranche_failed",
    ):
        assert shown in page
    chart = plan_chart(claimed, [], NOW)
    assert all(f"entry {part}" in chart for part in ("1/3 100", "2/3 99.8", "3/3 99.6"))


def test_the_api_names_the_tranche_of_an_order_and_lists_those_of_a_plan(claimed: OrderPlan) -> None:
    rows: Any = OrderRow(ExchangeOrder.objects.order_by("tranche"), many=True).data
    assert [(row["part"], row["tranche"], row["tranches"]) for row in rows] == [
        ("1/3", 0, 3),
        ("2/3", 1, 3),
        ("3/3", 2, 3),
    ]
    tranches = PlanRow(claimed).data["tranches"]
    assert [dict(each) for each in tranches][1] == {
        "part": "2/3",
        "price": "99.8",
        "size": "300",
        "risk": "0.33",
    }


def test_what_rests_is_listed_by_tranche(
    claimed: OrderPlan, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(venue, "account", lambda: ACCOUNT)
    call_command("positions", stdout=StringIO())
    shown = " ".join(capsys.readouterr().out.split())
    assert "resting: BTCUSDT long 500 at 100, tranche 1/3, SUBMITTED" in shown
    assert "resting: BTCUSDT long 300 at 99.8, tranche 2/3, UNKNOWN" in shown


def test_a_run_s_outcome_lists_the_tranches(claimed: OrderPlan) -> None:
    [outcome] = entry_outcomes(MtfRun(run_id=RUN, dry_run=False, no_room=[]))
    assert [(each["part"], each["price"], each["status"]) for each in outcome["tranches"]] == [
        ("1/3", "100", "SUBMITTED"),
        ("2/3", "99.8", "UNKNOWN"),
        ("3/3", "99.6", "DENIED"),
    ]
    assert outcome["exchange_order_id"] == "x1"
    assert entry_line(outcome).endswith("(tranches 1/3: 500 at 100, 2/3: 300 at 99.8, 3/3: 200 at 99.6)")


def test_a_single_order_is_told_as_before() -> None:
    entry = {
        "symbol": "BTCUSDT",
        "side": "long",
        "status": "simulated",
        "size": Decimal(5),
        "entry": "100",
        "stop": "99",
        "take_profit": "102",
        "leverage": 5,
        "tranches": [],
    }
    assert entry_line(entry) == "BTCUSDT long: simulated 5 contracts at 100, stop 99, target 102, leverage 5"
