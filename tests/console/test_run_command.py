"""manage.py mtf_run: a request to the worker and its answer, for people and machines."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
import redis
from django.core.management import CommandError, call_command

from apps.console.management.commands import mtf_run
from apps.engine.profile.profile import MIN_CANDLES
from apps.engine.values.timeframe import Timeframe
from apps.live import run_state as life
from apps.live.enter.outcome import result_with_entries
from apps.live.models import MtfRun, RunStatus
from apps.live.run_request import judge_requested_run
from apps.live.windows import Warm
from apps.profiles import store as profiles
from tests.api.queue import ASKED
from tests.api.queue import Worker as Answering
from tests.factories import StreamHealthFactory
from tests.live.conftest import WriteProfile
from tests.live.desk import OVER, by_close
from tests.live.market import M1, M5, MINUTE, SHORT, fill
from tests.live.screen import shown

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _wide_screen(monkeypatch: pytest.MonkeyPatch, write_profile: WriteProfile) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    write_profile(by_close("plain", "5m"))


@pytest.fixture
def queue(broker: redis.Redis) -> Iterator[redis.Redis]:
    """The broker, whose queue is empty before and after."""
    broker.delete("mtf", ASKED)
    yield broker
    broker.delete("mtf", ASKED)


@pytest.fixture
def market() -> None:
    """A is long, B short on 1m; candles reach past the present minute, whenever the test runs."""
    until = Timeframe.M1.floor(datetime.now(UTC)) + 3 * MINUTE
    fill(["AUSDT"], [M1, M5], until, count=MIN_CANDLES + 5)
    fill(["BUSDT"], [M5], until, count=MIN_CANDLES + 5)
    fill(["BUSDT"], [M1], until, count=MIN_CANDLES + 5, close=SHORT)
    fill(["AUSDT", "BUSDT"], [])


@pytest.fixture
def worker(queue: redis.Redis, market: None) -> Iterator[None]:
    """Somebody who answers one request."""

    def work(run: MtfRun) -> None:
        warm = Warm((), profiles.configured_profiles())
        judge_requested_run(str(run.run_id), warm=warm, client=queue, now=run.minute + OVER)

    with Answering(queue, work):
        yield


def test_a_run_shows_a_symbol_a_row_and_a_timeframe_a_column(
    worker: None, capsys: pytest.CaptureFixture[str]
) -> None:
    text = shown(capsys, "mtf_run")
    run = MtfRun.objects.get()
    assert f"plain at {run.minute:%Y-%m-%dT%H:%M} UTC" in text
    rows = [[cell.strip() for cell in line.split("│")[1:-1]] for line in text.splitlines() if "USDT" in line]
    assert rows == [
        ["AUSDT", "READY long", "long", "long", "enter on 1m"],
        ["BUSDT", "no trade", "long", "short", "execution_side_mismatch"],
    ]
    assert "2 symbols, 1 ready; success" in text


def test_a_run_for_machines_is_its_whole_result(worker: None, capsys: pytest.CaptureFixture[str]) -> None:
    options = ["--symbols", "BUSDT", "--validation-mode", "strict", "--timeframe", "1m", "--force", "--json"]
    printed = json.loads(shown(capsys, "mtf_run", *options))
    run = MtfRun.objects.get()
    assert printed == result_with_entries(run)
    assert run.options == {
        "profile": "plain",
        "symbols": ["BUSDT"],
        "validation_mode": "strict",
        "timeframe": "1m",
        "force_run": True,
        "dry_run": True,
        "process_tp_sl": True,
    }


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--profile", "plan"], "mtf_profile: unknown profile 'plan'"),
        (["--symbols", "AUSDT,XUSDT"], "symbols: unknown symbol 'XUSDT'"),
        (["--symbols", ""], "symbols: is empty"),
        (["--timeframe", "5m"], "timeframe: plain enters on 1m"),
        (["--validation-mode", "lax"], "validation_mode: 'lax'"),
    ],
)
def test_a_bad_request_is_refused_by_its_name_and_reaches_no_worker(
    queue: redis.Redis, market: None, arguments: list[str], message: str
) -> None:
    with pytest.raises(CommandError, match=message):
        call_command("mtf_run", *arguments)
    assert queue.llen(ASKED) == 0
    assert not MtfRun.objects.exists()


def test_without_a_worker_the_command_says_what_is_probably_not_running(
    queue: redis.Redis, market: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mtf_run, "ANSWER_S", 0.2)
    with pytest.raises(CommandError, match="is the mtf worker running"):
        call_command("mtf_run")


def test_a_run_that_fails_is_told_with_its_error(queue: redis.Redis, market: None) -> None:
    def breaks(run: MtfRun) -> None:
        life.fail_run(run, RuntimeError("out of memory"), run.minute)

    with Answering(queue, breaks), pytest.raises(CommandError, match="failed: RuntimeError: out of memory"):
        call_command("mtf_run")
    assert MtfRun.objects.get().status == RunStatus.FAILED


def test_a_decision_is_shown_though_nobody_ends_its_entries(
    queue: redis.Redis, market: None, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mtf_run, "ANSWER_S", 1.0)
    result = {
        "status": "success",
        "entering": ["AUSDT", "BUSDT"],
        "entries": [{"symbol": "BUSDT", "status": "skipped"}],
    }

    def decide(run: MtfRun) -> None:
        life.finish_run(run, now=datetime.now(UTC), counts={"ready": 2}, timings={}, result=result)

    with (
        Answering(queue, decide),
        pytest.raises(CommandError, match=r"became of AUSDT is not known .* worker-exchange"),
    ):
        call_command("mtf_run", "--json")
    assert json.loads(capsys.readouterr().out) == result | {"orders_placed": []}


def health(**history: Any) -> None:
    StreamHealthFactory.create(now=datetime.now(UTC), history=history)


def test_the_first_run_waits_for_enough_history_and_no_longer(
    worker: None, capsys: pytest.CaptureFixture[str]
) -> None:
    health(pages=9, left=4, enough=True)
    assert "1 ready" in shown(capsys, "mtf_run", "--first")


def test_the_first_run_gives_up_when_history_does_not_come(
    queue: redis.Redis, market: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mtf_run, "HISTORY_S", 0.3)
    health(pages=9, left=4, enough=False)
    with pytest.raises(CommandError, match="did not bring enough history"):
        call_command("mtf_run", "--first")
    assert not MtfRun.objects.exists()
