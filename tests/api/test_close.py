"""Out of the market by the API: asked for here, done by the watch."""

from __future__ import annotations

from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone
from rest_framework.test import APIClient

from apps.audit.models import OperatorAction
from apps.engine import events
from apps.engine.values.position import PositionStatus
from apps.orders.models import CloseRequest
from apps.switches import store as switches
from tests.factories import WatchStateFactory
from tests.rooms.fill_trading import ledger
from tests.rooms.trades import at, plan, position

BTC = reverse("api:position-close", args=["BTCUSDT"])
FLATTEN = reverse("api:flatten")


def hold(symbol: str = "BTCUSDT", **changes: Any) -> None:
    held = position(plan(symbol), **changes)
    ledger().record([events.PositionOpened(symbol=symbol, at=at(3), position=held)])


def test_a_close_is_accepted_with_its_author_and_says_whether_anybody_watches(operator: APIClient) -> None:
    hold()
    answer = operator.post(BTC, {"reason": "news"}, format="json")
    assert answer.status_code == 202
    [row] = answer.json()["requests"]
    assert (row["symbol"], row["side"], row["asked_by"], row["reason"]) == ("BTCUSDT", "long", "olga", "news")
    assert (row["done_at"], answer.json()["watched"]) == (None, False)
    assert OperatorAction.objects.filter(actor="olga", action="close_position", reason="news").exists()
    hold("ETHUSDT")
    WatchStateFactory.create(now=timezone.now())
    there = operator.post(BTC.replace("BTC", "ETH"), {"reason": "news", "side": "long"}, format="json")
    assert there.json()["watched"] is True


@pytest.mark.parametrize(
    ("changes", "body", "status", "code"),
    [
        ({}, {"reason": "news", "side": "short"}, 404, "not_found"),
        ({"decision_key": "", "status": PositionStatus.FOREIGN}, {"reason": "news"}, 409, "conflict"),
        ({}, {"reason": " "}, 400, "invalid"),
        ({}, {}, 400, "invalid"),
        ({}, {"reason": "news", "side": "up"}, 400, "invalid"),
        ({}, {"reason": "news", "foreign": "yes"}, 400, "invalid"),
        ({}, {"reason": "news", "asked_by": "somebody else"}, 400, "invalid"),
    ],
)
def test_what_cannot_be_closed_so_is_refused_in_the_one_shape(
    changes: dict[str, Any], body: dict[str, Any], status: int, code: str, operator: APIClient
) -> None:
    hold(**changes)
    refused = operator.post(BTC, body, format="json")
    assert (refused.status_code, refused.json()["status"], refused.json()["code"]) == (status, "error", code)
    assert not CloseRequest.objects.exists()


def test_what_is_flat_is_404_and_what_was_asked_for_already_is_409(operator: APIClient) -> None:
    flat = operator.post(BTC, {"reason": "news"}, format="json")
    assert (flat.status_code, "is flat" in flat.json()["message"]) == (404, True)
    hold()
    assert operator.post(BTC, {"reason": "news"}, format="json").status_code == 202
    again = operator.post(BTC, {"reason": "news"}, format="json")
    assert (again.status_code, again.json()["code"]) == (409, "conflict")


def test_flatten_stops_everything_and_asks_for_all_that_is_ours(operator: APIClient) -> None:
    hold()
    hold("ETHUSDT", decision_key="", status=PositionStatus.FOREIGN)
    answer = operator.post(FLATTEN, {"reason": "trouble"}, format="json")
    assert (answer.status_code, [row["symbol"] for row in answer.json()["requests"]]) == (202, ["BTCUSDT"])
    assert switches.off_switches() == {"GLOBAL": "trouble"}
    also = operator.post(FLATTEN, {"reason": "trouble", "foreign": True}, format="json")
    assert [row["symbol"] for row in also.json()["requests"]] == ["ETHUSDT"]


def test_flatten_without_a_reason_does_nothing(operator: APIClient) -> None:
    hold()
    refused = operator.post(FLATTEN, {"reason": ""}, format="json")
    assert (refused.status_code, list(refused.json()["details"])) == (400, ["reason"])
    assert (switches.off_switches(), CloseRequest.objects.count()) == ({}, 0)


def test_positions_tell_their_mark_price_and_unrealised_result(reader: APIClient) -> None:
    hold()
    [row] = reader.get(reverse("api:positions")).json()["results"]
    assert {"mark_price", "unrealised_usdt", "marked_at"} <= set(row)
