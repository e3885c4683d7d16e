"""What was decided live against what the stored candles decide now."""

from __future__ import annotations

import json
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import redis
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import connection

from apps.engine.profile import Profile
from apps.engine.values.candle import Source
from apps.exchange.simulator.market.archive import Archive
from apps.insight.divergence import Divergence, Kind, find_divergence
from apps.insight.explanation import minute_judgement
from apps.insight.replay import past_judgement
from apps.live import run_state
from apps.market import store
from apps.profiles import files
from apps.profiles.models import ProfileVersion
from apps.switches import store as switches
from tests.live.desk import PLAIN, Worker, by_close, profile
from tests.live.market import AT, M1, M5, MINUTE, SHORT, candle, fill, push
from tests.live.recorded import BEGAN, Recorded, written_now
from tests.live.screen import shown

SYMBOLS = ("BTCUSDT", "ETHUSDT")
DRIVEN = 14
"""Minutes: over noon."""

pytestmark = pytest.mark.django_db


def replayed(minutes: int, *symbols: str, by: str = "plain") -> Divergence:
    """The comparison of the first minutes from AT on."""
    return find_divergence(by, symbols or None, AT, AT + minutes * MINUTE)


def test_a_driven_stretch_of_the_recorded_market_is_replayed_to_the_very_same_decisions(
    archive: Archive, broker: redis.Redis
) -> None:
    _driven_and_replayed(archive, broker, BEGAN, DRIVEN)


@pytest.mark.slow
@pytest.mark.parametrize("began", ["2026-11-18 23:35", "2026-11-19 15:40"])
def test_the_same_over_midnight_and_the_end_of_a_4h_candle(
    archive: Archive, broker: redis.Redis, began: str
) -> None:
    """The day's volume-weighted price begins anew, and every timeframe but 1d closes."""
    _driven_and_replayed(archive, broker, datetime.fromisoformat(began).replace(tzinfo=UTC), 60)


def _driven_and_replayed(archive: Archive, broker: redis.Redis, began: datetime, minutes: int) -> None:
    """Every shipped profile: the live minute over each, against one replay of all."""
    every = files.load_profiles(settings.MTF_PROFILES_DIR, files.profile_names(settings.MTF_PROFILES_DIR))
    market = Recorded(archive, SYMBOLS, every, broker, began)
    market.drive(minutes)
    for each in every:
        report = find_divergence(each.name, None, began + MINUTE, market.at + MINUTE)
        assert (report.equal, report.differences) == (minutes * len(SYMBOLS), ())
        assert (report.symbols, report.digests) == (SYMBOLS, (each.digest,))
        assert (report.runs, report.not_comparable) == (Counter(decided=minutes), Counter())


# --- a market whose closes decide ---


@pytest.fixture
def worker(broker: redis.Redis) -> Worker:
    """Two symbols that are long at AT, judged by `plain`."""
    fill(["AUSDT", "BUSDT"], [M1, M5])
    return Worker(["AUSDT", "BUSDT"], [PLAIN], broker=broker)


def play(worker: Worker, minutes: int, *, late: tuple[str, ...] = ()) -> None:
    """The minutes from AT on, all long; the candles of `late` symbols do not come."""
    for n in range(minutes):
        if n:
            for symbol in worker.warm.symbols:
                if symbol not in late:
                    push(symbol, AT + n * MINUTE)
        worker.minute(AT + n * MINUTE)


def test_a_candle_corrected_afterwards_is_named_with_both_decisions(worker: Worker) -> None:
    play(worker, 4)
    store.save_candles([candle("AUSDT", M1, AT + MINUTE, SHORT, Source.REST)])
    written_now("AUSDT", AT)
    report = replayed(4)
    assert (report.equal, report.unexplained) == (7, 0)
    [each] = report.differences
    assert (each.minute, each.symbol, each.kind) == (AT + MINUTE, "AUSDT", Kind.CORRECTED_CANDLE)
    assert (each.live, each.replay) == ("READY long on 1m", "execution_side_mismatch (long)")
    assert each.why.startswith("its 1m candle of 03-02 12:00 was corrected at ")


