"""Every page of the admin opens, for every table, with rows in it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.apps import apps
from django.db.models import Model
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from rest_framework.authtoken.models import Token

from apps.audit import store as audit
from apps.audit.models import MtfAudit
from tests.admin.places import SHOWN, made_by_people, place
from tests.factories import StreamHealthFactory
from tests.rooms.builders import T0, audit_row

pytestmark = pytest.mark.django_db

ROOMS = ("market", "profiles", "signals", "orders", "switches", "audit", "feed", "mtf")
NOT_SHOWN = {
    "signals.ValidationCache",  # the states show it
}


def test_every_table_of_the_rooms_has_its_pages() -> None:
    ours = {model._meta.label for label in ROOMS for model in apps.get_app_config(label).get_models()}
    assert ours - {model._meta.label for model in SHOWN} == NOT_SHOWN


@pytest.mark.parametrize("model", SHOWN, ids=lambda model: model._meta.label)
def test_the_list_and_a_row_open(model: type[Model], root: Client, rows: None) -> None:
    answer = root.get(place(model, "changelist"))
    assert answer.status_code == 200
    assert len(answer.context["cl"].result_list) >= 1, "the test has no row here"
    for row in answer.context["cl"].result_list[:1]:
        assert root.get(place(model, "change", row.pk)).status_code == 200
        assert root.get(place(model, "history", row.pk)).status_code == 200


@pytest.mark.parametrize("model", SHOWN, ids=lambda model: model._meta.label)
def test_the_form_to_add_opens_where_people_may_add_and_nowhere_else(
    model: type[Model], root: Client, rows: None
) -> None:
    expected = 200 if made_by_people(model) else 403
    assert root.get(place(model, "add")).status_code == expected


@pytest.mark.parametrize(
    "model", [model for model in SHOWN if model._meta.app_label in ROOMS], ids=lambda model: model._meta.label
)
def test_the_list_takes_blank_filters_and_a_search(model: type[Model], root: Client, rows: None) -> None:
    view = root.get(place(model, "changelist")).context["cl"]
    blank = {str(name): "" for spec in view.filter_specs for name in spec.expected_parameters()}
    searched = {"q": "btcusdt"} if view.search_fields else {}
    assert root.get(place(model, "changelist"), blank | searched).status_code == 200


def test_a_run_leads_to_its_audit_rows_and_back(root: Client, rows: None) -> None:
    runs = root.get(reverse("admin:mtf_mtfrun_changelist"))
    audit = reverse("admin:audit_mtfaudit_changelist")
    assert f"{audit}?run_id=11111111-2222-3333-4444-555555555555" in runs.content.decode()
    page = root.get(audit, {"run_id": "11111111-2222-3333-4444-555555555555"})
    assert len(page.context["cl"].result_list) == 1
    other = root.get(audit, {"run_id": "99999999-2222-3333-4444-555555555555"})
    assert len(other.context["cl"].result_list) == 0


def test_a_run_id_that_is_none_is_told_so(root: Client, rows: None) -> None:
    answer = root.get(reverse("admin:audit_mtfaudit_changelist"), {"run_id": "nonsense"})
    assert answer.status_code == 302
    assert answer["Location"].endswith("?e=1")


@pytest.mark.parametrize(
    ("parameter", "value", "found"),
    [
        ("cause", "READY", 1),
        ("cause", "READ", 0),
        ("profile", "regular", 1),
        ("step", "verdict", 1),
        ("step", "plan", 0),
        ("timeframe", "5m", 1),
        ("timeframe", "1m", 0),
        ("q", "btcusdt", 1),
        ("q", "BTC", 0),
    ],
)
def test_the_audit_is_filtered_by_whole_values(
    root: Client, rows: None, parameter: str, value: str, found: int
) -> None:
    if parameter == "timeframe":
        parameter = "timeframe__exact"
    answer = root.get(reverse("admin:audit_mtfaudit_changelist"), {parameter: value})
    assert len(answer.context["cl"].result_list) == found


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"created_at_from_0": "2026-11-02", "created_at_from_1": "12:00:00"}, {"noon", "night"}),
        ({"created_at_to_0": "2026-11-02", "created_at_to_1": "12:00:00"}, {"morning", "noon"}),
        ({"created_at_from_0": "2026-11-03", "created_at_from_1": ""}, {"night"}),
        ({"created_at_from_0": "", "created_at_from_1": "12:00:00"}, {"morning", "noon", "night"}),
    ],
    ids=["from", "to", "a date alone", "a time alone"],
)
def test_times_are_filtered_in_utc(root: Client, query: dict[str, str], found: set[str]) -> None:
    moments = {"morning": T0, "noon": T0 + timedelta(hours=4), "night": T0 + timedelta(hours=16)}
    audit.save_rows(audit_row(cause=cause, created_at=at) for cause, at in moments.items())
    answer = root.get(reverse("admin:audit_mtfaudit_changelist"), query)
    assert {row.cause for row in answer.context["cl"].result_list} == found


def test_a_time_that_is_none_is_told_so(root: Client) -> None:
    answer = root.get(reverse("admin:audit_mtfaudit_changelist"), {"created_at_from_0": "yesterday"})
    assert answer.status_code == 302


def test_the_overview_says_what_runs_what_is_stopped_and_what_was_ready(root: Client, rows: None) -> None:
    page = root.get(reverse("admin:index"))
    text = page.content.decode()
    assert [switch.switch_key for switch in page.context["stopped"]] == ["SYMBOL:BTCUSDT"]
    assert [(row["symbol"], row["times"]) for row in page.context["ready"]] == [("BTCUSDT", 1)]
    assert {pulse["profile"] for pulse in page.context["pulses"]} >= {"regular"}
    assert "431 ms after the close" in text
    assert "spread" in text


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({}, "quotes of 5 symbols, the newest 1 s old"),
        ({"quote_symbols": 1, "last_quote_at": None}, "quotes of 1 symbol"),
        ({"quote_symbols": 0}, "quotes of 0 symbols"),
    ],
)
def test_the_overview_says_of_how_many_symbols_quotes_are_pushed_and_how_old_the_newest_is(
    root: Client, change: dict[str, Any], said: str
) -> None:
    StreamHealthFactory.create(now=timezone.now(), **change)
    lines = [line.strip() for line in root.get(reverse("admin:index")).content.decode().splitlines()]
    assert said in lines


def test_the_overview_opens_on_an_empty_database(root: Client) -> None:
    page = root.get(reverse("admin:index"))
    assert page.status_code == 200
    assert "No minute judged yet" in page.content.decode()
    assert "never started" in page.content.decode()


def test_an_audit_row_shows_each_condition_with_its_values(root: Client, rows: None) -> None:
    leaf = {
        "side": "long",
        "role": "rule",
        "condition": "rsi_low",
        "text": "rsi < 70",
        "left": 51.2,
        "right": 70.0,
        "held": True,
    }
    dropped = leaf | {"side": None, "role": "drop", "condition": "wild", "text": "atr > 3"}
    leaves = [leaf, dropped]
    timeframe = {"timeframe": "5m", "phase": "execution", "outcome": "long", "reason": None, "leaves": leaves}
    audit.save_rows([audit_row(symbol="SOLUSDT", details={"verdict": {"timeframes": [timeframe]}})])
    row = MtfAudit.objects.get(symbol="SOLUSDT")
    page = root.get(place(MtfAudit, "change", row.pk)).content.decode()
    assert "5m execution: long" in page
    assert "<code>rsi &lt; 70</code>" in page
    assert '<td class="pr-3">51.2</td>' in page
    assert "<td>70</td>" in page
    assert page.index("drop if any") < page.index("<code>atr &gt; 3</code>")


def test_no_page_shows_a_token() -> None:
    assert not [model for model in SHOWN if issubclass(model, Token)]
