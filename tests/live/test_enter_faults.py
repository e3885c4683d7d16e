"""A READY symbol never goes without a word: whatever breaks, its run says how the entry ended."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import psycopg
import pytest
from django.db import OperationalError, connection
from pytest_django import Settings

from apps.audit.models import TradeLifecycleEvent
from apps.engine.cycle import EntryResult
from apps.live import tasks
from apps.live.enter.context import UnknownProfile
from apps.live.enter.faults import ANSWERED_WITHIN, UNANSWERED, store_unanswered
from apps.live.enter.outcome import counts_text, entry_outcomes, outcome_counts
from apps.live.enter.symbol_entry import enter_approved_plans, enter_symbol
from apps.live.models import MtfRun, RunStatus, Trigger
from apps.live.run_request import RunRequest, open_requested_run
from apps.market import blacklist
from apps.market.blacklist import MOST_FAULTS
from apps.orders import store as orders
from apps.orders.models import ExchangeOrder, OrderPlan, SymbolLock
from apps.profiles import store as profiles
from apps.profiles.models import ProfileVersion
from benchmarks.trading.always import always, loaded
from tests.api.conftest import dead_broker  # noqa: F401  # a fixture
from tests.live.trading import SYMBOL, Desk

pytestmark = pytest.mark.django_db(transaction=True)


def connection_lost(_: Desk) -> None:
    """As after a restart of the server: the task's first query finds it out."""
    connection.ensure_connection()
    parts = {name.lower(): connection.settings_dict[name] for name in ("USER", "PASSWORD", "HOST", "PORT")}
    with psycopg.connect(dbname=connection.settings_dict["NAME"], **parts) as other:
        other.execute("SELECT pg_terminate_backend(%s)", [connection.connection.info.backend_pid])


def version_lost(_: Desk) -> None:
    ProfileVersion.objects.all().delete()
    profiles._versions.clear()


@pytest.mark.parametrize(
    ("breaks", "fault"), [(connection_lost, OperationalError), (version_lost, UnknownProfile)]
)
@pytest.mark.parametrize("trading", ["live", "dry"])
def test_a_fault_at_the_very_start_is_the_outcome_of_that_run_and_symbol(
    trading: str, breaks: Callable[[Desk], None], fault: type[Exception], desk: Desk, settings: Settings
) -> None:
    settings.TRADING = trading
    desk.watched()
    [run] = desk.decide(always())
    breaks(desk)
    with pytest.raises(fault):
        enter_symbol(str(run.run_id), SYMBOL, clock=desk.clock)
    run.refresh_from_db()
    [entry] = entry_outcomes(run)
    assert (entry["symbol"], entry["status"]) == (SYMBOL, "error")
    assert entry["reason"].startswith(f"{fault.__name__}: ")
    assert counts_text(outcome_counts([run])[run.run_id]) == "1 error"
    events = TradeLifecycleEvent.objects.filter(run_id=run.run_id, symbol=SYMBOL)
    assert events.exists() is (trading == "live")


def test_a_plan_that_cannot_be_entered_after_its_approval_says_why(desk: Desk, settings: Settings) -> None:
    settings.REVIEW = "manual"
    [run] = desk.decide(always())
    assert isinstance(enter_symbol(str(run.run_id), SYMBOL, clock=desk.clock), EntryResult)
    orders.approve(OrderPlan.objects.get().pk, actor="ada", now=desk.clock())
    version_lost(desk)
    with pytest.raises(UnknownProfile):
        enter_approved_plans(clock=desk.clock)
    failed = TradeLifecycleEvent.objects.get(event_type="call_failed")
    assert (failed.run_id, failed.symbol) == (run.run_id, SYMBOL)
    assert failed.extra["detail"].startswith("UnknownProfile: ")


