"""Viewers look, operators also turn switches, admins also mind the people; nobody edits what happened."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.apps import apps
from django.contrib import admin
from django.contrib.auth.models import Group
from django.test import Client
from django.urls import reverse

from apps.switches.models import MtfSwitch

pytestmark = pytest.mark.django_db

People = Callable[[str], Client]
ROOMS = ("market", "profiles", "signals", "orders", "switches", "audit", "feed", "mtf")
TABLES = sorted(
    f"{model._meta.app_label}_{model._meta.model_name}"
    for model in admin.site._registry
    if model._meta.app_label in ROOMS
)


@pytest.mark.parametrize("table", TABLES)
def test_a_viewer_sees_every_room(table: str, person: People, rows: None) -> None:
    assert person("viewer").get(reverse(f"admin:{table}_changelist")).status_code == 200


@pytest.mark.parametrize("wider", ["operator", "admin"])
def test_whoever_may_act_may_also_look(wider: str, db: None) -> None:
    def granted(name: str) -> set[int]:
        return set(Group.objects.get(name=name).permissions.values_list("pk", flat=True))

    assert granted("viewer") < granted(wider)


@pytest.mark.parametrize(("group", "users"), [("viewer", 403), ("operator", 403), ("admin", 200)])
def test_only_admins_see_the_people(group: str, users: int, person: People) -> None:
    assert person(group).get(reverse("admin:auth_user_changelist")).status_code == users


@pytest.mark.parametrize("table", [table for table in TABLES if table != "switches_mtfswitch"])
def test_even_an_admin_cannot_change_or_delete_what_happened(table: str, person: People, rows: None) -> None:
    client = person("admin")
    row = apps.get_model(*table.split("_", 1)).objects.first()
    assert client.post(reverse(f"admin:{table}_change", args=[row.pk]), {}).status_code == 403
    assert client.post(reverse(f"admin:{table}_delete", args=[row.pk]), {"post": "yes"}).status_code == 403


def test_a_viewer_sees_no_toggle_and_cannot_turn_a_switch(person: People) -> None:
    client = person("viewer")
    switches = reverse("admin:switches_mtfswitch_changelist")
    switch = MtfSwitch.objects.get(switch_key="GLOBAL")
    assert client.get(switches).context["cl"].formset is None
    client.post(
        switches,
        {
            "form-TOTAL_FORMS": "1",
            "form-INITIAL_FORMS": "1",
            "form-0-id": switch.pk,
            "form-0-reason": "because",
            "_save": "Save",
        },
    )
    client.post(switches, {"action": "turn_off", "_selected_action": [switch.pk], "reason": "because"})
    page = reverse("admin:switches_mtfswitch_change", args=[switch.pk])
    assert client.post(page, {"reason": "because"}).status_code == 403
    assert client.get(reverse("admin:switches_mtfswitch_add")).status_code == 403
    assert MtfSwitch.objects.get(switch_key="GLOBAL").is_on


def test_nobody_deletes_a_switch(person: People) -> None:
    switch = MtfSwitch.objects.get(switch_key="GLOBAL")
    page = reverse("admin:switches_mtfswitch_delete", args=[switch.pk])
    assert person("admin").post(page, {"post": "yes"}).status_code == 403


def test_the_side_bar_shows_only_what_one_may_open(person: People) -> None:
    def titles(group: str) -> set[str]:
        page = person(group).get(reverse("admin:index"))
        return {item["title"] for part in page.context["sidebar_navigation"] for item in part["items"]}

    assert "Users" not in titles("viewer")
    assert {"Users", "Kill switches", "Audit"} <= titles("admin")


def test_a_stranger_is_asked_to_log_in() -> None:
    answer = Client().get(reverse("admin:switches_mtfswitch_changelist"))
    assert answer.status_code == 302
    assert answer["Location"].startswith("/admin/login/")
