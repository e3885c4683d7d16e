"""Kill switches: a missing row is on, an expired OFF is on, and every change is written down."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from apps.audit.models import OperatorAction
from apps.switches import store
from apps.switches.models import MtfSwitch

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)
BTC = "SYMBOL:BTCUSDT"


def off(key: str = BTC, **changes) -> MtfSwitch:
    return store.set_switch(key, **({"is_on": False, "reason": "spread", "actor": "ada"} | changes))


def test_the_global_switch_exists_from_the_start_and_is_on() -> None:
    assert MtfSwitch.objects.get(switch_key="GLOBAL").is_on
    assert store.off_switches() == {}


def test_only_an_off_that_has_not_ended_is_in_force() -> None:
    off()
    off("PROFILE:regular", reason="review", expires_at=timezone.now() + HOUR)
    off("SYMBOL:ETHUSDT", expires_at=timezone.now() + HOUR)
    MtfSwitch.objects.filter(switch_key="SYMBOL:ETHUSDT").update(expires_at=timezone.now() - HOUR)
    store.set_switch("SYMBOL:XRPUSDT", is_on=True, reason="fine", actor="ada")
    assert store.off_switches() == {BTC: "spread", "PROFILE:regular": "review"}
    assert {switch.switch_key for switch in MtfSwitch.objects.all() if switch.is_in_force} == {
        BTC,
        "PROFILE:regular",
    }


@pytest.mark.parametrize(
    "key",
    [
        "GLOBAL",
        "PROFILE:regular",
        BTC,
        "SYMBOL_TF:BTCUSDT:5m",
        "SYMBOL_TF:BTCUSDT:4h",
        "SYMBOL:BTC/USDT:USDT",
        "SYMBOL_TF:BTC/USDT:USDT:1m",
    ],
)
def test_a_legal_key_is_taken_as_it_is(key: str) -> None:
    assert off(key).switch_key == key


@pytest.mark.parametrize(
    ("key", "hint"),
    [
        ("", "did you mean"),
        ("global", "did you mean GLOBAL"),
        ("GLOBAL:x", "did you mean"),
        ("SYMBOLS:BTCUSDT", "SYMBOL:BTCUSDT"),
        ("BTCUSDT", "did you mean"),
        ("SYMBOL:", "SYMBOL:BTCUSDT"),
        ("SYMBOL: BTCUSDT", "SYMBOL:BTCUSDT"),
        ("SYMBOL_TF:BTCUSDT", "timeframe"),
        ("SYMBOL_TF:BTCUSDT:2m", "4h, 1h, 15m, 5m, 1m"),
        ("SYMBOL_TF:BTCUSDT:1d", "timeframe"),
        ("PROFILE:", "PROFILE:name"),
    ],
)
def test_a_key_that_would_stop_nothing_is_refused_with_the_nearest_form(key: str, hint: str) -> None:
    with pytest.raises(store.InvalidSwitchKey, match=hint) as refused:
        off(key)
    assert repr(key) in str(refused.value)
    assert MtfSwitch.objects.count() == 1


@pytest.mark.parametrize("missing", [{"reason": "  "}, {"actor": ""}])
def test_a_change_needs_a_reason_and_an_author(missing: dict[str, str]) -> None:
    with pytest.raises(store.ReasonMissing):
        off(**missing)
    assert store.off_switches() == {}


@pytest.mark.parametrize(
    "change",
    [{"expires_at": timezone.now() - HOUR}, {"is_on": True, "expires_at": timezone.now() + HOUR}],
    ids=["passed", "of an ON"],
)
def test_an_expiry_belongs_to_an_off_and_the_future(change) -> None:
    with pytest.raises(ValueError, match="expires_at"):
        off(**change)


def test_a_toggle_turns_what_stands_the_other_way() -> None:
    switch = off(expires_at=timezone.now() + HOUR)
    turned = store.toggle_switch(switch.pk, reason="fine again", actor="bob")
    assert (turned.is_on, turned.expires_at, turned.changed_by) == (True, None, "bob")
    assert not store.toggle_switch(switch.pk, reason="again", actor="bob").is_on


def test_a_toggle_of_an_expired_off_turns_it_off_again() -> None:
    switch = off(expires_at=timezone.now() + HOUR)
    MtfSwitch.objects.update(expires_at=timezone.now() - HOUR)
    assert store.toggle_switch(switch.pk, reason="still bad", actor="bob").is_in_force


def test_every_change_becomes_an_operator_action_in_the_authors_name() -> None:
    until = timezone.now() + HOUR
    off(expires_at=until)
    store.set_switch(BTC, is_on=True, reason="book is back", actor="bob")
    rows = OperatorAction.objects.order_by("id").values_list("actor", "action", "target", "reason")
    assert list(rows) == [
        ("ada", "switch_off", BTC, "spread"),
        ("bob", "switch_on", BTC, "book is back"),
    ]
    assert OperatorAction.objects.order_by("id")[0].extra["expires_at"][:16] == until.isoformat()[:16]


def test_a_change_past_the_house_is_recorded_under_the_database_role() -> None:
    off()
    OperatorAction.objects.all().delete()
    MtfSwitch.objects.filter(switch_key=BTC).update(is_on=True)
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM mtf_switch WHERE switch_key = %s", [BTC])
        cursor.execute("SELECT session_user")
        role = f"database:{cursor.fetchone()[0]}"
    actions = OperatorAction.objects.order_by("id").values_list("actor", "action")
    assert list(actions) == [(role, "switch_on"), (role, "switch_deleted")]


def test_a_write_that_changes_nothing_is_no_action() -> None:
    off()
    OperatorAction.objects.all().delete()
    MtfSwitch.objects.get(switch_key=BTC).save()
    assert not OperatorAction.objects.exists()
