"""Plans, orders, fills, positions, events and equity, read; and plans that a person answers."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.urls import reverse
from rest_framework.test import APIClient

from apps.live.models import MtfRun
from apps.orders.models import OrderPlan, SymbolLock
from tests.factories import ContractFactory, MtfRunFactory
from tests.rooms.fill_trading import fill_trading
from tests.rooms.trades import NOW, plan

PLANS = reverse("api:order-plans")


@pytest.fixture(autouse=True)
def _traded(db: None) -> None:
    """BTCUSDT was traded and closed, ETHUSDT waits for a review, SOLUSDT was refused by its zone."""
    fill_trading(NOW)


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        (reverse("api:positions"), [{"symbol": "BTCUSDT", "status": "CLOSED", "size": "0.000000000000"}]),
        (reverse("api:positions") + "?status=PROTECTED", []),
        (reverse("api:orders") + "?symbol=BTCUSDT", [{"status": "FILLED", "profile": "regular"}]),
        (reverse("api:fills"), [{"trade_id": "t2", "opens": False}, {"trade_id": "t1", "opens": True}]),
        (
            reverse("api:events") + "?event_type=zone_skipped",
            [{"symbol": "SOLUSDT", "reason_code": "zone_far_from_market"}],
        ),
        (reverse("api:equity") + "?account=simulator:live", [{"equity": "998.500000000000"}]),
        (reverse("api:equity") + "?account=simulator:dry", []),
        (f"{PLANS}?status=PENDING_REVIEW", [{"symbol": "ETHUSDT", "leverage": 5}]),
    ],
)
def test_each_list_tells_its_rows(address: str, expected: list[dict[str, Any]], reader: APIClient) -> None:
    rows = reader.get(address).json()["results"]
    assert [
        {name: row[name] for name in wanted} for row, wanted in zip(rows, expected, strict=True)
    ] == expected


@pytest.mark.parametrize(
    ("address", "field"),
    [
        (reverse("api:positions") + "?status=OPEN", "status"),
        (reverse("api:orders") + "?since=yesterday", "since"),
        (reverse("api:fills") + "?symbols=BTCUSDT", "symbols"),
        (reverse("api:events") + "?run_id=1", "run_id"),
        (f"{PLANS}?limit=0", "limit"),
    ],
)
def test_a_question_that_makes_no_sense_names_its_field(address: str, field: str, reader: APIClient) -> None:
    refused = reader.get(address)
    assert (refused.status_code, list(refused.json()["details"])) == (400, [field])


def waiting() -> OrderPlan:
    return OrderPlan.objects.get(symbol="ETHUSDT")


def test_an_approved_plan_is_approved_once_and_by_name(operator: APIClient) -> None:
    answer = operator.post(f"{PLANS}/{waiting().pk}/approve", {}, format="json")
    assert (answer.status_code, answer.json()["status"]) == (200, "APPROVED")
    assert waiting().reviewed_by == "olga"
    again = operator.post(f"{PLANS}/{waiting().pk}/approve", {}, format="json")
    assert (again.status_code, again.json()["code"]) == (409, "conflict")


def test_a_rejected_plan_is_over_and_frees_its_symbol(operator: APIClient) -> None:
    answer = operator.post(f"{PLANS}/{waiting().pk}/reject", {"reason": "news at noon"}, format="json")
    assert (answer.status_code, answer.json()["status"]) == (200, "DENIED")
    assert (waiting().reason, waiting().reviewed_by) == ("news at noon", "olga")
    assert not SymbolLock.objects.filter(symbol="ETHUSDT", released_at=None).exists()


def test_a_rejection_needs_a_reason_and_the_plan_goes_on_waiting(operator: APIClient) -> None:
    refused = operator.post(f"{PLANS}/{waiting().pk}/reject", {}, format="json")
    assert (refused.status_code, list(refused.json()["details"])) == (400, ["reason"])
    assert waiting().status == "PENDING_REVIEW"


def test_a_plan_that_does_not_exist_is_404(operator: APIClient) -> None:
    assert operator.post(f"{PLANS}/987654/approve", {}, format="json").status_code == 404


def test_a_run_tells_what_became_of_what_was_ready(reader: APIClient) -> None:
    run = MtfRunFactory.create(run_id=plan_of_btc().run_id, dry_run=False)
    [row] = reader.get(reverse("api:runs")).json()["results"]
    assert row["entries"] == {"submitted": 1, "waiting": 1}
    assert reader.get(reverse("api:run", args=[run.run_id])).json()["entries"] == row["entries"]


def plan_of_btc() -> OrderPlan:
    return OrderPlan.objects.get(decision_key=plan().decision_key)


def test_only_who_may_let_orders_go_asks_for_a_run_that_sends_them(
    operator: APIClient, django_user_model: type[User]
) -> None:
    ContractFactory.create()
    review = Permission.objects.get(codename="review_orderplan")
    django_user_model.objects.get(username="olga").user_permissions.remove(review)
    refused = operator.post(reverse("api:run-now"), {"dry_run": False, "symbols": "BTCUSDT"}, format="json")
    assert (refused.status_code, refused.json()["code"]) == (403, "permission_denied")
    assert "orders.review_orderplan" in refused.json()["message"]
    assert not MtfRun.objects.exists()
