"""Why, recomputed from candles, beside what was stored."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest
import redis
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.audit.models import MtfAudit
from apps.engine.evaluate.verdict import Verdict
from apps.engine.profile import Profile
from apps.engine.values.candle import Source
from apps.engine.values.contract import UnknownSymbol
from apps.insight.decision import run_results
from apps.insight.explanation import CannotExplain, explain
from apps.live import run_state
from apps.live.models import MtfRun
from apps.market import store
from apps.profiles import store as profiles
from apps.signals.models import IndicatorSnapshot, Signal, ValidationCache
from apps.switches import store as switches
from tests.live.conftest import WriteProfile
from tests.live.desk import Worker, by_close
from tests.live.market import AT, LONG, M1, M5, M15, MINUTE, NEUTRAL, SHORT, candle, fill, push

NOT_READ = ("signals", "indicator_snapshots", "validation_cache", "mtf_state", "mtf_switch")

pytestmark = pytest.mark.django_db


@pytest.fixture
def worker(broker: redis.Redis, write_profile: WriteProfile) -> Worker:
    """One symbol, long on 15m and 5m at noon, judged by `plain` as its file is now."""
    write_profile(by_close("plain", "15m 5m"))
    fill(["AUSDT"], [M1, M5, M15])
    return Worker(["AUSDT"], profiles.configured_profiles(), broker=broker)


def play(worker: Worker, closes: Sequence[str], start: datetime = AT) -> None:
    for n, close in enumerate(closes):
        push("AUSDT", start + n * MINUTE, close)
        worker.minute(start + n * MINUTE)


def without_stored_rows() -> None:
    for table in (MtfAudit, Signal, IndicatorSnapshot, ValidationCache):
        table.objects.all().delete()


@pytest.mark.parametrize("moment", [timedelta(0), timedelta(seconds=59.9)])
def test_a_decided_minute_is_explained_by_the_very_verdict_that_was_stored(
    worker: Worker, moment: timedelta
) -> None:
    play(worker, [LONG])
    explanation = explain("AUSDT", AT + moment, "plain")
    stored = Verdict.from_json(MtfAudit.objects.get().details["verdict"])
    assert explanation.verdict == stored
    assert explanation.verdict.is_ready
    assert explanation.equal is True
    assert explanation.sentence.startswith("equal to what was stored ")
    assert explanation.run is not None
    assert explanation.to_json()["run_id"] == str(explanation.run.run_id)


def test_minutes_without_an_audit_row_are_compared_with_the_row_that_stood(worker: Worker) -> None:
    play(worker, [LONG, NEUTRAL, NEUTRAL, LONG, NEUTRAL])
    explanation = {n: explain("AUSDT", AT + n * MINUTE, "plain") for n in range(5)}
    assert [each.verdict.status for each in explanation.values()] == [
        "READY",
        "INVALID",
        "INVALID",
        "READY",
        "INVALID",
    ]
    assert [each.equal for each in explanation.values()] == [True] * 5
    assert explanation[1].stored == explanation[2].stored
    assert explanation[2].stored != explanation[4].stored


def test_a_minute_that_was_judged_late_is_compared_with_its_own_row(worker: Worker) -> None:
    """Its rows may have been written when the next minute was already over."""
    play(worker, [NEUTRAL])
    MtfAudit.objects.update(created_at=AT + timedelta(seconds=61))
    MtfRun.objects.update(finished_at=AT + timedelta(seconds=62))
    assert explain("AUSDT", AT, "plain").equal is True


def test_the_past_of_candles_alone_suffices_and_then_nothing_is_said_to_be_stored(worker: Worker) -> None:
    play(worker, [LONG, SHORT])
    before = [explain("AUSDT", AT + n * MINUTE, "plain") for n in range(2)]
    without_stored_rows()
    after = [explain("AUSDT", AT + n * MINUTE, "plain") for n in range(2)]
    assert [each.verdict for each in after] == [each.verdict for each in before]
    assert [each.equal for each in after] == [None, None]
    assert after[0].sentence.startswith(
        "this run did not judge AUSDT: the audit holds no row of it for this profile by then"
    )
    assert after[0].to_json()["judged"] is False
    assert after[0].to_json()["stored"] is None


def test_the_verdict_is_computed_from_candles_and_from_nothing_that_was_decided(worker: Worker) -> None:
    play(worker, [LONG])
    with CaptureQueriesContext(connection) as queries:
        explain("AUSDT", AT, "plain")
    sql = " ".join(query["sql"] for query in queries)
    assert "klines" in sql
    for table in NOT_READ:
        assert table not in sql, table


def test_later_candles_do_not_change_what_is_said_of_an_earlier_minute(worker: Worker) -> None:
    play(worker, [LONG])
    before = explain("AUSDT", AT, "plain")
    play(worker, [SHORT, SHORT, SHORT], AT + MINUTE)
    assert explain("AUSDT", AT, "plain") == before


def test_the_profile_version_that_ran_is_the_one_that_explains(
    worker: Worker, write_profile: WriteProfile
) -> None:
    play(worker, [LONG])
    ran = worker.profiles[0]
    write_profile(by_close("plain", "15m 5m", timeframes=_upside_down(ran)))
    explanation = explain("AUSDT", AT, "plain")
    assert explanation.verdict.digest == ran.digest
    assert explanation.equal is True
    push("AUSDT", AT + MINUTE)
    fresh = explain("AUSDT", AT + MINUTE, "plain")
    assert fresh.verdict.digest == profiles.configured_profiles()[0].digest != ran.digest
    assert str(fresh.verdict.side) == "short"


def _upside_down(_: Profile) -> dict[str, object]:
    sides = {"long": ["close < 100"], "short": ["close > 100"]}
    return dict.fromkeys(["15m", "5m", "1m"], sides)


def test_a_candle_that_was_corrected_after_the_run_is_named_beside_the_difference(worker: Worker) -> None:
    play(worker, [LONG])
    store.save_candles([candle("AUSDT", M1, AT, SHORT, Source.REST)])
    _written_after_the_run()
    explanation = explain("AUSDT", AT, "plain")
    assert explanation.equal is False
    assert explanation.comparison.differences == (
        "outcome was READY, is INVALID",
        "execution timeframe was 1m, is None",
        "reason was None, is execution_side_mismatch",
    )
    [late] = explanation.late
    assert (late.timeframe, late.open_time) == (M1, AT - MINUTE)
    assert (
        f"its 1m candle of 03-02 11:59 was corrected at {late.written_at:%m-%d %H:%M:%S}"
        in explanation.sentence
    )


def _written_after_the_run() -> None:
    """The test's one transaction has one now(): move the corrected candle's stamp past the run's end."""
    with connection.cursor() as cursor:
        cursor.execute("UPDATE klines SET updated_at = clock_timestamp() WHERE source = 'REST'")