def test_a_fault_of_one_profile_does_not_take_the_turn_of_the_next(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = desk.decide(always("first"), always("second"))
    ProfileVersion.objects.filter(digest=first.digest).delete()
    profiles._versions.clear()
    monkeypatch.setattr(tasks, "_now", desk.clock)
    tasks.enter_symbol(run_ids=[str(first.run_id), str(second.run_id)], symbol=SYMBOL)
    assert outcome_counts([first])[first.run_id] == {"error": 1}
    assert outcome_counts([second])[second.run_id] == {"submitted": 1}


@pytest.mark.usefixtures("dead_broker")
def test_what_the_broker_does_not_take_is_an_error_of_its_run(desk: Desk) -> None:
    runs = desk.decide(always("first"), always("second"))
    tasks._send_entries({SYMBOL: [str(run.run_id) for run in runs]})
    for run in runs:
        [entry] = entry_outcomes(run)
        assert entry["status"] == "error"
        assert entry["reason"].startswith("the broker did not take the entry: ")


def closed(run: MtfRun, after: timedelta) -> None:
    """As the worker does once a minute, so long after the decision."""
    run.refresh_from_db()
    assert run.finished_at is not None
    now = run.finished_at + after
    until = now - ANSWERED_WITHIN
    store_unanswered(until - timedelta(hours=1), until, now)


def asked(desk: Desk, *, dry_run: bool) -> MtfRun:
    profile = loaded(always("regular"))
    run = open_requested_run(RunRequest("regular", (SYMBOL,), dry_run=dry_run), Trigger.API, desk.clock())
    MtfRun.objects.filter(pk=run.pk).update(
        status=RunStatus.DECIDED,
        finished_at=desk.clock(),
        digest=profile.digest,
        counts={"ready": 1},
        result={"entering": [SYMBOL]},
    )
    run.refresh_from_db()
    return run


@pytest.mark.parametrize(
    "decided",
    [
        lambda desk: desk.decide(always())[0],
        lambda desk: asked(desk, dry_run=False),
        lambda desk: asked(desk, dry_run=True),
    ],
)
def test_a_ready_symbol_whose_task_expired_or_died_is_an_error_once_it_is_due(
    decided: Callable[[Desk], MtfRun], desk: Desk
) -> None:
    run = decided(desk)
    closed(run, ANSWERED_WITHIN - timedelta(seconds=30))
    assert entry_outcomes(run) == []
    for _ in range(2):
        closed(run, ANSWERED_WITHIN + timedelta(seconds=1))
        run.refresh_from_db()
        assert [
            (outcome["symbol"], outcome["status"], outcome["reason"]) for outcome in entry_outcomes(run)
        ] == [(SYMBOL, "error", UNANSWERED)]
    assert outcome_counts([run])[run.run_id] == {"error": 1}


def test_what_had_an_outcome_or_was_not_to_be_entered_gets_no_second_word(desk: Desk) -> None:
    entered, judged = desk.decide(always("entered"), always("judged", entry=None))
    assert isinstance(enter_symbol(str(entered.run_id), SYMBOL, clock=desk.clock), EntryResult)
    closed(entered, ANSWERED_WITHIN + timedelta(seconds=1))
    assert outcome_counts([entered])[entered.run_id] == {"submitted": 1}
    assert entry_outcomes(judged) == []
    assert not TradeLifecycleEvent.objects.filter(event_type="call_failed").exists()


def test_an_order_that_came_after_all_is_the_outcome(desk: Desk) -> None:
    """The exchange answered late: the plan says more than the fault."""
    [run] = desk.decide(always())
    closed(run, ANSWERED_WITHIN + timedelta(seconds=1))
    assert isinstance(enter_symbol(str(run.run_id), SYMBOL, clock=desk.clock), EntryResult)
    assert outcome_counts([run])[run.run_id] == {"submitted": 1}
    assert [outcome["status"] for outcome in entry_outcomes(run)] == ["submitted"]


def test_a_symbol_whose_orders_are_refused_again_and_again_is_blacklisted_unless_all_are(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.switch(reject={"/contract/private/submit-order": 40011})

    def rejected() -> None:
        [run] = desk.decide(always(f"p{OrderPlan.objects.count()}"))
        outcome = enter_symbol(str(run.run_id), SYMBOL, clock=desk.clock)
        assert isinstance(outcome, EntryResult), outcome
        SymbolLock.objects.update(released_at=desk.clock())
        ExchangeOrder.objects.update(status="REJECTED")

    for _ in range(MOST_FAULTS):
        rejected()
    assert blacklist.standing(desk.clock()) == {}, "nothing was taken: it may be the account"
    other = ExchangeOrder.objects.first()
    assert other is not None
    ExchangeOrder.objects.filter(pk=other.pk).update(symbol="ETHUSDT", exchange_order_id="x1")
    for _ in range(MOST_FAULTS):
        rejected()
    assert list(blacklist.standing(desk.clock())) == [SYMBOL]
