"""manage.py backtest, end to end on the recorded market."""

from __future__ import annotations

import csv
import io
import json
from decimal import Decimal
from pathlib import Path
from shutil import copy
from typing import Any

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.test import override_settings
from rich.console import Console

from apps.backtest.request import read_request
from apps.console.screens.backtest import run_profiles
from apps.profiles.files import load_profiles

STRETCH = ("--symbols", "LAYERUSDT", "ENAUSDT", "--from", "2025-05-10", "--to", "2025-05-10 08:00")
HERE = "the recorded market has 2025-05-10 00:00 UTC to 2025-06-03 00:00 UTC, not"


@pytest.fixture(autouse=True)
def wide(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "120")


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[str, str]:
    """What stood on standard output and on standard error."""
    capsys.readouterr()
    call_command("backtest", *arguments)
    shown = capsys.readouterr()
    return shown.out, shown.err


def run_backtest_json(capsys: pytest.CaptureFixture[str], *arguments: str) -> Any:
    return json.loads(run(capsys, "--json", *arguments)[0])


def test_it_answers_in_a_table_and_names_what_ran(capsys: pytest.CaptureFixture[str]) -> None:
    (profile,) = load_profiles(settings.MTF_PROFILES_DIR, ["scalper"])
    out, err = run(capsys, "--profile", "scalper", *STRETCH)
    assert "1,000.00 USDT became" in out
    assert "by  " in out
    assert "LAYERUSDT" in out
    assert f"profile scalper {profile.digest}\n" in err
    assert "2 symbols, 2025-05-10 00:00 … 2025-05-10 08:00 UTC" in err


def test_every_minute_of_every_symbol_is_judged_and_the_same_question_gets_the_same_answer(
    capsys: pytest.CaptureFixture[str],
) -> None:
    first = run_backtest_json(capsys, "--profile", "scalper", *STRETCH)
    (profile,) = first["profiles"]
    assert first["candles_1m"] == sum(profile["verdicts"].values()) == 2 * 480
    assert profile["trades"]["trades"] >= 1
    assert first == run_backtest_json(capsys, "--profile", "scalper", *STRETCH)