def test_a_candle_that_came_after_the_run_is_named_too(worker: Worker) -> None:
    worker.minute(AT + MINUTE)
    store.save_candles([candle("AUSDT", M1, AT + MINUTE, LONG, Source.REST)])
    _written_after_the_run()
    explanation = explain("AUSDT", AT + MINUTE, "plain")
    assert explanation.comparison.differences is not None
    assert "reason was execution_side_mismatch, is None" in explanation.comparison.differences
    assert [late.split(" was ")[0] for late in explanation.late_sentences] == ["its 1m candle of 03-02 12:00"]


def test_a_symbol_that_left_the_universe_is_said_to_be_not_judged_instead_of_compared(
    worker: Worker, broker: redis.Redis
) -> None:
    play(worker, [LONG])
    fill(["BUSDT"], [M1, M5, M15])
    other = Worker(["BUSDT"], worker.profiles, broker=broker)
    for n in (1, 2):
        push("AUSDT", AT + n * MINUTE, SHORT)
        other.minute(AT + n * MINUTE)
    for n in (1, 2):
        explanation = explain("AUSDT", AT + n * MINUTE, "plain")
        assert (explanation.equal, explanation.comparison.judged) == (None, False)
        assert explanation.sentence.startswith("this run did not judge AUSDT: it is not watched since ")
    assert explain("AUSDT", AT, "plain").equal is True
    assert MtfAudit.objects.filter(symbol="AUSDT", cause="not_watched").count() == 1


def test_a_run_names_only_the_symbols_it_judged(worker: Worker, broker: redis.Redis) -> None:
    """The last verdict of a symbol that left is of the same version, and would stand."""
    play(worker, [LONG])
    fill(["BUSDT"], [M1, M5, M15])
    [run] = Worker(["BUSDT"], worker.profiles, broker=broker).minute(AT + MINUTE)
    assert [each["symbol"] for each in run_results(run)] == ["BUSDT"]


def test_each_side_says_which_of_its_items_are_missing(worker: Worker, write_profile: WriteProfile) -> None:
    sides = {"long": ["close > 100", {"any_of": ["volume > 100", "high > 200"]}], "short": ["close < 100"]}
    filters = {"1m": {"long": ["low > 100"]}}
    rules = {"timeframes": dict.fromkeys(["5m", "1m"], sides), "filters_mandatory": filters}
    write_profile(by_close("sides", "5m", **rules))
    explanation = explain("AUSDT", AT, "sides")
    assert [(f"{each.timeframe} {each.side}", each.items, each.missing) for each in explanation.missing] == [
        ("5m long", 2, ("any_of[volume > 100, high > 200]",)),
        ("5m short", 1, ("close < 100",)),
        ("1m long", 3, ("any_of[volume > 100, high > 200]", "low > 100")),
        ("1m short", 1, ("close < 100",)),
    ]
    assert explanation.to_json()["missing"][0] == {
        "timeframe": "5m",
        "phase": "context",
        "side": "long",
        "items": 2,
        "missing": ("any_of[volume > 100, high > 200]",),
    }


