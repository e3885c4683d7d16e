from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import redis
from django.conf import settings
from django.urls import reverse
from django.utils import timezone
from rest_framework.test import APIClient

from apps.live import run_state
from apps.live.models import MtfRun, RunStatus
from tests.api.queue import ASKED, Worker, message
from tests.factories import ContractFactory

RUN = reverse("api:run-now")


@pytest.fixture
def broker() -> Iterator[redis.Redis]:
    client = redis.Redis.from_url(settings.REDIS_URL)
    client.delete("mtf", ASKED)
    yield client
    client.delete("mtf", ASKED)
    client.close()


@pytest.fixture(autouse=True)
def _listed(db: None) -> None:
    for symbol in ("BTCUSDT", "ETHUSDT"):
        ContractFactory.create(symbol=symbol)


RESULT = {
    "status": "success",
    "summary": {"symbols": 1},
    "results": [{"symbol": "BTCUSDT"}],
    "rejected_by": {},
}


@pytest.mark.parametrize(
    ("symbols", "expected"),
    [
        (None, ["BTCUSDT", "ETHUSDT"]),
        ("ETHUSDT", ["ETHUSDT"]),
        ("ETHUSDT, BTCUSDT,ETHUSDT", ["ETHUSDT", "BTCUSDT"]),
        (["BTCUSDT"], ["BTCUSDT"]),
    ],
)
def test_a_run_is_opened_and_its_message_lies_on_the_queue_behind_the_minute(
    symbols: Any, expected: list[str], operator: APIClient, broker: redis.Redis
) -> None:
    body = {"wait": False} if symbols is None else {"wait": False, "symbols": symbols}
    accepted = operator.post(RUN, body, format="json")
    assert (accepted.status_code, accepted.json()["status"]) == (202, "accepted")
    run = MtfRun.objects.get(run_id=accepted.json()["run_id"])
    assert (run.status, run.trigger, run.dry_run, run.profile) == ("running", "api", True, "scalper_micro")
    assert run.options["symbols"] == expected
    task, arguments, expires = message(broker)
    assert (task, arguments) == ("apps.live.tasks.run_request", {"run_id": str(run.run_id)})
    assert 0 < (expires - timezone.now()).total_seconds() <= 55


@pytest.mark.parametrize(
    ("result", "status", "told"),
    [
        (RESULT, 200, RESULT),
        (RESULT | {"status": "partial_success"}, 200, RESULT | {"status": "partial_success"}),
        (
            RESULT | {"status": "error", "rejected_by": {"NO_KLINES": 1}},
            500,
            {
                "status": "error",
                "code": "nothing_judged",
                "details": {"NO_KLINES": 1},
                "rejected_by": {"NO_KLINES": 1},
            },
        ),
    ],
)
def test_who_waits_gets_the_result_and_the_code_that_agrees(
    result: dict[str, Any], status: int, told: dict[str, Any], operator: APIClient, broker: redis.Redis
) -> None:
    def decide(run: MtfRun) -> None:
        run_state.finish_run(run, now=timezone.now(), counts={}, timings={}, result=result)

    with Worker(broker, decide):
        answer = operator.post(RUN, {"symbols": "BTCUSDT"}, format="json")
    assert answer.status_code == status
    assert told.items() <= answer.json().items()


def test_a_run_that_failed_is_an_error_that_names_the_fault(operator: APIClient, broker: redis.Redis) -> None:
    def fail(run: MtfRun) -> None:
        run_state.fail_run(run, RuntimeError("the poison of ETHUSDT"), timezone.now())

    with Worker(broker, fail):
        answer = operator.post(RUN, {}, format="json")
    body = answer.json()
    assert (answer.status_code, body["status"], body["code"]) == (500, "error", "run_failed")
    assert body["message"] == "RuntimeError: the poison of ETHUSDT"
    assert MtfRun.objects.get().run_id.hex == body["details"]["run_id"].replace("-", "")


