from __future__ import annotations

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone
from rest_framework.test import APIClient

from apps.audit.models import OperatorAction
from apps.switches import store
from apps.switches.models import MtfSwitch
from tests.factories import ContractFactory, MtfSwitchFactory

SWITCHES = reverse("api:switches")


def test_setting_a_switch_stops_it_and_records_who_and_why(operator: APIClient) -> None:
    body = operator.post(SWITCHES, {"key": "GLOBAL", "reason": "news at eight"}, format="json")
    assert body.status_code == 200
    assert (body.json()["is_on"], body.json()["is_in_force"], body.json()["changed_by"]) == (
        False,
        True,
        "olga",
    )
    assert store.off_switches() == {"GLOBAL": "news at eight"}
    action = OperatorAction.objects.latest("happened_at")
    assert (action.actor, action.action, action.target, action.reason) == (
        "olga",
        "switch_off",
        "GLOBAL",
        "news at eight",
    )


def test_an_off_may_end_by_itself(operator: APIClient) -> None:
    ends = timezone.now() + timedelta(hours=4)
    body = {"key": "SYMBOL_TF:BTCUSDT:5m", "reason": "thin book", "expires_at": ends.isoformat()}
    operator.post(SWITCHES, body, format="json")
    assert MtfSwitch.objects.get(switch_key="SYMBOL_TF:BTCUSDT:5m").expires_at == ends


def test_setting_a_switch_on_releases_it(operator: APIClient) -> None:
    store.set_switch("PROFILE:regular", is_on=False, reason="too loose", actor="olga")
    body = {"key": "PROFILE:regular", "is_on": True, "reason": "tuned"}
    assert operator.post(SWITCHES, body, format="json").json()["is_in_force"] is False
    assert store.off_switches() == {}


def test_toggling_turns_a_switch_off_and_on_again_with_a_reason_each(operator: APIClient) -> None:
    switch = MtfSwitch.objects.get(switch_key="GLOBAL")
    address = f"{SWITCHES}/{switch.pk}/toggle"
    assert operator.post(address, {"reason": "maintenance"}, format="json").json()["is_on"] is False
    assert operator.post(address, {}, format="json").status_code == 400
    assert store.off_switches() == {"GLOBAL": "maintenance"}
    assert operator.post(address, {"reason": "done"}, format="json").json()["is_on"] is True


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"key": "GLOBL", "reason": "x"}, "key"),
        ({"key": "SYMBOL_TF:BTCUSDT:7m", "reason": "x"}, "key"),
        ({"key": "SYMBOL:", "reason": "x"}, "key"),
        ({"key": "SYMBOL:A\u0000", "reason": "x"}, "key"),
        ({"key": ["GLOBAL"], "reason": "x"}, "key"),
        ({"key": "GLOBAL", "reason": "  "}, "reason"),
        ({"key": "GLOBAL", "reason": "x" * 501}, "reason"),
        ({"key": "GLOBAL", "reason": "x", "is_on": "off"}, "is_on"),
        ({"key": "GLOBAL", "reason": "x", "expires_at": "2020-01-01T00:00:00Z"}, "expires_at"),
        ({"key": "GLOBAL", "reason": "x", "expires_at": "tomorrow"}, "expires_at"),
        ({"key": "GLOBAL", "reason": "x", "is_on": True, "expires_at": "2099-01-01T00:00:00Z"}, "expires_at"),
        ({"key": "GLOBAL", "reason": "x", "changed_by": "somebody else"}, "changed_by"),
    ],
)
def test_a_change_that_makes_no_sense_names_its_field_and_changes_nothing(
    body: dict[str, object], field: str, operator: APIClient
) -> None:
    refused = operator.post(SWITCHES, body, format="json")
    assert (refused.status_code, list(refused.json()["details"])) == (400, [field])
    assert store.off_switches() == {}
    assert not OperatorAction.objects.filter(actor="olga").exists()


@pytest.mark.parametrize(
    ("key", "words"),
    [
        ("SYMBOL:BTCUSD", "BTCUSDT"),
        ("SYMBOL_TF:BTCUSD:5m", "BTCUSDT"),
        ("PROFILE:scalper_mico", "scalper_micro"),
    ],
)
def test_a_switch_that_would_stop_nothing_is_refused_naming_the_nearest(
    key: str, words: str, operator: APIClient
) -> None:
    ContractFactory.create(symbol="BTCUSDT")
    refused = operator.post(SWITCHES, {"key": key, "reason": "x"}, format="json")
    assert (refused.status_code, list(refused.json()["details"])) == (400, ["key"])
    assert words in refused.json()["message"]
    released = operator.post(SWITCHES, {"key": key, "reason": "x", "is_on": True}, format="json")
    assert released.status_code == 200


@pytest.mark.parametrize("switch_id", [0, 10**9, 10**30])
def test_toggling_what_does_not_exist_is_404(switch_id: int, operator: APIClient) -> None:
    answer = operator.post(f"{SWITCHES}/{switch_id}/toggle", {"reason": "x"}, format="json")
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


def test_the_list_tells_an_expired_off_from_one_in_force(reader: APIClient) -> None:
    past = timezone.now() - timedelta(minutes=1)
    MtfSwitchFactory.create(switch_key="SYMBOL:OLDUSDT", is_on=False, reason="over", expires_at=past)
    store.set_switch("SYMBOL:BTCUSDT", is_on=False, reason="stays", actor="olga")
    rows = {row["key"]: row for row in reader.get(SWITCHES).json()["results"]}
    assert list(rows) == ["GLOBAL", "SYMBOL:BTCUSDT", "SYMBOL:OLDUSDT"]
    assert [row["is_in_force"] for row in rows.values()] == [False, True, False]
