"""What Celery's tasks do with the one desk of their process."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
import redis
from pytest_django import Settings

from apps.audit.models import MtfAudit
from apps.engine.values.timeframe import Timeframe
from apps.exchange import venue
from apps.feed.announcement import announce
from apps.live import tasks, worker
from apps.live.enter.outcome import entry_outcomes
from apps.live.models import MtfRun, RunStatus, Trigger
from apps.live.run_request import RunRequest, open_requested_run
from apps.market import store
from apps.profiles import store as profiles
from tests.live.conftest import WriteProfile
from tests.live.desk import by_close
from tests.live.market import AT, MINUTE, fill
from tests.rooms.builders import contract

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _new_process(monkeypatch: pytest.MonkeyPatch, write_profile: WriteProfile) -> None:
    """No task ran yet; two symbols are listed, two profiles configured."""
    monkeypatch.setattr(worker, "_worker", None)
    write_profile(by_close("plain", "5m"))
    write_profile(by_close("slow", "15m"))
    fill(["AUSDT", "BUSDT"], [])


@pytest.fixture
def coming(broker: redis.Redis) -> datetime:
    """A minute that is never too old, announced: nobody waits for it."""
    at = Timeframe.M1.floor(datetime.now(UTC)) + MINUTE
    announce(broker, at, ())
    return at


def test_the_minute_judges_every_watched_symbol_by_every_configured_profile(coming: datetime) -> None:
    tasks.judge_minute(at=(coming).isoformat(), sent_by="a later version")
    runs = {(run.profile, run.minute, run.status, run.counts["symbols"]) for run in MtfRun.objects.all()}
    assert runs == {(name, coming, RunStatus.DECIDED, 2) for name in ("plain", "slow")}


def test_a_version_is_stored_under_its_digest_before_a_run_uses_it(coming: datetime) -> None:
    tasks.judge_minute(at=coming.isoformat())
    for run in MtfRun.objects.all():
        version = profiles.find_version(run.digest)
        assert version is not None
        assert version.name == run.profile


def test_the_desk_stays_the_same_and_follows_the_universe_after_a_minute(coming: datetime) -> None:
    tasks.judge_minute(at=coming.isoformat())
    desk, warm = worker.get_worker(), worker.get_worker().warm
    desk.follow_universe(datetime.now(UTC))
    assert desk.warm is warm
    store.save_contracts([contract(symbol) for symbol in ("AUSDT", "CUSDT")], AT)
    tasks.judge_minute(at=coming.isoformat())
    assert worker.get_worker() is desk
    assert desk.warm.symbols == ("AUSDT", "CUSDT")


def test_symbols_named_in_the_settings_are_the_universe(settings: Settings) -> None:
    settings.MTF_SYMBOLS_TO_WATCH = ["BUSDT"]
    worker.get_worker().follow_universe(AT)
    assert worker.get_worker().warm.symbols == ("BUSDT",)


def test_a_minute_that_lay_in_the_queue_too_long_is_skipped() -> None:
    tasks.judge_minute(at=AT.isoformat())
    assert {run.status for run in MtfRun.objects.all()} == {RunStatus.SKIPPED}
    assert not MtfAudit.objects.exists()


def test_a_run_that_was_asked_for_is_decided_by_the_same_worker(broker: redis.Redis) -> None:
    run = open_requested_run(RunRequest("plain"), Trigger.API, AT)
    now = Timeframe.M1.floor(datetime.now(UTC))
    for at in (now, now + MINUTE):
        announce(broker, at, ())
    tasks.run_request(run_id=str(run.run_id), sent_by="a later version")
    run.refresh_from_db()
    assert run.status == RunStatus.DECIDED
    assert run.result is not None
    assert run.result["errors"][0]["reason"] == "NO_KLINES"


def test_a_run_that_was_asked_for_says_why_the_worker_could_not_begin_it() -> None:
    run = open_requested_run(RunRequest("plain"), Trigger.API, AT)
    store.stamp_venue("elsewhere")
    with pytest.raises(store.VenueMismatch):
        tasks.run_request(run_id=str(run.run_id))
    run.refresh_from_db()
    assert (run.status, run.error.partition(":")[0]) == (RunStatus.FAILED, "VenueMismatch")


def test_each_minute_writes_down_the_entries_of_earlier_runs_that_left_no_outcome(coming: datetime) -> None:
    run = open_requested_run(RunRequest("plain"), Trigger.API, AT)
    ended = {"status": RunStatus.DECIDED, "counts": {"ready": 1}, "result": {"entering": ["AUSDT"]}}
    then = datetime.now(UTC) - 2 * MINUTE
    MtfRun.objects.filter(pk=run.pk).update(started_at=then, finished_at=then, **ended)
    tasks.judge_minute(at=coming.isoformat())
    run.refresh_from_db()
    assert [(outcome["symbol"], outcome["status"]) for outcome in entry_outcomes(run)] == [("AUSDT", "error")]


def test_a_database_of_another_venue_is_refused(settings: Settings) -> None:
    store.stamp_venue("elsewhere")
    with pytest.raises(store.VenueMismatch, match=venue.name()):
        worker.get_worker()
