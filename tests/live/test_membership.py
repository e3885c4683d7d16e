"""Who is judged by whom in a minute: each profile's own universe, and what is marked to be judged once."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import redis
from pytest_django import Settings

from apps.audit.models import MtfAudit, OperatorAction
from apps.engine.values.timeframe import Timeframe
from apps.exchange import venue
from apps.feed.announcement import announce
from apps.feed.universe import streamed_symbols
from apps.live import tasks, worker
from apps.live.models import MtfRun, RunStatus, Trigger
from apps.live.run_request import InvalidRunRequest, RunRequest, open_requested_run
from apps.market import blacklist
from apps.market.models import Contract
from apps.profiles import store as profiles
from apps.signals.models import MtfState, Signal
from apps.switches import queue
from apps.switches.models import SymbolQueue
from tests.live.conftest import WriteProfile
from tests.live.desk import by_close
from tests.live.market import M1, M5, MINUTE, SHORT, fill, push

pytestmark = pytest.mark.django_db

TURNOVERS = {"AUSDT": 30_000_000, "BUSDT": 20_000_000, "CUSDT": 900_000}


@pytest.fixture
def coming(broker: redis.Redis) -> datetime:
    """A minute that is never too old; it and the next are announced: nobody waits for them."""
    at = Timeframe.M1.floor(datetime.now(UTC)) + MINUTE
    announce(broker, at, ())
    announce(broker, at + MINUTE, ())
    return at


@pytest.fixture(autouse=True)
def _market(monkeypatch: pytest.MonkeyPatch, write_profile: WriteProfile, coming: datetime) -> None:
    """Three contracts with candles, A the largest; `wide` judges two of them, `narrow` the largest."""
    monkeypatch.setattr(worker, "_worker", None)
    write_profile(by_close("wide", "5m"))
    write_profile(by_close("narrow", "5m", universe={"top_n": 1}))
    fill(list(TURNOVERS), [M1, M5], coming + MINUTE, count=260)
    for symbol, turnover in TURNOVERS.items():
        Contract.objects.filter(symbol=symbol).update(turnover_24h=turnover)


def mark(symbol: str, profile: str, now: datetime | None = None) -> None:
    asked_at = now or datetime.now(UTC)
    queue.add_mark(venue.account(), symbol, profile, asked_by="ada", reason="a look", now=asked_at)


def minute(at: datetime) -> dict[str, MtfRun]:
    """The runs of the minute, by profile."""
    tasks.judge_minute(at=at.isoformat())
    return {run.profile: run for run in MtfRun.objects.filter(minute=at)}


def judged(run: MtfRun) -> set[str]:
    return set(MtfAudit.objects.filter(run_id=run.run_id, step="verdict").values_list("symbol", flat=True))


def test_each_profile_judges_its_own_universe_and_its_run_says_how_many_of_how_many(coming: datetime) -> None:
    runs = minute(coming)
    assert worker.get_worker().warm.symbols == ("AUSDT", "BUSDT")
    assert {name: judged(run) for name, run in runs.items()} == {
        "wide": {"AUSDT", "BUSDT"},
        "narrow": {"AUSDT"},
    }
    counts = {
        name: [run.counts[key] for key in ("symbols", "universe", "contracts")] for name, run in runs.items()
    }
    assert counts == {"wide": [2, 2, 3], "narrow": [1, 1, 3]}


def test_an_empty_universe_runs_nothing_and_its_run_says_why(coming: datetime, write_profile: Any) -> None:
    write_profile(by_close("narrow", "5m", universe={"min_listed_h": 100_000}))
    runs = minute(coming)
    assert (runs["wide"].status, runs["narrow"].status) == (RunStatus.DECIDED, RunStatus.FAILED)
    assert runs["narrow"].error == (
        "EmptyUniverse: the universe of narrow is empty: none of 3 stored contracts passes its filters "
        "(3 listed_too_recently)"
    )
    with pytest.raises(InvalidRunRequest, match="the universe of narrow is empty"):
        open_requested_run(RunRequest("narrow"), Trigger.API, coming)


def test_a_request_means_the_universe_of_its_profile_unless_it_names_symbols_of_any_size(
    coming: datetime,
) -> None:
    asked = {
        names: open_requested_run(RunRequest("narrow", symbols=names), Trigger.API, coming).options["symbols"]
        for names in (None, ("CUSDT",))
    }
    assert asked == {None: ["AUSDT"], ("CUSDT",): ["CUSDT"]}


def test_watched_symbols_named_in_the_settings_are_every_profiles_universe(
    coming: datetime, settings: Settings
) -> None:
    settings.MTF_SYMBOLS_TO_WATCH = ["CUSDT"]
    runs = minute(coming)
    assert {name: judged(run) for name, run in runs.items()} == {"wide": {"CUSDT"}, "narrow": {"CUSDT"}}
    assert runs["wide"].counts["contracts"] == 3


def test_a_marked_symbol_is_judged_once_by_the_profile_that_is_named(coming: datetime) -> None:
    worker.get_worker().follow_universe(coming)
    mark("CUSDT", "narrow")
    runs = minute(coming)
    assert judged(runs["narrow"]) == {"AUSDT", "CUSDT"}
    assert judged(runs["wide"]) == {"AUSDT", "BUSDT"}
    taken = SymbolQueue.objects.get()
    assert (taken.run_id, taken.asked_by, taken.reason) == (runs["narrow"].run_id, "ada", "a look")
    assert taken.taken_at is not None
    action = OperatorAction.objects.get()
    assert (action.actor, action.action, action.target, action.extra["profile"]) == (
        "ada",
        "symbol_queued",
        "CUSDT",
        "narrow",
    )
    after = minute(coming + MINUTE)["narrow"]
    assert after.counts["symbols"] == 1
    [ended] = MtfAudit.objects.filter(run_id=after.run_id, symbol="CUSDT")
    assert ended.cause == "not_watched"


def test_what_is_stored_of_a_member_is_its_own_and_not_that_of_the_row_it_would_have_alone(
    coming: datetime,
) -> None:
    """Of the windows' A, B and C `narrow` judges the first and the last: B alone is short."""
    push("BUSDT", M5.floor(coming), SHORT, M5)
    push("BUSDT", coming, SHORT)
    mark("CUSDT", "narrow")
    run = minute(coming)["narrow"]
    signals = Signal.objects.filter(profile="narrow").values_list("symbol", "timeframe", "side")
    assert sorted(signals) == [(symbol, tf, "LONG") for symbol in ("AUSDT", "CUSDT") for tf in ("1m", "5m")]
    outcomes = MtfState.objects.filter(digest=run.digest).values_list("symbol", "outcome")
    assert set(outcomes) == {("AUSDT", "long"), ("CUSDT", "long")}


