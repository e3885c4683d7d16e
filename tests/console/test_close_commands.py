"""Out of the market from a terminal: asked once more, obeyed by the watch; the exit code says how it went."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from apps.console import closing
from apps.engine import events
from apps.engine.values.position import PositionReport, PositionStatus, Side
from apps.orders import store as orders
from apps.orders.models import CloseRequest
from apps.switches import store as switches
from tests.rooms.fill_trading import ledger
from tests.rooms.trades import ACCOUNT, NOW, at, plan, position

pytestmark = pytest.mark.django_db
NOT_WAITED = ("--wait", "0", "--by", "ada")


def hold(symbol: str = "BTCUSDT", **changes: Any) -> None:
    held = position(plan(symbol), **changes)
    ledger().record([events.PositionOpened(symbol=symbol, at=at(3), position=held)])


def told(command: str, *arguments: str) -> Any:
    out = StringIO()
    call_command(command, *arguments, "--json", stdout=out)
    return json.loads(out.getvalue())


def obey(outcome: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """While the command waits, the watch ends what was asked for."""

    def sleep(seconds: float) -> None:
        done = {"done_at": datetime.now(UTC), "outcome": outcome}
        CloseRequest.objects.filter(done_at=None).update(**done)

    monkeypatch.setattr(closing.time, "sleep", sleep)


def answer(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("builtins.input", lambda: text)


def test_a_close_waits_until_it_is_flat_and_says_how_long_that_took(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    hold()
    obey("flat", monkeypatch)
    call_command("close_position", "BTCUSDT", "--reason", "news", "--yes", "--by", "ada")
    assert "BTCUSDT long: flat after 0." in capsys.readouterr().out
    row = CloseRequest.objects.get()
    assert (row.asked_by, row.reason, row.foreign) == ("ada", "news", False)


def test_a_close_that_is_not_flat_in_time_stays_asked_for_and_fails(
    capsys: pytest.CaptureFixture[str],
) -> None:
    hold()
    with pytest.raises(CommandError, match=r"not flat within 0\.2 s: BTCUSDT long"):
        call_command("close_position", "BTCUSDT", "--reason", "news", "--yes", "--wait", "0.2")
    printed = capsys.readouterr().out
    assert "BTCUSDT long: asked for" in printed
    assert "no watch process runs" in printed
    assert CloseRequest.objects.get().done_at is None


def test_a_close_that_ended_otherwise_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    hold()
    obey("what is held is not ours", monkeypatch)
    with pytest.raises(CommandError, match="not flat"):
        call_command("close_position", "BTCUSDT", "--reason", "news", "--yes")


def test_the_symbol_is_typed_once_more_before_it_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    hold()
    for text in ("", "yes", "ETHUSDT"):
        answer(text, monkeypatch)
        with pytest.raises(CommandError, match="not confirmed"):
            call_command("close_position", "BTCUSDT", "--reason", "news", *NOT_WAITED)
    assert not CloseRequest.objects.exists()
    answer("BTCUSDT", monkeypatch)
    assert told("close_position", "BTCUSDT", "--reason", "news", *NOT_WAITED)["requests"][0]["side"] == "long"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["ETHUSDT", "--reason", "x"], "ETHUSDT is flat"),
        (["BTCUSDT", "--side", "short", "--reason", "x"], "BTCUSDT short is flat"),
        (["BTCUSDT", "--reason", " "], "needs a reason"),
        (["BTCUSDT"], "--reason"),
        (["BTCUSDT", "--side", "up", "--reason", "x"], "--side"),
    ],
)
def test_what_cannot_be_closed_is_refused(arguments: list[str], words: str) -> None:
    hold()
    with pytest.raises(CommandError, match=words):
        call_command("close_position", *arguments, "--yes", *NOT_WAITED)
    assert not CloseRequest.objects.exists()


def test_what_was_opened_by_hand_is_closed_only_with_the_flag() -> None:
    hold(decision_key="", status=PositionStatus.FOREIGN)
    with pytest.raises(CommandError, match="not opened by us"):
        call_command("close_position", "BTCUSDT", "--reason", "x", "--yes", *NOT_WAITED)
    told("close_position", "BTCUSDT", "--reason", "x", "--yes", "--foreign", *NOT_WAITED)
    assert CloseRequest.objects.get().foreign


def test_flatten_is_confirmed_stops_everything_and_asks_for_all(monkeypatch: pytest.MonkeyPatch) -> None:
    hold()
    hold("ETHUSDT")
    answer("yes", monkeypatch)
    with pytest.raises(CommandError, match="not confirmed"):
        call_command("flatten", "--reason", "trouble", *NOT_WAITED)
    assert switches.off_switches() == {}
    answer("FLATTEN", monkeypatch)
    printed = told("flatten", "--reason", "trouble", *NOT_WAITED)
    assert [row["symbol"] for row in printed["requests"]] == ["BTCUSDT", "ETHUSDT"]
    assert printed["watched"] is False
    assert switches.off_switches() == {"GLOBAL": "trouble"}


def test_flatten_with_nothing_open_still_stops_what_opens(capsys: pytest.CaptureFixture[str]) -> None:
    call_command("flatten", "--reason", "trouble", "--yes")
    assert "GLOBAL is off; nothing" in capsys.readouterr().out
    assert switches.off_switches() == {"GLOBAL": "trouble"}


def test_positions_tells_marks_and_unrealised_results_with_their_age_and_their_sum(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "180")
    hold()
    hold("ETHUSDT")
    marks = orders.PositionMarks(ACCOUNT)
    report = PositionReport(
        "BTCUSDT", Side.LONG, Decimal(1), Decimal(100), NOW, Decimal("101.5"), Decimal("1.23")
    )
    marks.save([report], datetime.now(UTC))
    assert told("positions")["unrealised"] is None  # of ETHUSDT the exchange told nothing
    call_command("positions")
    [row] = [line for line in capsys.readouterr().out.splitlines() if "BTCUSDT" in line]
    assert [cell.strip() for cell in row.split("│")[8:11]] == ["101.5", "1.23", "0 s ago"]
    other = PositionReport("ETHUSDT", Side.LONG, Decimal(1), Decimal(100), NOW, None, Decimal("-3"))
    marks.save([other], datetime.now(UTC))
    assert Decimal(told("positions")["unrealised"]) == Decimal("-1.77")
    call_command("positions")
    assert "unrealised -1.77 USDT" in capsys.readouterr().out
