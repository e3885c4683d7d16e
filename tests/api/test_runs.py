from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.urls import reverse
from rest_framework.test import APIClient

from apps.live.models import MtfRun, RunStatus, Trigger
from tests.factories import NOON, ContractFactory, MtfAuditFactory, MtfRunFactory


@pytest.fixture
def minutes(db: None) -> list[MtfRun]:
    """Three decided minutes of which the second changed one symbol."""
    for symbol in ("BTCUSDT", "ETHUSDT", "NEWUSDT"):
        ContractFactory.create(symbol=symbol)
    runs = [MtfRunFactory.create(minute=NOON + timedelta(minutes=n)) for n in range(3)]
    at = [run.started_at for run in runs]
    MtfAuditFactory.create(symbol="BTCUSDT", cause="NO_KLINES", run_id=runs[0].run_id, created_at=at[0])
    MtfAuditFactory.create(symbol="ETHUSDT", cause="candle_late", run_id=runs[0].run_id, created_at=at[0])
    MtfAuditFactory.create(symbol="BTCUSDT", cause="READY", run_id=runs[1].run_id, created_at=at[1])
    MtfAuditFactory.create(symbol="BTCUSDT", cause="of another profile", profile="regular", created_at=at[0])
    MtfAuditFactory.create(symbol="NEWUSDT", cause="of an older profile", digest="0" * 64, created_at=at[0])
    return runs


@pytest.mark.parametrize(
    ("index", "expected"),
    [
        (0, [("BTCUSDT", "NO_KLINES", True), ("ETHUSDT", "candle_late", True)]),
        (1, [("BTCUSDT", "READY", True), ("ETHUSDT", "candle_late", False)]),
        (2, [("BTCUSDT", "READY", False), ("ETHUSDT", "candle_late", False)]),
    ],
)
def test_a_minutes_results_are_what_stood_in_the_audit_at_its_end(
    index: int, expected: list[tuple[str, str, bool]], minutes: list[MtfRun], reader: APIClient
) -> None:
    body = reader.get(reverse("api:run", args=[minutes[index].run_id])).json()
    assert [(row["symbol"], row["cause"], row["changed"]) for row in body["results"]] == expected
    assert (body["counts"], body["timings"]) == ({"symbols": 1}, {"evaluate_ms": 12.5})


@pytest.mark.parametrize("status", [RunStatus.LOST, RunStatus.SKIPPED, RunStatus.FAILED, RunStatus.RUNNING])
def test_a_run_that_decided_nothing_claims_no_results(
    status: RunStatus, minutes: list[MtfRun], reader: APIClient
) -> None:
    MtfRun.objects.filter(pk=minutes[2].pk).update(status=status)
    body = reader.get(reverse("api:run", args=[minutes[2].run_id])).json()
    assert (body["status"], body["results"]) == (status, [])


def test_a_dry_runs_results_are_its_own(minutes: list[MtfRun], reader: APIClient) -> None:
    result = {"status": "success", "rejected_by": {}, "results": [{"symbol": "ETHUSDT", "status": "READY"}]}
    run = MtfRunFactory.create(trigger=Trigger.API, result=result)
    body = reader.get(reverse("api:run", args=[run.run_id])).json()
    assert body["results"] == [{"symbol": "ETHUSDT", "status": "READY"}]
    assert body["summary"] == {"status": "success", "rejected_by": {}}


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"profile": "regular"}, ["b"]),
        ({"status": "lost"}, ["c"]),
        ({"trigger": "api"}, ["d"]),
        ({"since": "2026-06-01T12:02:01Z"}, ["d", "c"]),
        ({"until": "2026-06-01T12:01:01Z"}, ["a"]),
    ],
)
def test_runs_are_filtered_and_their_list_carries_no_results(
    given: dict[str, str], expected: list[str], reader: APIClient
) -> None:
    changes: list[dict[str, Any]] = [
        {},
        {"profile": "regular"},
        {"status": "lost"},
        {"trigger": "api", "result": {}},
    ]
    for n, (name, changed) in enumerate(zip("abcd", changes, strict=True)):
        MtfRunFactory.create(minute=NOON + timedelta(minutes=n), error=name, **changed)
    rows = reader.get(reverse("api:runs"), given).json()["results"]
    assert [run["error"] for run in rows] == expected
    assert all("result" not in run and "results" not in run for run in rows)