def test_in_grace_the_items_are_those_of_the_candle_that_stands(
    worker: Worker, write_profile: WriteProfile
) -> None:
    """15m is context; its candle of 12:15 is late, and the one before it was short of nothing."""
    write_profile(by_close("grace", "15m"))
    push("AUSDT", AT + 15 * MINUTE)
    explanation = explain("AUSDT", AT + 15 * MINUTE, "grace")
    assert explanation.verdict.timeframes[0].grace
    assert [each.missing for each in explanation.missing if each.timeframe == M15] == [(), ("close < 100",)]


def test_a_symbol_that_comes_back_is_compared_again(worker: Worker, broker: redis.Redis) -> None:
    play(worker, [LONG])
    Worker([], worker.profiles, broker=broker).minute(AT + MINUTE)
    push("AUSDT", AT + MINUTE)
    back = worker.restarted()
    play(back, [LONG], AT + 2 * MINUTE)
    assert explain("AUSDT", AT + MINUTE, "plain").comparison.judged is False
    assert explain("AUSDT", AT + 2 * MINUTE, "plain").equal is True


def test_a_row_of_another_version_of_the_profile_is_not_taken_for_the_runs_own(
    worker: Worker, write_profile: WriteProfile
) -> None:
    """Before symbols that leave were written down: the row that stands is another version's."""
    play(worker, [LONG])
    write_profile(by_close("plain", "15m 5m", grace_s=30))
    run_state.finish_run(_claimed(), now=datetime.now(UTC), counts={}, timings={})
    explanation = explain("AUSDT", AT + MINUTE, "plain")
    assert explanation.equal is None
    assert "this run did not judge AUSDT: its newest row" in explanation.sentence


def _claimed() -> MtfRun:
    [fresh] = profiles.configured_profiles()
    run = run_state.claim_minute(fresh, AT + MINUTE, AT + MINUTE)
    assert run is not None
    return run


def test_a_profile_whose_file_is_broken_is_refused_by_its_faults(
    worker: Worker, write_profile: WriteProfile
) -> None:
    write_profile(by_close("plain", "15m 5m", validation_mode="lazy"))
    with pytest.raises(CannotExplain, match=r"plain cannot be loaded: .*validation_mode"):
        explain("AUSDT", AT, "plain")


@pytest.mark.parametrize(
    ("status", "comparison"),
    [
        ("failed", "the run of this minute is failed: it stored nothing to compare with"),
        ("running", "the run of this minute is running: it stored nothing to compare with"),
        (None, "no run judged this minute: there is nothing stored to compare with"),
    ],
)
def test_a_minute_that_nobody_decided_is_explained_and_says_so(
    worker: Worker, status: str | None, comparison: str
) -> None:
    run = None if status is None else run_state.claim_minute(worker.profiles[0], AT, AT)
    if run is not None and status == "failed":
        run_state.fail_run(run, RuntimeError("disk"), AT)
    explanation = explain("AUSDT", AT, "plain")
    assert explanation.verdict.is_ready
    assert (explanation.equal, explanation.sentence) == (None, comparison)
    assert explanation.to_json()["run_status"] == status


def test_a_minute_under_a_switch_says_that_the_switch_stood_before_the_verdict(worker: Worker) -> None:
    switches.set_switch("GLOBAL", is_on=False, reason="news", actor="ada")
    play(worker, [LONG])
    explanation = explain("AUSDT", AT, "plain")
    assert explanation.verdict.is_ready
    assert "as kill_switch_global" in explanation.sentence
    stored = explanation.to_json()["stored"]
    assert stored is not None
    assert stored["refusal"]["because"] == "news"


@pytest.mark.parametrize(
    ("symbol", "at", "profile", "field", "message"),
    [
        (
            "AUSDT",
            datetime(2999, 1, 1, tzinfo=UTC),
            "plain",
            "at",
            "2999-01-01 00:00 UTC is in the future",
        ),
        (
            "AUSDT",
            datetime(1999, 1, 1, tzinfo=UTC),
            "plain",
            "at",
            "1999-01-01 00:00:00+00:00 is before 2000: no exchange of ours existed",
        ),
        ("AUSDT", AT, "plan", "profile", "unknown profile 'plan': there are plain"),
    ],
)
def test_a_question_without_an_answer_is_refused_by_what_is_wrong_with_it(
    worker: Worker, symbol: str, at: datetime, profile: str, field: str, message: str
) -> None:
    with pytest.raises(CannotExplain) as refused:
        explain(symbol, at, profile)
    assert (refused.value.field, str(refused.value)) == (field, message)


def test_an_unknown_symbol_is_refused_with_the_nearest_name(worker: Worker) -> None:
    with pytest.raises(UnknownSymbol) as refused:
        explain("AUSD", AT, "plain")
    assert refused.value.nearest == {"AUSD": "AUSDT"}
    assert str(refused.value).startswith("unknown symbol 'AUSD'; nearest: 'AUSDT' (")


def test_a_symbol_without_candles_is_explained_by_their_absence(worker: Worker) -> None:
    fill(["NEWUSDT"], [])
    explanation = explain("NEWUSDT", AT, "plain")
    assert [each.reason for each in explanation.verdict.timeframes] == ["NO_KLINES"] * 3
