"""Kill switches are turned in the list and in bulk, never without a reason, always in somebody's name."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from apps.audit.models import OperatorAction
from apps.market import store as market
from apps.switches.models import MtfSwitch
from apps.switches.store import off_switches, set_switch
from tests.rooms.builders import contract

pytestmark = pytest.mark.django_db

LIST = "/admin/switches/mtfswitch/"
BTC = "SYMBOL:BTCUSDT"


@pytest.fixture
def operator(person: Callable[[str], Client]) -> Client:
    return person("operator")


def save(client: Client, **changes: dict[str, str]) -> HttpResponse:
    """The list as the browser posts it, with changed fields per switch key (None: box unticked)."""
    posted: dict[str, object] = {"_save": "Save"}
    shown = client.get(LIST).context["cl"].formset
    for form in shown.forms:
        fields = {"is_on": "on" if form["is_on"].value() else None, "reason": form["reason"].value()}
        fields |= changes.get(form.instance.switch_key, {})
        posted |= {form.add_prefix(name): value for name, value in fields.items() if value is not None}
        posted[form.add_prefix("id")] = form.instance.pk
    posted |= {"form-TOTAL_FORMS": len(shown.forms), "form-INITIAL_FORMS": len(shown.forms)}
    return client.post(LIST, posted)


def bulk(client: Client, action: str, *keys: str, **more: str) -> HttpResponse:
    chosen = list(MtfSwitch.objects.filter(switch_key__in=keys).values_list("pk", flat=True))
    return client.post(LIST, {"action": action, "_selected_action": chosen, **more})


def test_a_switch_turned_in_the_list_keeps_the_reason_and_the_author(operator: Client) -> None:
    answer = save(operator, GLOBAL={"is_on": None, "reason": "exchange maintenance"})
    assert answer.status_code == 302
    assert off_switches() == {"GLOBAL": "exchange maintenance"}
    assert MtfSwitch.objects.get(switch_key="GLOBAL").changed_by == "operator"
    action = OperatorAction.objects.get()
    assert (action.actor, action.action, action.target, action.reason) == (
        "operator",
        "switch_off",
        "GLOBAL",
        "exchange maintenance",
    )


@pytest.mark.parametrize(
    ("reason", "told"), [("first start", "This is the old reason"), ("  ", "Say why"), ("", "Say why")]
)
def test_turning_without_a_new_reason_is_refused(operator: Client, reason: str, told: str) -> None:
    answer = save(operator, GLOBAL={"is_on": None, "reason": reason})
    assert answer.status_code == 200
    assert told in answer.content.decode()
    assert off_switches() == {}
    assert not OperatorAction.objects.exists()


def test_saving_an_unchanged_list_changes_nothing(operator: Client) -> None:
    before = list(MtfSwitch.objects.values())
    save(operator)
    assert list(MtfSwitch.objects.values()) == before
    assert not OperatorAction.objects.exists()


def test_an_expired_off_shows_as_on_and_can_be_turned_off_again(operator: Client) -> None:
    set_switch(BTC, is_on=False, reason="spread", actor="ada", expires_at=timezone.now() + timedelta(hours=1))
    MtfSwitch.objects.filter(switch_key=BTC).update(expires_at=timezone.now() - timedelta(hours=1))
    save(operator, **{BTC: {"is_on": None, "reason": "spread again"}})
    assert off_switches() == {BTC: "spread again"}
    assert MtfSwitch.objects.get(switch_key=BTC).expires_at is None


def test_turning_on_in_the_list_drops_the_expiry(operator: Client) -> None:
    set_switch(BTC, is_on=False, reason="spread", actor="ada", expires_at=timezone.now() + timedelta(hours=1))
    save(operator, **{BTC: {"is_on": "on", "reason": "book is back"}})
    switch = MtfSwitch.objects.get(switch_key=BTC)
    assert (switch.is_on, switch.expires_at, switch.changed_by) == (True, None, "operator")


@pytest.mark.parametrize(("action", "hours"), [("turn_off_1h", 1), ("turn_off_4h", 4), ("turn_off", None)])
def test_a_bulk_off_asks_for_the_reason_then_says_how_many(
    operator: Client, action: str, hours: int | None
) -> None:
    set_switch(BTC, is_on=True, reason="fine", actor="ada")
    page = bulk(operator, action, "GLOBAL", BTC)
    assert page.status_code == 200
    assert "Why?" in page.content.decode()
    assert off_switches() == {}

    done = bulk(operator, action, "GLOBAL", BTC, reason="weekend")
    messages = [str(message) for message in operator.get(done["Location"]).context["messages"]]
    assert messages[0].startswith("2 switches turned off")
    assert off_switches() == {"GLOBAL": "weekend", BTC: "weekend"}
    expiry = MtfSwitch.objects.get(switch_key=BTC).expires_at
    if hours is None:
        assert expiry is None
    else:
        assert timedelta(0) <= timezone.now() + timedelta(hours=hours) - expiry < timedelta(minutes=1)


def test_a_bulk_change_with_an_empty_reason_is_asked_again(operator: Client) -> None:
    page = bulk(operator, "turn_off", "GLOBAL", reason="   ")
    assert page.status_code == 200
    assert "This field is required" in page.content.decode()
    assert off_switches() == {}


def test_a_bulk_on_turns_everything_chosen_on(operator: Client) -> None:
    for key in ("GLOBAL", BTC):
        set_switch(key, is_on=False, reason="weekend", actor="ada")
    bulk(operator, "turn_on", "GLOBAL", BTC, reason="monday")
    assert off_switches() == {}
    assert set(MtfSwitch.objects.values_list("reason", "changed_by")) == {("monday", "operator")}


def test_a_new_switch_is_added_off_with_its_author(operator: Client) -> None:
    add = reverse("admin:switches_mtfswitch_add")
    answer = operator.post(add, {"switch_key": "SYMBOL_TF:BTCUSDT:5m", "reason": "noise"})
    assert answer.status_code == 302
    assert off_switches() == {"SYMBOL_TF:BTCUSDT:5m": "noise"}
    assert OperatorAction.objects.get().actor == "operator"


@pytest.mark.parametrize(
    ("posted", "told"),
    [
        ({"switch_key": "SYMBOL_TF:BTCUSDT:2m", "reason": "noise"}, "ends in a timeframe"),
        ({"switch_key": "BITCOIN", "reason": "noise"}, "did you mean"),
        ({"switch_key": "GLOBAL", "reason": "noise"}, "already exists"),
        ({"switch_key": BTC, "reason": ""}, "Say why"),
        (
            {"switch_key": BTC, "reason": "x", "expires_at_0": "2020-01-01", "expires_at_1": "10:00:00"},
            "This has passed",
        ),
    ],
    ids=["timeframe", "form", "twice", "reason", "expiry"],
)
def test_a_bad_new_switch_is_refused_with_what_to_do(
    operator: Client, posted: dict[str, str], told: str
) -> None:
    answer = operator.post(reverse("admin:switches_mtfswitch_add"), posted)
    assert answer.status_code == 200
    assert told in answer.content.decode()
    assert list(MtfSwitch.objects.values_list("switch_key", flat=True)) == ["GLOBAL"]


def test_the_page_of_a_switch_takes_an_expiry_but_never_another_key(operator: Client) -> None:
    until = (timezone.now() + timedelta(days=2)).replace(microsecond=0)
    page = reverse("admin:switches_mtfswitch_change", args=[MtfSwitch.objects.get().pk])
    operator.post(
        page,
        {
            "switch_key": BTC,
            "reason": "holiday",
            "expires_at_0": f"{until:%Y-%m-%d}",
            "expires_at_1": f"{until:%H:%M:%S}",
        },
    )
    switch = MtfSwitch.objects.get()
    assert (switch.switch_key, switch.is_on, switch.expires_at, switch.changed_by) == (
        "GLOBAL",
        False,
        until,
        "operator",
    )


def test_a_new_switch_for_a_symbol_nobody_lists_is_refused_naming_the_nearest(operator: Client) -> None:
    market.save_contracts([contract("BTCUSDT")], timezone.now())
    answer = operator.post(
        reverse("admin:switches_mtfswitch_add"), {"switch_key": "SYMBOL:BTCUSD", "reason": "noise"}
    )
    assert answer.status_code == 200
    assert "unknown symbol" in answer.content.decode()
    assert "BTCUSDT" in answer.content.decode()
    assert list(MtfSwitch.objects.values_list("switch_key", flat=True)) == ["GLOBAL"]
