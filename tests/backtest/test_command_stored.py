"""manage.py backtest over the candles of the database."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from apps.backtest.source import open_recorded
from tests.backtest.test_source import END, START, candle_range, fill

pytestmark = pytest.mark.django_db
RANGE = ("--from", f"{START:%Y-%m-%d %H:%M}", "--to", f"{END:%Y-%m-%d %H:%M}")


def run_backtest_json(capsys: pytest.CaptureFixture[str], *arguments: str) -> Any:
    capsys.readouterr()
    call_command("backtest", "--profile", "scalper", "--json", *arguments)
    return json.loads(capsys.readouterr().out)


def test_the_stored_candles_give_the_verdicts_of_the_recorded_ones(
    capsys: pytest.CaptureFixture[str],
) -> None:
    fill(open_recorded(candle_range("BTCUSDT")))
    stored = run_backtest_json(capsys, "--source", "db", *RANGE)
    files = run_backtest_json(capsys, "--symbols", "BTCUSDT", *RANGE)
    assert stored["symbols"] == files["symbols"] == ["BTCUSDT"]
    assert stored["candles_1m"] == files["candles_1m"] == (END - START).total_seconds() / 60
    assert stored["profiles"][0]["verdicts"] == files["profiles"][0]["verdicts"]


def test_without_dates_it_replays_all_that_is_stored(capsys: pytest.CaptureFixture[str]) -> None:
    fill(open_recorded(candle_range("BTCUSDT")))
    report = run_backtest_json(capsys, "--source", "db")
    assert (report["start"], report["end"]) == ("2025-05-19T11:07:00Z", "2025-05-20T16:09:00Z")


def test_a_hole_is_named_before_it_runs(capsys: pytest.CaptureFixture[str]) -> None:
    fill(open_recorded(candle_range("BTCUSDT")), skipped=(START,))
    call_command("backtest", "--profile", "scalper", "--source", "db", *RANGE)
    assert "BTCUSDT: 1 candle of 1m missing, the first at 2025-05-20 11:57 UTC" in capsys.readouterr().err


def test_without_candles_it_says_where_to_get_some() -> None:
    with pytest.raises(CommandError, match="the database holds no 1m candles: fetch some with"):
        call_command("backtest", "--profile", "scalper", "--source", "db")
    with pytest.raises(CommandError, match=r"unknown symbol 'SOLUSDT'.*backfill_klines"):
        call_command("backtest", "--profile", "scalper", "--source", "db", "--symbols", "SOLUSDT", *RANGE)
