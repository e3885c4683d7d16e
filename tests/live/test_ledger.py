"""What is remembered of decisions: changes in the audit, sides and their ends, standing outcomes."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import pytest
import redis

from apps.audit.models import MtfAudit
from apps.engine.values.timeframe import Timeframe
from apps.live.models import MtfRun
from apps.market import store
from apps.signals.models import Signal, ValidationCache
from tests.live.desk import PLAIN, SLOW, Worker, by_close, profile
from tests.live.market import AT, LONG, M1, M5, M15, MINUTE, NEUTRAL, SHORT, candle, fill, push

READY, MISMATCH = "READY", "execution_side_mismatch"

pytestmark = pytest.mark.django_db


@pytest.fixture
def worker(broker: redis.Redis) -> Worker:
    """One symbol whose 5m is long until 12:05; its first minute is not judged yet."""
    fill(["AUSDT"], [M1, M5], AT, close=LONG)
    return Worker(["AUSDT"], broker=broker)


def play(worker: Worker, closes: Sequence[str | None], start: datetime = AT + MINUTE) -> None:
    """Judge minutes whose 1m candles close so; None is a candle that does not come."""
    for n, close in enumerate(closes):
        if close is not None:
            push("AUSDT", start + n * MINUTE, close)
        worker.minute(start + n * MINUTE)


def audited() -> list[tuple[int, str]]:
    """(minute past noon, cause) of every audit row, in order."""
    minute = dict(MtfRun.objects.values_list("run_id", "minute"))
    rows = MtfAudit.objects.order_by("id").values_list("run_id", "cause")
    return [((minute[run_id] - AT) // MINUTE, cause) for run_id, cause in rows]


def signalled(timeframe: Timeframe = M1) -> list[tuple[int, str]]:
    """(minutes from noon to the candle's end, side) of every signal of a timeframe, in candle order."""
    rows = Signal.objects.filter(timeframe=timeframe).order_by("kline_time")
    return [((row.kline_time + timeframe.duration - AT) // MINUTE, row.side) for row in rows]


@pytest.mark.parametrize(
    ("closes", "rows"),
    [
        ([LONG, LONG, LONG], [(1, READY), (2, READY), (3, READY)]),
        ([NEUTRAL, NEUTRAL, NEUTRAL], [(1, MISMATCH)]),
        ([LONG, NEUTRAL, SHORT, LONG], [(1, READY), (2, MISMATCH), (4, READY)]),
        ([NEUTRAL, None, NEUTRAL, None], [(1, MISMATCH)]),
    ],
    ids=["ready is always written", "the same is not", "a change is", "another reason below, the same above"],
)
def test_the_audit_holds_ready_and_changed_verdicts_only(
    worker: Worker, closes: list[str | None], rows: list[tuple[int, str]]
) -> None:
    play(worker, closes)
    assert audited() == rows


def test_a_changed_context_side_is_a_change_though_the_reason_is_the_same(worker: Worker) -> None:
    play(worker, [NEUTRAL, NEUTRAL, NEUTRAL, NEUTRAL])
    push("AUSDT", AT + 5 * MINUTE, SHORT, M5)
    play(worker, [NEUTRAL, NEUTRAL], AT + 5 * MINUTE)
    assert audited() == [(1, MISMATCH), (5, MISMATCH)]
    sides = MtfAudit.objects.order_by("id").values_list("details__verdict__side", flat=True)
    assert list(sides) == ["long", "short"]


def test_an_audit_row_says_who_when_where_by_which_profile_and_why(worker: Worker) -> None:
    play(worker, [LONG])
    row = MtfAudit.objects.get()
    assert (row.symbol, row.step, row.timeframe, row.cause) == ("AUSDT", "verdict", M1, READY)
    assert (row.profile, row.digest, row.details["refusal"]) == ("plain", PLAIN.digest, None)
    leaf = row.details["verdict"]["timeframes"][1]["leaves"][0]
    assert leaf == {
        "side": "long",
        "role": "rule",
        "condition": "",
        "text": "close > 100",
        "left": 101.0,
        "right": 100.0,
        "held": True,
    }


def test_a_restarted_worker_does_not_repeat_what_the_audit_holds(worker: Worker) -> None:
    play(worker, [NEUTRAL, NEUTRAL])
    play(worker.restarted(), [NEUTRAL, LONG], AT + 3 * MINUTE)
    assert audited() == [(1, MISMATCH), (4, READY)]


def test_another_version_of_a_profile_writes_its_verdicts_anew(worker: Worker) -> None:
    play(worker, [NEUTRAL])
    other = profile(by_close("plain", "5m", grace_s=61))
    play(worker.restarted(other), [NEUTRAL, NEUTRAL], AT + 2 * MINUTE)
    assert audited() == [(1, MISMATCH), (2, MISMATCH)]
    assert {row.digest for row in MtfAudit.objects.all()} == {PLAIN.digest, other.digest}


def test_profiles_do_not_hide_each_others_rows(broker: redis.Redis) -> None:
    fill(["AUSDT"], [M1, M5, M15], close=NEUTRAL)
    worker = Worker(["AUSDT"], [PLAIN, SLOW], broker=broker)
    play(worker, [NEUTRAL, NEUTRAL])
    rows = MtfAudit.objects.order_by("id").values_list("profile", "cause")
    assert list(rows) == [
        ("plain", "pragmatic_context_all_neutral"),
        ("slow", "pragmatic_context_all_neutral"),
    ]


@pytest.mark.parametrize(
    ("closes", "rows"),
    [
        ([LONG, LONG], [(1, "LONG"), (2, "LONG")]),
        ([NEUTRAL, NEUTRAL], []),
        ([LONG, NEUTRAL, NEUTRAL, LONG], [(1, "LONG"), (2, "NONE"), (4, "LONG")]),
        ([SHORT, LONG, NEUTRAL], [(1, "SHORT"), (2, "LONG"), (3, "NONE")]),
        ([SHORT, None, None], [(1, "SHORT"), (2, "NONE")]),
    ],
)
def test_signals_are_long_and_short_and_the_one_none_that_ends_them(
    worker: Worker, closes: list[str | None], rows: list[tuple[int, str]]
) -> None:
    play(worker, closes)
    assert signalled() == rows


def test_a_slow_timeframe_is_signalled_once_a_candle_with_its_score(worker: Worker) -> None:
    play(worker, [LONG, LONG, LONG])
    assert signalled(M5) == [(0, "LONG")]
    assert Signal.objects.get(timeframe=M5).score == 1.0


def test_a_restarted_worker_ends_a_side_that_stood_and_does_not_end_it_twice(worker: Worker) -> None:
    play(worker, [SHORT])
    play(worker.restarted(), [NEUTRAL], AT + 2 * MINUTE)
    play(worker.restarted(), [NEUTRAL], AT + 3 * MINUTE)
    assert signalled() == [(1, "SHORT"), (2, "NONE")]


def test_a_candle_corrected_within_its_time_replaces_its_signal(worker: Worker) -> None:
    play(worker, [LONG])
    push("AUSDT", AT, SHORT, M5)
    play(worker, [LONG], AT + 2 * MINUTE)
    assert signalled(M5) == [(0, "SHORT")]


def test_the_standing_outcome_is_kept_per_timeframe_until_its_next_candle_closes(worker: Worker) -> None:
    play(worker, [LONG, NEUTRAL])
    states = {row.cache_key: row for row in ValidationCache.objects.all()}
    context, execution = f"{PLAIN.digest}|AUSDT|5m|context", f"{PLAIN.digest}|AUSDT|1m|execution"
    assert states.keys() == {context, execution}
    assert states[context].expires_at == AT + 5 * MINUTE
    assert states[execution].expires_at == AT + 3 * MINUTE
    assert states[context].payload == {
        "profile": "plain",
        "kline_time": (AT - 5 * MINUTE).isoformat(),
        "side": "LONG",
        "outcome": "long",
        "reason": None,
        "grace": False,
    }
    execution_payload = states[execution].payload
    assert (execution_payload["side"], execution_payload["reason"]) == ("NONE", "NO_LONG_NO_SHORT")


def test_symbols_that_join_and_leave_do_not_disturb_the_rows_of_the_others(broker: redis.Redis) -> None:
    fill(["AUSDT", "BUSDT"], [M1, M5], close=LONG)
    worker = Worker(["AUSDT"], broker=broker)
    play(worker, [NEUTRAL])
    wider = Worker(["BUSDT", "AUSDT"], broker=broker)
    wider.recorder = worker.recorder
    later = AT + timedelta(minutes=2)
    store.save_candles([candle(symbol, M1, later, NEUTRAL) for symbol in ("AUSDT", "BUSDT")])
    wider.minute(later)
    rows = MtfAudit.objects.order_by("id").values_list("symbol", "cause")
    assert list(rows) == [("AUSDT", MISMATCH), ("BUSDT", MISMATCH)]
