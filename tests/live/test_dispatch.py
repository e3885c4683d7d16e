"""Which READY symbols are sent to be entered: in their order, while there is room, and who is told what."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
from pytest_django import Settings

from apps.audit.models import TradeLifecycleEvent
from apps.exchange import venue
from apps.exchange.simulator.market.archive import Archive
from apps.live.enter import dispatch
from apps.live.enter.dispatch import entries_to_send
from apps.live.enter.outcome import entry_outcomes, outcome_counts
from apps.switches import store as switches
from benchmarks.trading.always import always, loaded
from tests.live import trading
from tests.live.trading import SYMBOL, Desk

pytestmark = pytest.mark.django_db(transaction=True)
OTHER = "ETHUSDT"


@pytest.fixture
def desk(settings: Settings, archive: Archive, transactional_db: None) -> Iterator[Desk]:
    with trading.opened(settings, archive, (SYMBOL, OTHER)) as opened_desk:
        yield opened_desk


def test_what_the_books_refuse_is_recorded_and_sent_nowhere(desk: Desk) -> None:
    [run] = desk.decide(always())
    now = desk.clock()
    until = now + timedelta(minutes=5)
    switches.start_cooldown(venue.account(), OTHER, decision_key="", reason="test", now=now, until=until)
    assert entries_to_send([run], [loaded(always())], now) == {SYMBOL: [str(run.run_id)]}
    [event] = TradeLifecycleEvent.objects.filter(event_type="plan_refused")
    assert (event.symbol, event.reason_code, event.run_id) == (OTHER, "cooldown_active", run.run_id)


def test_an_account_without_a_free_place_sends_nothing(desk: Desk, settings: Settings) -> None:
    settings.MTF_ACCOUNT_MAX_POSITIONS = 0
    [run] = desk.decide(always())
    assert entries_to_send([run], [loaded(always())], desk.clock()) == {}
    assert outcome_counts([run])[run.run_id] == {"refused: max_concurrent_positions_reached": 2}


def test_what_there_is_no_room_for_says_so_once_in_its_run(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dispatch, "MOST_TRIES", 1)
    [run] = desk.decide(always())
    sent = entries_to_send([run], [loaded(always())], desk.clock())
    run.refresh_from_db()
    assert sorted([*sent, *run.no_room]) == sorted([SYMBOL, OTHER])
    [untried] = entry_outcomes(run)
    assert (untried["status"], untried["reason"]) == ("skipped", "no_room_this_minute")
    assert outcome_counts([run])[run.run_id] == {"refused: no_room_this_minute": 1}
    assert not TradeLifecycleEvent.objects.exists()


def test_a_symbol_is_entered_by_its_profiles_in_their_order(desk: Desk) -> None:
    contents = always("second"), always("first")
    runs = desk.decide(*contents)
    run_ids = {run.profile: str(run.run_id) for run in runs}
    sent = entries_to_send(runs, [loaded(always(name)) for name in ("first", "second")], desk.clock())
    both = [run_ids["first"], run_ids["second"]]
    assert sent == {SYMBOL: both, OTHER: both}


def test_of_one_profile_the_highest_score_goes_first(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    scores = {SYMBOL: 0.5, OTHER: 0.9}
    [run] = desk.decide(always())
    verdicts = [replace(verdict, score=scores[verdict.symbol]) for verdict in dispatch._ready_verdicts(run)]
    monkeypatch.setattr(dispatch, "_ready_verdicts", lambda run: verdicts)
    assert list(entries_to_send([run], [loaded(always())], desk.clock())) == [OTHER, SYMBOL]