def test_the_files_tell_the_same_trades_as_the_object(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    files = ("--csv", str(tmp_path / "t.csv"), "--html", str(tmp_path / "t.html"))
    report = run_backtest_json(capsys, "--profile", "scalper", "regular", *STRETCH, *files)
    rows = list(csv.DictReader(io.StringIO((tmp_path / "t.csv").read_text("utf-8"))))
    trades = [trade for profile in report["profiles"] for trade in profile["trade_list"]]
    assert rows == [{name: str(value) for name, value in trade.items()} for trade in trades]
    page = (tmp_path / "t.html").read_text("utf-8")
    assert page.count('class="open"') == len(trades) > 0
    assert "Side by side" in page


def test_several_profiles_stand_side_by_side(capsys: pytest.CaptureFixture[str]) -> None:
    out, _ = run(capsys, "--profile", "scalper,crash", *STRETCH)
    assert [line.split()[0] for line in out.splitlines() if line.startswith((" scalper", " crash"))] == [
        "scalper",
        "crash",
    ]


def test_the_account_begins_with_what_is_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    (profile,) = run_backtest_json(capsys, "--profile", "crash", *STRETCH, "--equity", "250.5")["profiles"]
    assert profile["equity"]["start_usdt"] == "250.5"


@pytest.mark.parametrize(
    ("arguments", "faults"),
    [
        (["--profile", "scalpr"], ["scalpr.yaml: no such file", "nearest: 'scalper'"]),
        (["--symbols", "SOLUSD"], ["unknown symbol 'SOLUSD'; nearest: 'SOLUSDT'"]),
        (["--symbols", "SOLUSDT,SOLUSDT"], ["SOLUSDT is named twice"]),
        (["--symbols"], ["--symbols names none"]),
        (["--from", "2025-05-11"], ["the range is empty", "2025-05-10 08:00 UTC", "2025-05-11 00:00 UTC"]),
        (["--from", "2025-05-10 08:00"], ["the range is empty"]),
        (["--from", "2025-05-09"], [HERE, "2025-05-09 00:00 UTC"]),
        (["--to", "2025-06-03 00:01"], [HERE, "2025-06-03 00:01 UTC"]),
        (["--from", "yesterday"], ["--from yesterday: not a date like 2025-05-20"]),
        (["--to", "2025-05-20 14:30:07"], ["2025-05-20 14:30:07+00:00 is not a whole minute"]),
        (["--equity", "much"], ["--equity much: not an amount of USDT above 0"]),
        (["--equity", "-1"], ["--equity -1"]),
        (["--equity", "NaN"], ["--equity NaN"]),
        (["--equity", "Infinity"], ["--equity Infinity"]),
        (["--csv", "/absent/t.csv"], ["/absent/t.csv: the folder /absent does not exist"]),
        (["--html", "/"], ["/: it is a folder"]),
        (["--csv", "/proc/t", "--html", "/proc/t"], ["/proc/t: it cannot be written", "named twice"]),
        (["--profiles-dir", "/absent"], ["no such file in /absent"]),
        (
            ["--profile", "scalpr", "--symbols", "SOLUSD", "--equity", "0", "--html", "/absent/t"],
            ["scalpr.yaml", "unknown symbol 'SOLUSD'", "--equity 0", "/absent/t"],
        ),
    ],
)
def test_what_cannot_be_run_is_refused_with_everything_that_is_wrong(
    arguments: list[str], faults: list[str]
) -> None:
    given = ["--profile", "scalper", *STRETCH, *arguments]
    with pytest.raises(CommandError) as refused:
        call_command("backtest", *given)
    for fault in faults:
        assert fault in str(refused.value)


def test_a_broken_profile_is_refused_with_every_fault_of_it(tmp_path: Path) -> None:
    content = (settings.MTF_PROFILES_DIR / "scalper.yaml").read_text("utf-8")
    copy(settings.MTF_PROFILES_DIR / "conditions.yaml", tmp_path)
    broken = content.replace("validation_mode: pragmatic", "validation_mode: lax").replace("risk_pct", "risk")
    (tmp_path / "scalper.yaml").write_text(broken, "utf-8")
    with pytest.raises(CommandError) as refused:
        call_command("backtest", "--profile", "scalper", "--profiles-dir", str(tmp_path), *STRETCH)
    for place in ("validation_mode", "entry.risk: unknown key", "entry.risk_pct: missing"):
        assert place in str(refused.value)


@pytest.mark.parametrize(
    ("entry", "fault"),
    [
        ("", "scalper: it has no entry section, so it judges and never trades"),
        ("entry:\n  review: true\n{rest}", "scalper: review: a person decides on each plan"),
    ],
)
def test_a_profile_that_could_not_trade_here_is_refused(tmp_path: Path, entry: str, fault: str) -> None:
    rules, rest = (settings.MTF_PROFILES_DIR / "scalper.yaml").read_text("utf-8").split("entry:\n")
    copy(settings.MTF_PROFILES_DIR / "conditions.yaml", tmp_path)
    (tmp_path / "scalper.yaml").write_text(rules + entry.format(rest=rest), "utf-8")
    with pytest.raises(CommandError, match=fault):
        call_command("backtest", "--profile", "scalper", "--profiles-dir", str(tmp_path), *STRETCH)


def test_a_profile_edited_meanwhile_changes_nothing(tmp_path: Path) -> None:
    for name in ("conditions", "scalper"):
        copy(settings.MTF_PROFILES_DIR / f"{name}.yaml", tmp_path)
    options = {
        "profile": ["scalper"],
        "profiles_dir": tmp_path,
        "symbols": ["SOLUSDT"],
        "source": "files",
        "from": "2025-05-20",
        "to": "2025-05-20 02:00",
        "equity": "1000",
        "pessimistic": False,
        "csv": None,
        "html": None,
    }
    request = read_request(options)
    (tmp_path / "scalper.yaml").write_text("gone", "utf-8")
    (outcome,) = run_profiles(Console(quiet=True), request)
    (shipped,) = load_profiles(settings.MTF_PROFILES_DIR, ["scalper"])
    assert outcome.digest == shipped.digest


def test_pessimistic_fills_are_no_better_and_said_in_every_output(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    report = tmp_path / "t.html"
    kind = run_backtest_json(capsys, "--profile", "scalper", *STRETCH)
    harsh = run_backtest_json(
        capsys, "--profile", "scalper", *STRETCH, "--pessimistic", "--html", str(report)
    )
    assert (kind["pessimistic"], harsh["pessimistic"]) == (False, True)
    assert "pessimistic fills" in report.read_text("utf-8")
    gross = [Decimal(each["profiles"][0]["trades"]["gross_usdt"]) for each in (kind, harsh)]
    assert gross[1] < gross[0]


def test_the_accounts_own_limits_hold_as_they_are_set(capsys: pytest.CaptureFixture[str]) -> None:
    with override_settings(MTF_ACCOUNT_MAX_POSITIONS=0):
        (profile,) = run_backtest_json(capsys, "--profile", "scalper", *STRETCH)["profiles"]
    assert profile["orders"]["sent"] == 0
    assert profile["refusals"]["max_concurrent_positions_reached"] > 0