def test_a_candle_that_came_after_its_minute_is_named_too_whatever_became_of_it_later(
    worker: Worker,
) -> None:
    play(worker, 2, late=("BUSDT",))
    stored_now = candle("BUSDT", M1, AT + MINUTE)
    store.save_candles([stored_now])
    _inserted_now("BUSDT", AT)
    [each] = replayed(2).differences
    assert (each.minute, each.symbol, each.kind) == (AT + MINUTE, "BUSDT", Kind.LATE_CANDLE)
    assert (each.live, each.replay) == ("execution_side_mismatch (long)", "READY long on 1m")
    assert each.why.startswith("its 1m candle of 03-02 12:00 was stored at ")


def _inserted_now(symbol: str, opened: datetime) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE klines SET inserted_at = clock_timestamp(), updated_at = clock_timestamp() + '1 min' "
            "WHERE symbol = %s AND open_time = %s AND timeframe = '1m'",
            [symbol, opened],
        )


def _poison(symbol: str, opened: datetime) -> None:
    """Somebody changes a stored candle behind the house's back: no stamp tells of it."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE klines SET close_price = 99, low_price = 98 "
            "WHERE symbol = %s AND open_time = %s AND timeframe = '1m'",
            [symbol, opened],
        )


def test_a_difference_without_a_reason_is_unexplained(worker: Worker) -> None:
    play(worker, 3)
    _poison("BUSDT", AT)
    [each] = replayed(3).differences
    assert (each.minute, each.symbol, each.kind) == (AT + MINUTE, "BUSDT", Kind.UNEXPLAINED)


def test_minutes_that_nobody_decided_are_not_comparable_by_what_became_of_their_run(worker: Worker) -> None:
    play(worker, 1)
    failing = run_state.claim_minute(PLAIN, AT + MINUTE, AT)
    assert failing is not None
    run_state.fail_run(failing, RuntimeError("disk"), AT)
    run_state.claim_minute(PLAIN, AT + 2 * MINUTE, AT)
    worker.minute(AT + 3 * MINUTE)
    worker.minute(AT + 4 * MINUTE, late=timedelta(minutes=2))
    report = replayed(6)
    assert report.runs == Counter(decided=2, failed=1, lost=1, skipped=1, no_run=1)
    assert report.not_comparable == Counter(failed=2, lost=2, skipped=2, no_run=2)
    assert report.equal == 4


def test_minutes_under_a_switch_and_without_the_symbol_are_not_comparable(
    worker: Worker, broker: redis.Redis
) -> None:
    switches.set_switch("SYMBOL:AUSDT", is_on=False, reason="news", actor="ada")
    play(worker, 2)
    switches.set_switch("SYMBOL:AUSDT", is_on=True, reason="over", actor="ada")
    Worker(["AUSDT"], [PLAIN], broker=broker).minute(AT + 2 * MINUTE)
    report = replayed(3)
    assert report.not_comparable == Counter(kill_switch=2, not_watched=1)
    assert (report.equal, report.differences) == (3, ())


def test_a_symbol_that_was_asked_for_and_never_judged_is_said_to_be_not_watched(worker: Worker) -> None:
    fill(["CUSDT"], [M1, M5])
    play(worker, 2)
    assert replayed(2, "CUSDT").not_comparable == Counter(not_watched=2)
    assert replayed(2).symbols == ("AUSDT", "BUSDT")


def test_each_minute_is_replayed_by_the_version_of_the_profile_that_ran(worker: Worker) -> None:
    play(worker, 2)
    sides = {"long": ["close < 100"], "short": ["close > 100"]}
    other = profile(by_close("plain", "5m", timeframes=dict.fromkeys(["5m", "1m"], sides)))
    for symbol in worker.warm.symbols:
        push(symbol, AT + 2 * MINUTE)
    worker.restarted(other).minute(AT + 2 * MINUTE)
    report = replayed(3)
    assert (report.equal, report.differences) == (6, ())
    assert report.digests == (PLAIN.digest, other.digest)


@pytest.mark.parametrize("kept", [None, {"name": "plain", "conditions": {}}])
def test_a_version_that_is_not_kept_or_that_todays_language_cannot_read_is_not_comparable(
    worker: Worker, kept: dict[str, Any] | None
) -> None:
    """A version of this test alone: a process rebuilds each only once."""
    play(worker, 1)
    other = profile(by_close("plain", "5m", grace_s=17))
    worker.restarted(other).minute(AT + MINUTE)
    version = ProfileVersion.objects.filter(digest=other.digest)
    if kept is None:
        version.delete()
    else:
        version.update(content=kept)
    report = replayed(2)
    assert (report.equal, report.not_comparable) == (2, Counter(version_not_kept=2))


def test_an_indicator_that_had_not_settled_over_the_live_window_is_told_with_both_values(
    archive: Archive, broker: redis.Redis
) -> None:
    """A threshold between the two values of EMA 200: live settles over 990 candles, a replay over more."""
    market = Recorded(archive, SYMBOLS[:1], [], broker)
    market.drive(DRIVEN)
    between = _between(market, by_ema(0))
    narrow = by_ema(between)
    worker = Worker(SYMBOLS[:1], [narrow], broker=broker)
    for n in range(1, DRIVEN + 1):
        worker.minute(BEGAN + n * MINUTE)
    report = find_divergence("settling", None, BEGAN + MINUTE, market.at + MINUTE)
    assert {each.kind for each in report.differences} == {Kind.WARM_UP}
    assert f"against {between}" in report.differences[-1].why


def by_ema(level: float) -> Profile:
    sides = {"long": [f"ema200 > {level!r}"]}
    return profile(by_close("settling", "5m", timeframes={"5m": sides, "1m": {"long": ["close > 0"]}}))


def _between(market: Recorded, by: Profile) -> float:
    """Halfway between EMA 200 of 5m over the live window and over a longer past, at the last minute."""
    symbol = market.symbols[0]
    exact = minute_judgement(symbol, market.at, by).verdict(symbol).timeframes[0].leaves[0].left
    history = past_judgement(symbol, by, BEGAN + MINUTE, market.at + MINUTE)
    settled = history.verdict(DRIVEN - 1).timeframes[0].leaves[0].left
    assert exact is not None
    assert settled is not None
    assert exact != settled
    return (exact + settled) / 2


# --- the command ---


def command(*more: str) -> list[str]:
    return [
        "divergence",
        "--profile",
        "plain",
        "--from",
        "2026-03-02 12:00",
        "--to",
        "2026-03-02 12:03",
        *more,
    ]


def test_the_command_says_in_one_line_that_all_is_equal(
    worker: Worker, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    play(worker, 3)
    lines = shown(capsys, *command()).splitlines()
    assert lines[1:] == ["equal: all 6 decisions of 2 symbols in 3 minutes"]


def test_the_command_says_why_nothing_can_be_compared(
    worker: Worker, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    lines = shown(capsys, *command()).splitlines()
    assert lines[1:] == ["nothing can be compared; runs of these minutes: 3 never began"]


def test_the_command_fails_when_a_difference_has_no_reason_and_shows_it(
    worker: Worker, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    play(worker, 3)
    _poison("BUSDT", AT)
    with pytest.raises(CommandError, match="unexplained differences: 1") as failed:
        call_command(*command())
    assert failed.value.returncode == 1
    text = capsys.readouterr().out
    for words in ("5 of 6 decisions", "03-02 12:01", "BUSDT", "READY long on 1m", "unexplained"):
        assert words in text


def test_for_machines_the_command_writes_one_object_a_profile(
    worker: Worker, capsys: pytest.CaptureFixture[str]
) -> None:
    play(worker, 3)
    store.save_candles([candle("AUSDT", M1, AT + MINUTE, SHORT, Source.REST)])
    written_now("AUSDT", AT)
    [line] = shown(capsys, *command("--json")).splitlines()
    report = json.loads(line)
    assert (report["equal"], report["different"], report["unexplained"]) == (5, 1, 0)
    assert report["different_by_kind"] == {"corrected_candle": 1}
    assert report["differences"][0]["minute"] == "2026-03-02T12:01:00+00:00"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (["--from", "noon"], "'noon' is not a time"),
        (["--from", "2026-03-02 12:03"], "2026-03-02 12:03 is not before 2026-03-02 12:03 UTC"),
        (["--from", "0h"], "'0h' is not a duration"),
        (["--to", f"{datetime.now(UTC) + timedelta(days=2):%Y-%m-%d}"], "is in the future"),
        (["--symbols", "AUSD"], "unknown symbol 'AUSD'; nearest: 'AUSDT'"),
        (["--symbols", ", ,"], "names no symbol"),
    ],
)
def test_a_stretch_that_cannot_be_compared_is_refused_by_what_is_wrong(
    worker: Worker, changes: list[str], message: str
) -> None:
    with pytest.raises(CommandError, match=message):
        call_command(*command(*changes))
