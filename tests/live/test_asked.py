"""Runs that somebody asks for: refused at the door, or answered whole."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import redis

from apps.audit.models import MtfAudit
from apps.live.enter.outcome import result_with_entries
from apps.live.minute import COLLECT_S
from apps.live.models import MtfRun, RunStatus, Trigger
from apps.live.run_request import (
    InvalidRunRequest,
    RunRequest,
    judge_requested_run,
    open_requested_run,
    wait_for_run,
)
from apps.live.windows import Warm
from apps.market import store
from apps.profiles import store as profiles
from apps.signals.models import IndicatorSnapshot, Signal, ValidationCache
from apps.switches import store as switches
from benchmarks.trading.always import ENTRY
from tests.live.conftest import WriteProfile
from tests.live.desk import Worker, by_close
from tests.live.market import AT, M1, M5, M15, NEUTRAL, SHORT, candle, fill
from tests.rooms.builders import contract

SYMBOLS = ("AUSDT", "BUSDT", "CUSDT")
NOW = AT + timedelta(seconds=COLLECT_S)
pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _market(write_profile: WriteProfile) -> None:
    """A long, B short on 1m, C without candles; judged on 15m for the context, on 5m or 1m to enter."""
    write_profile(by_close("plain", "15m", "5m 1m"))
    fill(SYMBOLS[:2], [M1, M5, M15])
    store.save_candles([candle("BUSDT", timeframe, AT, SHORT) for timeframe in (M1, M5)])
    store.save_contracts([contract(symbol) for symbol in SYMBOLS], AT)


def judged(broker: redis.Redis, warm: Warm | None = None, **options: Any) -> MtfRun:
    """The run that was asked for, decided."""
    run = open_requested_run(RunRequest("plain", **options), Trigger.COMMAND, NOW)
    judge_requested_run(
        str(run.run_id), warm=warm or Warm((), profiles.configured_profiles()), client=broker, now=NOW
    )
    run.refresh_from_db()
    return run


def result(broker: redis.Redis, **options: Any) -> dict[str, Any]:
    answer: dict[str, Any] | None = judged(broker, **options).result
    assert answer is not None
    return answer


def test_the_answer_has_the_documented_shape(broker: redis.Redis) -> None:
    run = judged(broker)
    answer = run.result
    assert answer is not None
    assert (run.status, run.trigger, run.dry_run, run.minute) == (RunStatus.DECIDED, "command", True, AT)
    assert (answer["run_id"], answer["profile"], answer["digest"]) == (str(run.run_id), "plain", run.digest)
    assert answer["minute"] == AT.isoformat()
    assert answer["status"] == "partial_success"
    assert answer["summary"] == {
        "symbols": 3,
        "ready": 1,
        "long": 1,
        "short": 0,
        "by_cause": {"execution_side_mismatch": 1, "pragmatic_context_has_invalid_timeframes": 1},
    }
    assert answer["rejected_by"] == answer["summary"]["by_cause"]
    assert answer["summary_by_tf"] == {
        "15m context": {"long": 2, "invalid": 1},
        "5m execution": {"long": 1, "short": 1, "invalid": 1},
        "1m execution": {"long": 1, "short": 1, "invalid": 1},
    }
    assert result_with_entries(run)["orders_placed"] == []
    assert answer["performance"].keys() == {"collect_ms", "windows_ms", "evaluate_ms"}
    assert {(error["symbol"], error["timeframe"], error["reason"]) for error in answer["errors"]} == {
        ("CUSDT", timeframe, "NO_KLINES") for timeframe in ("15m", "5m", "1m")
    }


def test_each_symbol_says_its_status_side_timeframe_reason_and_what_each_timeframe_said(
    broker: redis.Redis,
) -> None:
    first, second, third = result(broker)["results"]
    assert [first[key] for key in ("symbol", "status", "side", "execution_tf", "reason")] == [
        "AUSDT",
        "READY",
        "long",
        "5m",
        None,
    ]
    assert first["score"] == 1.0
    assert first["timeframes"][2] == {
        "timeframe": "1m",
        "phase": "execution",
        "outcome": "long",
        "reason": None,
        "kline_time": (AT - timedelta(minutes=1)).isoformat(),
        "grace": False,
    }
    assert (second["status"], second["side"], second["reason"]) == (
        "INVALID",
        "long",
        "execution_side_mismatch",
    )
    assert (third["status"], third["side"], third["score"]) == ("INVALID", None, None)


@pytest.mark.parametrize(
    ("symbols", "status"),
    [(("AUSDT", "BUSDT"), "success"), (("BUSDT", "CUSDT"), "partial_success"), (("CUSDT",), "error")],
)
def test_the_status_says_whether_all_some_or_none_could_be_judged(
    broker: redis.Redis, symbols: tuple[str, ...], status: str
) -> None:
    answer = result(broker, symbols=symbols)
    assert answer["status"] == status
    assert [entry["symbol"] for entry in answer["results"]] == list(symbols)
    assert answer["summary"]["symbols"] == len(symbols)


def test_a_subset_is_answered_from_wider_warm_windows_and_by_itself_alike(broker: redis.Redis) -> None:
    wide = Warm(SYMBOLS, profiles.configured_profiles())
    shared = judged(broker, wide, symbols=("BUSDT",)).result
    assert wide.until(M1) == AT
    alone = judged(broker, symbols=("BUSDT",)).result
    assert shared is not None
    assert alone is not None
    for changing in ("run_id", "performance"):
        assert shared.pop(changing) != alone.pop(changing)
    assert shared == alone


def test_a_symbol_named_twice_is_judged_once(broker: redis.Redis) -> None:
    assert [e["symbol"] for e in result(broker, symbols=("BUSDT", "AUSDT", "BUSDT"))["results"]] == [
        "BUSDT",
        "AUSDT",
    ]


def test_the_timeframe_asked_for_is_the_only_one_to_enter_on(broker: redis.Redis) -> None:
    answer = result(broker, timeframe="1m", symbols=("AUSDT",))
    assert [row["timeframe"] for row in answer["results"][0]["timeframes"]] == ["15m", "1m"]
    assert answer["results"][0]["execution_tf"] == "1m"
    assert answer["digest"] != profiles.configured_profiles()[0].digest


def test_the_validation_mode_asked_for_is_the_one_judged_by(
    broker: redis.Redis, write_profile: WriteProfile
) -> None:
    write_profile(by_close("plain", "15m 5m"))
    store.save_candles([candle("AUSDT", M15, AT, NEUTRAL)])
    pragmatic = result(broker, symbols=("AUSDT",))["results"][0]
    strict = result(broker, symbols=("AUSDT",), validation_mode="strict")["results"][0]
    assert pragmatic["status"] == "READY"
    assert strict["reason"] == "strict_context_requires_non_neutral_all"


def test_what_an_asked_run_opens_keeps_its_stops_where_they_are_if_that_is_asked_for(
    broker: redis.Redis, write_profile: WriteProfile
) -> None:
    write_profile(by_close("plain", "15m", "5m 1m") | {"entry": ENTRY})
    entries = []
    for asked in (True, False):
        run = judged(broker, symbols=("AUSDT",), process_tp_sl=asked)
        profile = profiles.find_version(run.digest)
        assert profile is not None
        assert profile.entry is not None
        entries.append(profile.entry.process_tp_sl)
    assert entries == [True, False]


def test_switches_stop_an_asked_run_too_unless_it_is_forced(broker: redis.Redis) -> None:
    switches.set_switch("SYMBOL:AUSDT", is_on=False, reason="news", actor="ada")
    stopped = result(broker, symbols=("AUSDT",))
    assert stopped["results"][0]["reason"] == "kill_switch_symbol"
    assert stopped["rejected_by"] == {"kill_switch_symbol": 1}
    assert result(broker, symbols=("AUSDT",), force_run=True)["summary"]["ready"] == 1


def test_an_asked_run_stores_nothing_but_itself_and_its_profile_version(broker: redis.Redis) -> None:
    run = judged(broker)
    for table in (IndicatorSnapshot, Signal, ValidationCache, MtfAudit):
        assert not table.objects.exists(), table
    assert profiles.find_version(run.digest) is not None
    assert list(MtfRun.objects.all()) == [run]


@pytest.mark.parametrize(
    ("options", "field", "message"),
    [
        ({"profile": "plane"}, "mtf_profile", "unknown profile 'plane': there are plain; nearest: 'plain'"),
        ({"validation_mode": "lax"}, "validation_mode", "'lax' is not one of strict, pragmatic"),
        ({"timeframe": "4h"}, "timeframe", "plain enters on 5m, 1m, not on '4h'"),
        ({"symbols": ("AUSD",)}, "symbols", "unknown symbol 'AUSD'"),
        ({"symbols": ("AUSDT", "")}, "symbols", "unknown symbol ''"),
        ({"symbols": ()}, "symbols", "is empty: leave it out for the whole universe"),
        ({"profile": "../plain"}, "mtf_profile", "unknown profile '../plain'"),
        ({"profile": "conditions"}, "mtf_profile", "unknown profile 'conditions'"),
    ],
)
def test_a_bad_request_is_refused_by_its_field_and_nothing_is_written(
    options: dict[str, Any], field: str, message: str
) -> None:
    with pytest.raises(InvalidRunRequest) as refused:
        open_requested_run(RunRequest(**({"profile": "plain"} | options)), Trigger.API, NOW)
    assert refused.value.field == field
    assert str(refused.value).startswith(message)
    assert not MtfRun.objects.exists()


def test_a_failing_run_says_why_and_raises(broker: redis.Redis, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: object, **__: object) -> None:
        raise MemoryError("too much")

    monkeypatch.setattr("apps.live.run_request.evaluate", fails)
    with pytest.raises(MemoryError):
        judged(broker)
    run = MtfRun.objects.get()
    assert (run.status, run.error, run.result) == (RunStatus.FAILED, "MemoryError: too much", None)
    assert wait_for_run(run.run_id, 0) == run


def test_a_run_that_ended_is_not_decided_again(broker: redis.Redis) -> None:
    run = judged(broker)
    judge_requested_run(str(run.run_id), warm=Warm((), []), client=broker, now=NOW)
    again = MtfRun.objects.get()
    assert (again.finished_at, again.result) == (run.finished_at, run.result)


def test_an_answer_is_waited_for_no_longer_than_asked() -> None:
    run = open_requested_run(RunRequest("plain"), Trigger.API, NOW)
    began = datetime.now(UTC)
    assert wait_for_run(run.run_id, 0.1) is None
    assert datetime.now(UTC) - began >= timedelta(seconds=0.1)


def test_a_run_that_never_was_has_no_answer() -> None:
    with pytest.raises(MtfRun.DoesNotExist):
        wait_for_run(uuid.uuid4(), 0)


def test_asked_runs_and_the_minutes_own_run_stand_side_by_side(broker: redis.Redis) -> None:
    first, second = judged(broker), judged(broker)
    [of_minute] = Worker(SYMBOLS, profiles.configured_profiles(), broker=broker).minute(AT)
    assert of_minute.minute == first.minute == second.minute
    assert len({of_minute.run_id, first.run_id, second.run_id}) == 3
