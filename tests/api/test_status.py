from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import OperationalError, connection
from django.test import override_settings
from django.urls import reverse
from django.utils import timezone
from rest_framework.test import APIClient

from apps.feed.models import StreamHealth
from apps.insight.system_status import pulse
from apps.live.models import MtfRun, RunStatus, Trigger, WatchState
from apps.switches import store
from tests.factories import NOON, MtfRunFactory, StreamHealthFactory, WatchStateFactory

REGULAR = {"profile": "regular"}
PROFILES = ["scalper_micro", "scalper", "regular"]


def all_is_well() -> None:
    now = timezone.now()
    StreamHealthFactory.create(now=now)
    WatchStateFactory.create(now=now)
    for profile in PROFILES:
        MtfRunFactory.create(profile=profile, minute=now.replace(second=0, microsecond=0), finished_at=now)


def dated(change: dict[str, Any]) -> dict[str, Any]:
    """Numbers are seconds ago."""
    now = timezone.now()
    return {
        name: now - timedelta(seconds=value) if type(value) is int else value
        for name, value in change.items()
    }


def test_it_is_ready_when_the_stream_lives_and_every_profile_was_decided(
    anonymous: APIClient, db: None
) -> None:
    all_is_well()
    answer = anonymous.get(reverse("api:ready"))
    assert (answer.status_code, answer.json()) == (200, {"status": "ready"})


@pytest.mark.parametrize(
    ("model", "rows_of", "change", "words"),
    [
        (WatchState, {}, {"reconciled_at": None}, "watch: our books are not compared"),
        (WatchState, {}, {"read_at": 21}, "watch: our books are not compared"),
        (WatchState, {}, {"unhealthy": "the clocks differ by 4 s"}, "watch: the clocks differ by 4 s"),
        (StreamHealth, {}, {"connected": False}, "stream public: not connected"),
        (StreamHealth, {}, {"updated_at": 37}, "no sign of life for 3"),
        (StreamHealth, {}, {"last_candle_at": 500}, "the newest candle closed 5"),
        (StreamHealth, {}, {"last_candle_at": None}, "stored no candle yet"),
        (
            MtfRun,
            {"profile": "regular"},
            {"status": RunStatus.FAILED},
            "no minute of regular was decided yet",
        ),
        (MtfRun, {"profile": "regular"}, {"trigger": Trigger.API}, "no minute of regular was decided yet"),
        (MtfRun, {"profile": "regular"}, {"finished_at": 300}, "run: regular was decided 3"),
    ],
)
def test_what_is_missing_is_named(
    model: Any, rows_of: dict[str, str], change: dict[str, Any], words: str, anonymous: APIClient, db: None
) -> None:
    all_is_well()
    model.objects.filter(**rows_of).update(**dated(change))
    answer = anonymous.get(reverse("api:ready"))
    assert (answer.status_code, answer.json()["code"]) == (503, "not_ready")
    [missing] = answer.json()["details"]["missing"]
    assert words in missing


def test_a_fresh_database_says_everything_it_waits_for(anonymous: APIClient, db: None) -> None:
    assert anonymous.get(reverse("api:ready")).json()["details"]["missing"] == [
        "stream: never started",
        "watch: our books are not compared with the exchange's; is it running?",
        "run: no minute of scalper_micro was decided yet",
        "run: no minute of scalper was decided yet",
        "run: no minute of regular was decided yet",
    ]


@override_settings(REDIS_URL="redis://:canary@127.0.0.1:1/0")
def test_a_dead_broker_and_a_dead_database_are_named_without_their_passwords(
    anonymous: APIClient, db: None
) -> None:
    def gone(*_: Any) -> None:
        raise OperationalError("password=canary")

    with connection.execute_wrapper(gone):
        answer = anonymous.get(reverse("api:ready"))
    assert answer.json()["details"]["missing"] == ["database: does not answer", "broker: does not answer"]
    assert "canary" not in answer.content.decode()


def test_being_alive_asks_no_server(anonymous: APIClient) -> None:
    connection.close()  # one that a test before left open would be looked at
    answer = anonymous.get(reverse("api:alive"))  # without the db fixture any query would raise
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


@pytest.mark.parametrize(
    ("decided", "seconds", "missed"),
    [
        (range(60), 30, []),
        ([0, 1, 3], 30, [59, *range(58, 3, -1), 2]),
        ([50, 51, 53, 54, 55, 56, 57, 58, 59], 30, [52]),
        (range(59), 5, []),
        (range(59), 15, [59]),
    ],
)
def test_a_minute_is_missed_when_it_is_due_and_no_run_decided_it(
    decided: list[int], seconds: int, missed: list[int], db: None
) -> None:
    for n in decided:
        MtfRunFactory.create(minute=NOON + timedelta(minutes=n))
    measured = pulse("scalper_micro", NOON + timedelta(minutes=59, seconds=seconds)).missed
    assert [(minute - NOON) // timedelta(minutes=1) for minute in measured] == missed


def test_a_lost_run_is_a_missed_minute_and_minutes_older_than_an_hour_are_forgotten(db: None) -> None:
    MtfRunFactory.create(minute=NOON - timedelta(minutes=90))
    MtfRunFactory.create(minute=NOON, status=RunStatus.LOST)
    measured = pulse("scalper_micro", NOON + timedelta(seconds=20)).missed
    assert (len(measured), measured[0], measured[-1]) == (60, NOON, NOON - timedelta(minutes=59))


def test_the_status_page_tells_runs_stream_switches_venue_and_mode(reader: APIClient) -> None:
    all_is_well()
    store.set_switch("SYMBOL:BTCUSDT", is_on=False, reason="thin book", actor="olga")
    body = reader.get(reverse("api:status")).json()
    assert (body["venue"], body["mode"], body["version"]) == ("simulator", "live", "0.1.0")
    assert (body["ready"], body["waiting_for"]) == (True, [])
    assert body["switches_in_force"] == {"SYMBOL:BTCUSDT": "thin book"}
    assert [entry["profile"] for entry in body["scheduler"]] == PROFILES
    last = body["scheduler"][0]["last_run"]
    assert (last["status"], last["trigger"], last["counts"]) == ("decided", "beat", {"symbols": 1})
    assert 0 <= last["age_s"] < 120
    [stream] = body["streams"]
    assert (stream["name"], stream["connected"], stream["quote_symbols"]) == ("public", True, 5)
    assert datetime.fromisoformat(stream["last_quote_at"]) < datetime.fromisoformat(stream["updated_at"])
    assert 0 <= stream["age_s"] < 60


def test_the_status_page_of_a_fresh_database_has_no_run_to_show(reader: APIClient) -> None:
    body = reader.get(reverse("api:status")).json()
    assert [(entry["last_run"], entry["missed_minutes"]) for entry in body["scheduler"]] == [(None, [])] * 3
    assert body["ready"] is False
    assert datetime.fromisoformat(body["now"]).tzinfo == UTC
