"""A plan that waits is answered once, by whoever may, and after being asked again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal

import pytest
from django.test import Client
from django.urls import reverse

from apps.audit.models import OperatorAction
from apps.engine.values.candle import Candle
from apps.engine.values.timeframe import Timeframe
from apps.market import store as market
from apps.orders import review
from apps.orders.models import OrderPlan, SymbolLock

pytestmark = pytest.mark.django_db

People = Callable[[str], Client]


@pytest.fixture
def waiting(rows: None) -> OrderPlan:
    return OrderPlan.objects.get(status="PENDING_REVIEW")


def page(plan: OrderPlan) -> str:
    return reverse("admin:orders_orderplan_change", args=[plan.pk])


def answer(plan: OrderPlan, how: str) -> str:
    return reverse(f"admin:orders_orderplan_{how}", args=[plan.pk])


def test_the_page_shows_what_a_reviewer_decides_by(person: People, waiting: OrderPlan) -> None:
    text = person("operator").get(page(waiting)).content.decode()
    for shown in (
        "99.5 to 100.5 around vwap",
        "bid 99.9, ask 100.1, mark 100",
        "102 (r_multiple), expected 1.81 R net",
        "1000 contracts, bound by risk; notional 100.00 USDT",
        "5×; margin 20.00 USDT",
        "1.20 USDT at the stop with fees and slippage, of 1000.00 equity",
    ):
        assert shown in text
    assert answer(waiting, "approve") in text
    assert answer(waiting, "reject") in text


def test_the_page_draws_the_plan_on_the_stored_candles_of_its_timeframe(
    person: People, waiting: OrderPlan
) -> None:
    minutes = Timeframe.M15.duration
    newest = Timeframe.M15.floor(waiting.plan_time) - minutes
    prices = map(Decimal, ("99.8", "100.4", "99.6", "100.2", "1"))
    candle = Candle(waiting.symbol, Timeframe.M15, newest, *prices)
    market.save_candles([replace(candle, open_time=newest - n * minutes) for n in range(200)])
    text = person("operator").get(page(waiting)).content.decode()
    assert "90 candles of ETHUSDT on 15m with zone, target 102, entry 100, stop 99" in text
    assert text.count('<g class="up">') == 90  # of 120, 30 have their place after the plan


def test_an_approval_is_asked_again_and_kept_with_its_author(person: People, waiting: OrderPlan) -> None:
    client = person("operator")
    assert "Approve ETHUSDT long?" in client.get(answer(waiting, "approve")).content.decode()
    assert OrderPlan.objects.get(pk=waiting.pk).status == "PENDING_REVIEW"
    assert client.post(answer(waiting, "approve")).status_code == 302
    plan = OrderPlan.objects.get(pk=waiting.pk)
    assert (plan.status, plan.reviewed_by) == ("APPROVED", "operator")
    action = OperatorAction.objects.get(target=waiting.decision_key)
    assert (action.actor, action.action) == ("operator", "plan_approved")


def test_a_rejection_needs_a_reason_and_frees_the_symbol(person: People, waiting: OrderPlan) -> None:
    client = person("operator")
    assert client.post(answer(waiting, "reject"), {"reason": " "}).status_code == 200
    assert OrderPlan.objects.get(pk=waiting.pk).status == "PENDING_REVIEW"
    client.post(answer(waiting, "reject"), {"reason": "news at noon"})
    plan = OrderPlan.objects.get(pk=waiting.pk)
    assert (plan.status, plan.reason, plan.reviewed_by) == ("DENIED", "news at noon", "operator")
    assert not SymbolLock.objects.filter(symbol="ETHUSDT", released_at=None).exists()
    assert OperatorAction.objects.get(target=waiting.decision_key).action == "plan_rejected"


def test_an_answered_plan_has_no_buttons_and_takes_no_answer(person: People, waiting: OrderPlan) -> None:
    client = person("operator")
    client.post(answer(waiting, "approve"))
    assert answer(waiting, "reject") not in client.get(page(waiting)).content.decode()
    assert client.post(answer(waiting, "reject"), {"reason": "late"}).status_code == 403
    assert OrderPlan.objects.get(pk=waiting.pk).status == "APPROVED"


def test_an_approval_that_comes_second_is_told_so(
    person: People, waiting: OrderPlan, monkeypatch: pytest.MonkeyPatch
) -> None:
    approve = review.approve

    def after_another(plan_id: int, **who: object) -> OrderPlan:
        OrderPlan.objects.filter(pk=plan_id).update(status="EXPIRED")
        return approve(plan_id, **who)  # type: ignore[arg-type]

    monkeypatch.setattr(review, "approve", after_another)
    page = person("operator").post(answer(waiting, "approve"), follow=True).content.decode()
    assert "is EXPIRED" in page
    assert OrderPlan.objects.get(pk=waiting.pk).reviewed_by == ""


def test_a_viewer_sees_the_plan_and_may_not_answer(person: People, waiting: OrderPlan) -> None:
    client = person("viewer")
    assert answer(waiting, "approve") not in client.get(page(waiting)).content.decode()
    assert client.post(answer(waiting, "approve")).status_code == 403
    assert client.post(answer(waiting, "reject"), {"reason": "no"}).status_code == 403
    assert OrderPlan.objects.get(pk=waiting.pk).status == "PENDING_REVIEW"


def test_an_answer_cannot_be_sent_from_another_site(person: People, waiting: OrderPlan) -> None:
    operator = person("operator")
    strict = Client(enforce_csrf_checks=True)
    strict.cookies = operator.cookies
    assert strict.post(answer(waiting, "approve")).status_code == 403


def test_one_follows_a_trade_from_its_run_to_its_position(root: Client, rows: None) -> None:
    """Each list leads to the next by a link that shows exactly what belongs to it."""
    key = OrderPlan.objects.get(status="FILLED").decision_key
    run = "11111111-2222-3333-4444-555555555555"
    way = [
        ("mtf_mtfrun", {}, f"/admin/orders/orderplan/?run_id={run}"),
        ("orders_orderplan", {"decision_key": key}, "/admin/orders/exchangeorder/?decision_key="),
        ("orders_exchangeorder", {"decision_key": key}, "/admin/orders/fill/?order__id__exact="),
        ("orders_fill", {"trade_id": "t1"}, "/admin/orders/position/?id__exact="),
        ("orders_position", {"decision_key": key}, "/admin/orders/fill/?position__id__exact="),
    ]
    for table, query, leads_to in way:
        shown = root.get(reverse(f"admin:{table}_changelist"), query).content.decode()
        assert leads_to in shown, table
        following = shown.split(leads_to)[1].split('"')[0]
        answered = root.get(leads_to + following.replace("&amp;", "&"))
        assert answered.status_code == 200, leads_to
        assert len(answered.context["cl"].result_list) >= 1, leads_to