def test_without_a_worker_the_answer_is_the_run_id_to_ask_for_later(
    operator: APIClient, broker: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("apps.console.api.run.WAIT_S", 0.1)
    answer = operator.post(RUN, {}, format="json")
    assert answer.status_code == 202
    assert MtfRun.objects.filter(run_id=answer.json()["run_id"]).exists()


def test_a_dead_broker_is_503_and_leaves_no_run_open(operator: APIClient, dead_broker: None) -> None:
    answer = operator.post(RUN, {}, format="json")
    assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")
    assert list(MtfRun.objects.values_list("status", flat=True)) == [RunStatus.FAILED]


@pytest.mark.parametrize(
    ("body", "field", "words"),
    [
        ({"symbols": []}, "symbols", "is empty"),
        ({"symbols": ""}, "symbols", "is empty"),
        ({"symbols": " "}, "symbols", "blank"),
        ({"symbols": "BTCUSDT,,ETHUSDT"}, "symbols", "blank"),
        ({"symbols": {"a": 1}}, "symbols", "list of symbols"),
        ({"symbols": 5}, "symbols", "list of symbols"),
        ({"symbols": None}, "symbols", "null"),
        ({"symbols": ["BTCUSDT", 5]}, "symbols", "must be a text"),
        ({"symbols": ["BTC\u0000USDT"]}, "symbols", "Null characters"),
        ({"symbols": ["X" * 65]}, "symbols", "64"),
        ({"symbols": ["X"] * 2001}, "symbols", "at most 2000"),
        ({"symbols": "BTCUSD"}, "symbols", "BTCUSDT"),
        ({"mtf_profile": "scalper_mico"}, "mtf_profile", "scalper_micro"),
        ({"mtf_profile": "../../etc/passwd"}, "mtf_profile", "unknown profile"),
        ({"mtf_profile": ["regular"]}, "mtf_profile", "must be a text"),
        ({"validation_mode": "lenient"}, "validation_mode", "strict"),
        ({"timeframe": "7m"}, "timeframe", "7m"),
        ({"timeframe": "4h"}, "timeframe", "4h"),
        ({"dry_run": False, "force_run": True}, "force_run", "dry runs only"),
        ({"dry_run": "true"}, "dry_run", "must be true or false"),
        ({"dry_run": 1}, "dry_run", "must be true or false"),
        ({"dry_run": None}, "dry_run", "null"),
        ({"force_run": "yes"}, "force_run", "must be true or false"),
        ({"wait": 0}, "wait", "must be true or false"),
        ({"process_tp_sl": "no"}, "process_tp_sl", "must be true or false"),
        ({"workers": "many"}, "workers", "integer"),
        ({"symbol": "BTCUSDT"}, "symbol", "did you mean symbols?"),
        ({"dryrun": True}, "dryrun", "did you mean dry_run?"),
    ],
)
def test_a_request_that_makes_no_sense_names_its_field_and_writes_nothing(
    body: dict[str, Any], field: str, words: str, operator: APIClient, broker: redis.Redis
) -> None:
    refused = operator.post(RUN, body, format="json")
    answer = refused.json()
    assert (refused.status_code, answer["code"], list(answer["details"])) == (400, "invalid", [field])
    assert words in answer["message"]
    assert not MtfRun.objects.exists()
    assert broker.llen(ASKED) == broker.llen("mtf") == 0


def test_the_number_of_workers_is_accepted_and_ignored(operator: APIClient, broker: redis.Redis) -> None:
    assert operator.post(RUN, {"workers": 64, "wait": False}, format="json").status_code == 202
    assert "workers" not in MtfRun.objects.get().options


def test_more_runs_than_may_wait_are_429_that_says_when_to_come_back(
    operator: APIClient, broker: redis.Redis
) -> None:
    for _ in range(run_state.MOST_WAITING):
        assert operator.post(RUN, {"wait": False}, format="json").status_code == 202
    refused = operator.post(RUN, {"wait": False}, format="json")
    body = refused.json()
    assert (refused.status_code, body["status"], body["code"]) == (429, "error", "too_many")
    assert "retry in a few seconds" in body["message"]
    assert (refused["Retry-After"], body["details"]) == ("5", {"retry_after_s": "5"})
    assert MtfRun.objects.count() == broker.llen(ASKED) == run_state.MOST_WAITING


@pytest.mark.parametrize(
    "over",
    [
        {"status": RunStatus.DECIDED},
        {"started_at": timezone.now() - run_state.QUEUED_FOR},
        {"trigger": "beat"},
    ],
)
def test_a_run_that_ended_or_expired_and_the_minute_itself_take_no_place(
    over: dict[str, Any], operator: APIClient, broker: redis.Redis
) -> None:
    for _ in range(run_state.MOST_WAITING):
        assert operator.post(RUN, {"wait": False}, format="json").status_code == 202
    MtfRun.objects.filter(pk=MtfRun.objects.earliest("pk").pk).update(**over)
    assert operator.post(RUN, {"wait": False}, format="json").status_code == 202
