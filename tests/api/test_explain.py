from __future__ import annotations

from pathlib import Path

import pytest
from pytest_django import Settings
from rest_framework.test import APIClient

from tests.factories import ContractFactory, MtfRunFactory

EXPLAIN = "/api/mtf/explain"


@pytest.fixture(autouse=True)
def _listed(db: None) -> None:
    ContractFactory.create(symbol="BTCUSDT")


def test_a_verdict_is_told_with_the_comparison_to_what_was_stored(reader: APIClient) -> None:
    body = reader.get(f"{EXPLAIN}/BTCUSDT?at=2026-06-01T12:00:30Z&profile=regular").json()
    assert (body["verdict"]["symbol"], body["verdict"]["profile"]) == ("BTCUSDT", "regular")
    assert body["verdict"]["timeframes"]
    assert (body["run_id"], body["stored"], body["equal"], body["judged"]) == (None, None, None, None)
    assert {"timeframe", "phase", "side", "items", "missing"} == body["missing"][0].keys()
    assert body["comparison"].startswith("no run judged this minute")


def test_the_run_of_that_minute_is_named(reader: APIClient) -> None:
    run = MtfRunFactory.create()
    body = reader.get(f"{EXPLAIN}/BTCUSDT?at=2026-06-01T12:00:59Z").json()
    assert (body["run_id"], body["run_status"]) == (str(run.run_id), "decided")


def test_without_a_moment_it_is_the_present_one(reader: APIClient) -> None:
    assert reader.get(f"{EXPLAIN}/BTCUSDT").status_code == 200


@pytest.mark.parametrize(
    ("address", "field", "words"),
    [
        ("BTCUSD", "symbol", "BTCUSDT"),
        ("%00", "symbol", "Null characters"),
        ("%20", "symbol", "blank"),
        ("X" * 65, "symbol", "64"),
        ("BTCUSDT?profile=regula", "profile", "regular"),
        ("BTCUSDT?profile=..%2F..%2Fpasswd", "profile", "unknown profile"),
        ("BTCUSDT?at=noon", "at", "Datetime"),
        ("BTCUSDT?at=2999-01-01T00:00:00Z", "at", "future"),
        ("BTCUSDT?at=9999-12-31T23:59:59Z", "at", "future"),
        ("BTCUSDT?at=0001-01-01T00:00:00Z", "at", "no candle before 2000"),
        ("BTCUSDT?when=2026-01-01", "when", "unknown"),
    ],
)
def test_a_question_without_an_answer_names_its_field(
    address: str, field: str, words: str, reader: APIClient
) -> None:
    refused = reader.get(f"{EXPLAIN}/{address}")
    assert (refused.status_code, list(refused.json()["details"])) == (400, [field])
    assert words in refused.json()["message"]


def test_a_profile_that_cannot_be_loaded_is_refused_by_its_faults(
    reader: APIClient, tmp_path: Path, settings: Settings
) -> None:
    (tmp_path / "conditions.yaml").write_text("{}\n")
    (tmp_path / "broken.yaml").write_text("name: broken\n")
    settings.MTF_PROFILES_DIR = tmp_path
    refused = reader.get(f"{EXPLAIN}/BTCUSDT?profile=broken")
    assert refused.status_code == 400
    assert refused.json()["message"].startswith("profile: broken cannot be loaded: ")
    assert "validation_mode" in refused.json()["message"]
