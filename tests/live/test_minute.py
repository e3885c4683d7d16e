"""A minute from claim to decision, and what ends it otherwise."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import redis
from django.db import DatabaseError

from apps.audit.models import MtfAudit
from apps.engine.frame import Floats
from apps.engine.indicators import talib_columns
from apps.engine.values.candle import Source
from apps.engine.values.timeframe import Timeframe
from apps.live import run_state
from apps.live.minute import TOO_OLD, closed_minute
from apps.live.models import MtfRun, RunStatus, Trigger
from apps.market import blacklist, store
from apps.signals.models import IndicatorSnapshot, Signal, ValidationCache
from tests.live.desk import PLAIN, SLOW, Worker
from tests.live.market import AT, LONG, M1, M5, M15, MINUTE, SHORT, candle, fill, push

SYMBOLS = ("AUSDT", "BUSDT")

pytestmark = pytest.mark.django_db


@pytest.fixture
def worker(broker: redis.Redis) -> Worker:
    """Two symbols that plain finds long."""
    fill(SYMBOLS, [M1, M5])
    return Worker(SYMBOLS, broker=broker)


def causes(run: MtfRun) -> dict[str, str]:
    """Symbol → cause of the audit rows that a run wrote."""
    return dict(MtfAudit.objects.filter(run_id=run.run_id).values_list("symbol", "cause"))


def test_a_minute_is_decided_once_for_every_profile_with_counts_and_timings(broker: redis.Redis) -> None:
    fill(SYMBOLS, [M1, M5, M15])
    fill(SYMBOLS[1:], [M1], AT + MINUTE, close=SHORT, count=1)
    worker = Worker(SYMBOLS, [PLAIN, SLOW], broker=broker)
    push("AUSDT", AT + MINUTE)
    plain, slow = worker.minute(AT + MINUTE)
    assert [plain.profile, slow.profile] == ["plain", "slow"]
    for run in (plain, slow):
        assert (run.status, run.minute, run.trigger) == (RunStatus.DECIDED, AT + MINUTE, Trigger.BEAT)
        assert run.counts == {
            "symbols": 2,
            "ready": 1,
            "long": 1,
            "short": 0,
            "by_cause": {"execution_side_mismatch": 1},
        }
        assert run.finished_at is not None
        stages = {"collect_ms", "windows_ms", "evaluate_ms", "write_ms", "close_to_decided_ms"}
        assert run.timings.keys() == stages


def test_a_minute_that_is_fired_twice_is_judged_once(worker: Worker) -> None:
    [run] = worker.minute(AT)
    rows = MtfAudit.objects.count()
    assert worker.minute(AT) == []
    assert list(MtfRun.objects.all()) == [run]
    assert MtfAudit.objects.count() == rows


def test_a_restarted_worker_does_not_judge_a_claimed_minute_again(worker: Worker) -> None:
    worker.minute(AT)
    assert worker.restarted().minute(AT) == []


def test_a_profile_that_was_not_judged_yet_claims_the_minute_beside_one_that_was(worker: Worker) -> None:
    worker.minute(AT)
    [run] = worker.restarted(PLAIN, SLOW).minute(AT)
    assert run.profile == "slow"


def test_runs_of_earlier_minutes_that_nobody_finished_become_lost(worker: Worker) -> None:
    dead = run_state.claim_minute(PLAIN, AT - MINUTE, AT - timedelta(seconds=30))
    assert dead is not None
    worker.minute(AT)
    dead.refresh_from_db()
    assert (dead.status, dead.error) == (RunStatus.LOST, run_state.NEVER_ENDED)
    assert dead.finished_at is not None


def test_a_run_that_was_asked_for_a_moment_ago_is_not_lost_when_the_minute_turns(worker: Worker) -> None:
    """It still lies in the queue behind the minute."""
    requested = run_state.open_run(
        PLAIN, AT - MINUTE, AT - timedelta(milliseconds=5), Trigger.API, {}, dry_run=True
    )
    worker.minute(AT)
    requested.refresh_from_db()
    assert requested.status == RunStatus.RUNNING


def test_a_run_that_was_asked_for_and_expired_is_lost(worker: Worker) -> None:
    requested = run_state.open_run(
        PLAIN, AT - 2 * MINUTE, AT - timedelta(seconds=61), Trigger.API, {}, dry_run=True
    )
    worker.minute(AT)
    requested.refresh_from_db()
    assert requested.status == RunStatus.LOST


@pytest.mark.parametrize(
    ("age", "status"),
    [
        (TOO_OLD, RunStatus.DECIDED),
        (TOO_OLD + timedelta(milliseconds=1), RunStatus.SKIPPED),
        (timedelta(hours=3), RunStatus.SKIPPED),
    ],
)
def test_a_minute_older_than_55_s_is_skipped_and_says_so(
    worker: Worker, age: timedelta, status: RunStatus
) -> None:
    [run] = worker.minute(AT, late=age)
    assert run.status == status
    assert MtfAudit.objects.exists() == (status is RunStatus.DECIDED)
    assert worker.minute(AT) == []


@pytest.mark.parametrize("second", [0, 1, 59.9])
def test_a_tick_means_the_minute_just_over_whenever_it_comes(second: float) -> None:
    assert closed_minute(AT + timedelta(seconds=second)) == AT


@pytest.mark.parametrize(
    "step",
    [
        "apps.live.minute.evaluate",
        "apps.signals.store.save_snapshots",
        "apps.signals.store.save_outcomes",
        "apps.signals.store.save_signals",
        "apps.audit.store.save_rows",
        "apps.live.run_state.finish_run",
    ],
)
def test_a_failing_step_marks_every_run_failed_raises_leaves_nothing_and_the_next_minute_writes_all(
    step: str, broker: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(SYMBOLS, [M1, M5, M15])
    worker = Worker(SYMBOLS, [PLAIN, SLOW], broker=broker)

    def fails(*_: object, **__: object) -> None:
        raise DatabaseError("the disk is full")

    with monkeypatch.context() as broken:
        broken.setattr(step, fails)
        with pytest.raises(DatabaseError):
            worker.minute(AT)
    for run in MtfRun.objects.all():
        assert (run.status, run.error) == (RunStatus.FAILED, "DatabaseError: the disk is full")
    for table in (IndicatorSnapshot, Signal, ValidationCache, MtfAudit):
        assert not table.objects.exists(), table

    for symbol in SYMBOLS:
        push(symbol, AT + MINUTE)
    assert [run.status for run in worker.minute(AT + MINUTE)] == [RunStatus.DECIDED] * 2
    for table in (Signal, ValidationCache):
        assert table.objects.count() == 2 * 2 * 2, table
    assert MtfAudit.objects.count() == 2 * 2
    assert set(IndicatorSnapshot.objects.values_list("timeframe", flat=True)) == {M1, M5, M15}


def test_a_symbol_whose_indicators_raise_is_named_and_the_others_go_on(
    worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(["AUSDT"], [M1], close="666")
    monkeypatch.setattr(talib_columns, "series_columns", _raising_at_666(talib_columns.series_columns))
    [run] = worker.minute(AT)
    assert run.counts["by_cause"] == {"execution_side_mismatch": 1}
    assert causes(run) == {"AUSDT": "execution_side_mismatch", "BUSDT": "READY"}
    verdict = MtfAudit.objects.get(symbol="AUSDT").details["verdict"]
    assert [row["reason"] for row in verdict["timeframes"]] == [None, "indicator_error"]


@pytest.mark.parametrize(
    ("poisoned", "minutes", "listed"),
    [
        (("AUSDT",), 4, set()),
        (("AUSDT",), 5, {"AUSDT"}),
        (("AUSDT", "BUSDT"), 6, set()),
    ],
    ids=["not long enough", "long enough", "most symbols fail: it is not theirs"],
)
def test_a_symbol_whose_indicators_raise_minute_after_minute_is_blacklisted(
    worker: Worker,
    monkeypatch: pytest.MonkeyPatch,
    poisoned: tuple[str, ...],
    minutes: int,
    listed: set[str],
) -> None:
    monkeypatch.setattr(talib_columns, "series_columns", _raising_at_666(talib_columns.series_columns))
    for n in range(minutes):
        for symbol in SYMBOLS:
            push(symbol, AT + n * MINUTE, "666" if symbol in poisoned else LONG)
        worker.minute(AT + n * MINUTE)
    now = datetime.now(UTC)
    assert set(blacklist.standing(now)) == listed
    if listed:
        assert blacklist.standing(now)["AUSDT"].reason.endswith("indicators raise on 1m")


def test_a_minute_that_goes_well_ends_the_row_of_faults(
    worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(talib_columns, "series_columns", _raising_at_666(talib_columns.series_columns))
    for n, close in enumerate(["666"] * 4 + [LONG] + ["666"] * 4):
        push("AUSDT", AT + n * MINUTE, close)
        push("BUSDT", AT + n * MINUTE)
        worker.minute(AT + n * MINUTE)
    assert blacklist.standing(datetime.now(UTC)) == {}


def _raising_at_666(whole: Any) -> Any:
    """`whole`, but for a series whose last close is 666."""

    def poisoned(calls: Any, high: Floats, low: Floats, close: Floats) -> list[Floats]:
        if close[-1] == 666:
            raise RuntimeError("poison")
        columns: list[Floats] = whole(calls, high, low, close)
        return columns

    return poisoned


def test_a_symbol_without_any_candle_is_reported_and_the_others_go_on(broker: redis.Redis) -> None:
    fill(SYMBOLS, [M1, M5])
    worker = Worker((*SYMBOLS, "NEWUSDT"), broker=broker)
    [run] = worker.minute(AT)
    assert run.counts["ready"] == 2
    verdict = MtfAudit.objects.get(symbol="NEWUSDT").details["verdict"]
    assert [row["reason"] for row in verdict["timeframes"]] == ["NO_KLINES", "NO_KLINES"]


@pytest.mark.parametrize(
    ("holes", "count", "reason"),
    [((), 249, "not_enough_klines"), ((3,), 260, "candle_gap"), ((255,), 260, None)],
    ids=["listed too lately", "a hole", "a hole behind enough candles"],
)
def test_too_few_candles_in_a_row_say_whether_a_hole_is_the_cause(
    broker: redis.Redis, holes: tuple[int, ...], count: int, reason: str | None
) -> None:
    fill(["AUSDT"], [M5])
    gone = {AT - n * MINUTE for n in holes}
    ends = [AT - n * MINUTE for n in range(count)]
    store.save_candles([candle("AUSDT", M1, at) for at in ends if at not in gone])
    [run] = Worker(["AUSDT"], broker=broker).minute(AT)
    verdict = MtfAudit.objects.get(run_id=run.run_id).details["verdict"]
    assert verdict["timeframes"][1]["reason"] == reason


def test_a_minute_without_any_symbol_is_decided_and_empty(broker: redis.Redis) -> None:
    [run] = Worker([], broker=broker).minute(AT)
    assert (run.status, run.counts["symbols"]) == (RunStatus.DECIDED, 0)


def test_a_candle_corrected_after_its_minute_counts_from_the_next_on(worker: Worker) -> None:
    worker.minute(AT)
    store.save_candles([candle("AUSDT", Timeframe.M5, AT, SHORT, Source.REST)])
    for symbol in SYMBOLS:
        push(symbol, AT + MINUTE)
    [run] = worker.minute(AT + MINUTE)
    assert causes(run) == {"AUSDT": "execution_side_mismatch", "BUSDT": "READY"}
