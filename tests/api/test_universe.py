"""The universe over HTTP: members, and every other contract with its reason and numbers."""

from __future__ import annotations

from decimal import Decimal

import pytest
from django.urls import reverse
from pytest_django import Settings
from rest_framework.test import APIClient

from tests.factories import ContractFactory

ADDRESS = reverse("api:universe")


@pytest.fixture(autouse=True)
def _contracts(db: None) -> None:
    ContractFactory.create(symbol="AUSDT")
    ContractFactory.create(symbol="BUSDT", turnover_24h=Decimal(900_000))


def test_it_answers_for_each_profile_that_runs_with_settings_members_and_reasons(reader: APIClient) -> None:
    answer = reader.get(ADDRESS)
    assert answer.status_code == 200
    results = answer.json()["results"]
    assert [row["profile"] for row in results] == ["scalper_micro", "scalper", "regular"]
    assert results[0]["settings"]["top_n"] == 210
    assert (results[0]["contracts"], results[0]["members"]) == (2, ["AUSDT"])
    [left_out] = results[0]["excluded"]
    assert left_out == {
        "symbol": "BUSDT",
        "reason": "turnover_too_low",
        "text": "turnover 900,000 < 1,500,000",
        "numbers": {"turnover_usdt": "900000.000000000000", "min_turnover_usdt": "1500000"},
    }


def test_one_profile_is_asked_for_by_name_whether_it_runs_or_not(reader: APIClient) -> None:
    [row] = reader.get(ADDRESS, {"profile": "crash"}).json()["results"]
    assert (row["profile"], row["members"]) == ("crash", ["AUSDT"])
    refused = reader.get(ADDRESS, {"profile": "crahs"})
    assert refused.status_code == 400
    assert "nearest: 'crash'" in refused.json()["details"]["profile"][0]


def test_a_watch_list_that_names_what_is_not_listed_is_said_and_not_a_crash(
    reader: APIClient, settings: Settings
) -> None:
    settings.MTF_SYMBOLS_TO_WATCH = ["AUSD"]
    refused = reader.get(ADDRESS)
    assert refused.status_code == 503
    assert "unknown symbol 'AUSD'; nearest: 'AUSDT'" in refused.json()["message"]
