"""What people see and do on the contracts' pages: the universe, the blacklist, one judgement more."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal

import pytest
from django.http import HttpResponse
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from apps.audit.models import OperatorAction
from apps.market import blacklist
from apps.market.models import Contract
from apps.switches.models import SymbolQueue
from tests.factories import ContractFactory

pytestmark = pytest.mark.django_db

LIST = "/admin/market/contract/"
People = Callable[[str], Client]


@pytest.fixture(autouse=True)
def _contracts() -> None:
    ContractFactory.create(symbol="AUSDT", turnover_24h=Decimal(900_000))
    ContractFactory.create(symbol="BUSDT")


def act(client: Client, action: str, *symbols: str, **more: str) -> HttpResponse:
    chosen = list(Contract.objects.filter(symbol__in=symbols).values_list("pk", flat=True))
    return client.post(LIST, {"action": action, "_selected_action": chosen, **more})


def page(client: Client, symbol: str) -> str:
    return client.get(f"{LIST}{Contract.objects.get(symbol=symbol).pk}/change/").content.decode()


def test_a_contracts_page_says_of_each_profile_whether_it_is_judged_or_why_not(person: People) -> None:
    client = person("viewer")
    assert "turnover_too_low: turnover 900,000 &lt; 1,500,000" in page(client, "AUSDT")
    assert "turnover_too_low" not in page(client, "BUSDT")
    assert "member" in page(client, "BUSDT")


def test_a_contracts_page_opens_whatever_is_wrong_with_the_watch_list(
    person: People, settings: Settings
) -> None:
    settings.MTF_SYMBOLS_TO_WATCH = ["AUSD"]
    assert "unknown symbol &#x27;AUSD&#x27;" in page(person("viewer"), "AUSDT")


def test_an_operator_lifts_the_blacklist_with_a_reason(person: People) -> None:
    until = timezone.now() + timedelta(hours=4)
    blacklist.set_entry(["AUSDT"], until=until, reason="5 entry faults", actor="system")
    client = person("operator")
    assert "5 entry faults" in client.get(LIST).content.decode()
    assert "Why?" in act(client, "lift_blacklist", "AUSDT", "BUSDT").content.decode()
    act(client, "lift_blacklist", "AUSDT", "BUSDT", reason="fixed by the venue")
    assert blacklist.standing(timezone.now()) == {}
    newest = OperatorAction.objects.order_by("id").last()
    assert newest is not None
    assert (newest.actor, newest.action, newest.reason) == (
        "operator",
        "blacklist_lifted",
        "fixed by the venue",
    )


def test_an_operator_marks_contracts_to_be_judged_once_and_no_contract_twice(person: People) -> None:
    client = person("operator")
    assert "scalper_micro" in act(client, "judge_once", "AUSDT").content.decode()
    act(client, "judge_once", "AUSDT", reason="a look", profile="regular")
    act(client, "judge_once", "AUSDT", "BUSDT", reason="a look", profile="regular")
    marks = SymbolQueue.objects.order_by("symbol")
    assert [(mark.symbol, mark.profile, mark.asked_by) for mark in marks] == [
        ("AUSDT", "regular", "operator"),
        ("BUSDT", "regular", "operator"),
    ]


def test_a_viewer_does_neither(person: People) -> None:
    until = timezone.now() + timedelta(hours=4)
    blacklist.set_entry(["AUSDT"], until=until, reason="5 entry faults", actor="system")
    client = person("viewer")
    act(client, "lift_blacklist", "AUSDT", reason="why not")
    act(client, "judge_once", "AUSDT", reason="why not", profile="regular")
    assert set(blacklist.standing(timezone.now())) == {"AUSDT"}
    assert not SymbolQueue.objects.exists()