def test_a_mark_is_streamed_and_waits_for_candles_at_most_an_hour(coming: datetime) -> None:
    fill([*TURNOVERS, "NEWUSDT"], [])
    Contract.objects.filter(symbol="NEWUSDT").update(turnover_24h=1)
    mark("NEWUSDT", "wide")
    judging = profiles.configured_profiles()
    assert "NEWUSDT" in streamed_symbols(judging, venue.account(), coming)
    assert "NEWUSDT" in judged(minute(coming)["wide"])
    assert SymbolQueue.objects.get().taken_at is None
    late = datetime.now(UTC) + queue.MARK_LASTS
    assert "NEWUSDT" not in streamed_symbols(judging, venue.account(), late)
    worker.get_worker().follow_universe(late)
    ended = SymbolQueue.objects.get()
    assert (ended.taken_at, ended.run_id) == (late, None)


def test_a_mark_needs_a_reason_and_an_author_and_does_not_wait_twice(coming: datetime) -> None:
    for asked_by, reason in (("", "why"), ("ada", " ")):
        with pytest.raises(queue.BadMark, match="needs a reason and an author"):
            queue.add_mark("a", "CUSDT", "wide", asked_by=asked_by, reason=reason, now=coming)
    mark("CUSDT", "wide")
    mark("CUSDT", "narrow")
    with pytest.raises(queue.BadMark, match="CUSDT waits already to be judged by wide"):
        mark("CUSDT", "wide")


def test_a_blacklisted_symbol_leaves_the_universe_until_its_entry_ends(coming: datetime) -> None:
    now = datetime.now(UTC)
    blacklist.set_entry(["AUSDT"], until=now + timedelta(hours=1), reason="thin book", actor="ada")
    desk = worker.get_worker()
    desk.follow_universe(now)
    assert desk.warm.symbols == ("BUSDT",)
    desk.follow_universe(now + timedelta(hours=1))
    assert desk.warm.symbols == ("AUSDT", "BUSDT")
