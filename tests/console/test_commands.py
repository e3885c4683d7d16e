"""manage.py mtf_explain and runs: what people read, what machines read, and what is refused."""

from __future__ import annotations

import json
from datetime import timedelta
from types import SimpleNamespace

import pytest
import redis
from django.core.management import CommandError, call_command

from apps.console.management.commands import runs
from apps.live import run_state as life
from apps.live.models import MtfRun
from apps.profiles import store as profiles
from tests.live.conftest import WriteProfile
from tests.live.desk import PLAIN, Worker, by_close
from tests.live.market import AT, LONG, M1, M5, MINUTE, NEUTRAL, fill, push
from tests.live.screen import shown

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _wide_screen(monkeypatch: pytest.MonkeyPatch, write_profile: WriteProfile) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    write_profile(by_close("plain", "5m"))


# --- mtf_explain ---


@pytest.fixture
def judged(broker: redis.Redis) -> Worker:
    """One symbol: ready at noon, in the minute after neither side holds on 1m."""
    fill(["AUSDT"], [M1, M5], close=LONG)
    worker = Worker(["AUSDT"], profiles.configured_profiles(), broker=broker)
    worker.minute(AT)
    push("AUSDT", AT + MINUTE, NEUTRAL)
    worker.minute(AT + MINUTE)
    return worker


def test_an_explanation_shows_the_answer_every_condition_and_the_comparison(
    judged: Worker, capsys: pytest.CaptureFixture[str]
) -> None:
    text = shown(capsys, "mtf_explain", "AUSDT", "2026-03-02 12:00", "--profile", "plain")
    assert "AUSDT · plain · 2026-03-02 12:00 UTC" in text
    assert "READY long on 1m, score 1.00" in text
    assert "5m context: long · candle 11:55" in text
    assert "1m execution: long · candle 11:59" in text
    assert "  long: all 1 hold\n  short: 1 of 1 missing: only close < 100\n" in text
    [held, no] = [line.split("│")[1:-1] for line in text.splitlines() if "close" in line and "│" in line][:2]
    assert [cell.strip() for cell in held] == ["long", "", "close > 100", "101", "100", "held"]
    assert [cell.strip() for cell in no] == ["short", "", "close < 100", "101", "100", "no"]
    assert "equal to what was stored" in text


def test_an_explanation_says_why_a_timeframe_was_left_for_a_faster_one(
    judged: Worker, write_profile: WriteProfile, capsys: pytest.CaptureFixture[str]
) -> None:
    left = {"5m": {"drop_to_lower_if_any": ["close > 100"], "forbid_drop_to_lower_if_any": ["close > 200"]}}
    write_profile(by_close("leaves", "5m", "5m 1m", selection=left))
    text = shown(capsys, "mtf_explain", "AUSDT", "2026-03-02 12:00", "--profile", "leaves")
    assert "READY long on 1m" in text
    cells = [[cell.strip() for cell in line.split("│")[1:-1]] for line in text.splitlines()]
    assert ["drop if any", "", "close > 100", "101", "100", "held"] in cells
    assert ["no drop if any", "", "close > 200", "101", "200", "no"] in cells


@pytest.mark.parametrize("columns", [80, 40])
def test_an_explanation_fits_a_narrow_screen_with_every_condition_and_number_on_it(
    judged: Worker, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, columns: int
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    lines = shown(capsys, "mtf_explain", "AUSDT", "2026-03-02 12:00").splitlines()
    assert max(map(len, lines)) <= columns
    held, no = (
        next(line.split() for line in lines if line.startswith(f"  {sign}"))
        for sign in ("close > 100", "close < 100")
    )
    assert (held, no) == (
        ["close", ">", "100", "101", "100", "held"],
        ["close", "<", "100", "101", "100", "no"],
    )


def test_an_explanation_of_no_trade_says_why_and_on_what_the_context_agreed(
    judged: Worker, capsys: pytest.CaptureFixture[str]
) -> None:
    text = shown(capsys, "mtf_explain", "AUSDT", "2026-03-02T12:01Z")
    assert "no trade: execution_side_mismatch (the context agrees on long)" in text
    assert "1m execution: neutral (NO_LONG_NO_SHORT) · candle 12:00" in text


def test_an_explanation_for_machines_is_one_object_a_profile(
    judged: Worker, capsys: pytest.CaptureFixture[str], write_profile: WriteProfile
) -> None:
    write_profile(by_close("other", "5m"))
    lines = shown(capsys, "mtf_explain", "AUSDT", "2026-03-02T12:00", "--json").splitlines()
    plain, other = (json.loads(line) for line in lines)
    assert (plain["verdict"]["profile"], plain["equal"]) == ("plain", True)
    assert (other["verdict"]["profile"], other["equal"], other["run_id"]) == ("other", None, None)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["AUSD"], "unknown symbol 'AUSD'"),
        (["AUSDT", "noon"], "at: 'noon' is not a time like"),
        (["AUSDT", "2999-01-01"], "2999-01-01 00:00 UTC is in the future"),
        (["AUSDT", "--profile", "plan"], "unknown profile 'plan': there are plain"),
    ],
)
def test_an_explanation_that_cannot_be_given_names_what_is_wrong(
    judged: Worker, arguments: list[str], message: str
) -> None:
    with pytest.raises(CommandError, match=message):
        call_command("mtf_explain", *arguments)


# --- runs ---


def test_runs_are_one_line_each_oldest_first(judged: Worker, capsys: pytest.CaptureFixture[str]) -> None:
    dead = life.claim_minute(PLAIN, AT + 2 * MINUTE, AT)
    assert dead is not None
    life.fail_run(dead, RuntimeError("disk full"), AT)
    life.claim_minute(PLAIN, AT + 3 * MINUTE, AT)
    first, second, third = shown(capsys, "runs").splitlines()
    assert first.split() == ["12:00", "plain", "decided", "1", "ready", "of", "1", "·", "unannounced", "·"]
    assert second.split()[:6] == ["12:01", "plain", "decided", "0", "ready", "of"]
    assert second.endswith("1 execution_side_mismatch")
    assert third.split(maxsplit=3) == ["12:02", "plain", "failed", "RuntimeError: disk full"]


def test_runs_can_be_fewer_and_for_machines(judged: Worker, capsys: pytest.CaptureFixture[str]) -> None:
    [line] = shown(capsys, "runs", "--limit", "1", "--json").splitlines()
    run = MtfRun.objects.get(minute=AT + MINUTE)
    printed = json.loads(line)
    assert (printed["run_id"], printed["status"]) == (str(run.run_id), "decided")
    assert (printed["minute"], printed["counts"]) == ((AT + MINUTE).isoformat(), run.counts)


def test_runs_that_are_followed_show_each_new_one_once_until_ctrl_c(
    judged: Worker, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    polls = iter([AT + 2 * MINUTE, None, AT + 3 * MINUTE, None])

    def poll(_: float) -> None:
        try:
            at = next(polls)
        except StopIteration:
            raise KeyboardInterrupt from None
        if at is not None:
            judged.minute(at)

    monkeypatch.setattr(runs, "time", SimpleNamespace(sleep=poll))
    lines = shown(capsys, "runs", "--limit", "1", "--follow").splitlines()
    assert [line[:5] for line in lines] == ["12:01", "12:02", "12:03"]


def test_a_minute_that_was_skipped_says_so(broker: redis.Redis, capsys: pytest.CaptureFixture[str]) -> None:
    Worker([], [PLAIN], broker=broker).minute(AT, late=timedelta(minutes=5))
    assert shown(capsys, "runs").split() == ["12:00", "plain", "skipped"]
