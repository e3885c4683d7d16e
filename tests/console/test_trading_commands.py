"""What an operator asks and does in a terminal."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone
from pytest_django import Settings

from apps.audit.models import OperatorAction
from apps.engine.cycle import EntryResult
from apps.engine.follow.excursion import Excursion
from apps.live.enter.symbol_entry import enter_symbol
from apps.orders import store as orders
from apps.orders.models import DailyLossReset, ExchangeOrder, Position
from apps.switches import store as switches
from apps.switches.models import MtfSwitch
from benchmarks.trading.always import always
from tests.live.trading import SYMBOL, Desk
from tests.rooms.fill_trading import fill_trading


def told(command: str, *arguments: str) -> Any:
    out = StringIO()
    call_command(command, *arguments, "--json", stdout=out)
    return json.loads(out.getvalue())


@pytest.mark.django_db
def test_switch_off_stops_for_its_time_with_a_reason_and_a_name(capsys: pytest.CaptureFixture[str]) -> None:
    call_command("switch_off", "GLOBAL", "--for", "4h", "--reason", "news", "--by", "ada")
    row = MtfSwitch.objects.get(switch_key="GLOBAL")
    assert (row.is_on, row.reason, row.changed_by) == (False, "news", "ada")
    assert row.expires_at is not None
    assert abs(row.expires_at - timezone.now() - timedelta(hours=4)) < timedelta(minutes=1)
    assert "GLOBAL is off until" in capsys.readouterr().out
    call_command("switch_on", "GLOBAL", "--reason", "over", "--by", "ada")
    assert switches.off_switches() == {}


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["GLOBL", "--reason", "x"], "did you mean GLOBAL"),
        (["PROFILE:regulr", "--reason", "x"], "regular"),
        (["GLOBAL", "--for", "4", "--reason", "x"], "not a duration"),
        (["GLOBAL", "--for", "0h", "--reason", "x"], "not a duration"),
        (["GLOBAL", "--reason", " "], "needs a reason"),
        (["GLOBAL"], "--reason"),
    ],
)
def test_a_switch_that_would_stop_nothing_is_refused(arguments: list[str], words: str) -> None:
    with pytest.raises(CommandError, match=words):
        call_command("switch_off", *arguments)
    assert switches.off_switches() == {}


@pytest.mark.django_db
def test_positions_tells_what_the_books_hold(settings: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    now = datetime.now(UTC)
    fill_trading(now)
    printed = told("positions")
    assert (printed["positions"], printed["resting"], printed["equity"]) == ([], [], "998.500000000000")
    [closed] = printed["closed"]
    assert (closed["realised_usdt"], closed["held_s"], closed["mfe_pct"]) == ("1.870000000000", 599.0, None)
    call_command("positions")
    assert "no position is open" in capsys.readouterr().out


@pytest.mark.django_db
def test_positions_tells_how_far_the_market_went_for_and_against_what_closed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "160")
    fill_trading(datetime.now(UTC))
    numbers = list(map(Decimal, ("103.5", "99.25", "3.5", "0.75", "3.51", "0.76")))
    orders.save_excursion(Position.objects.get().pk, Excursion(*numbers))
    [closed] = told("positions")["closed"]
    shown = ("best_price", "worst_price", "mfe_pct", "mae_pct", "mfe_r", "mae_r")
    assert [Decimal(closed[name]) for name in shown] == numbers
    call_command("positions")
    [row] = [line for line in capsys.readouterr().out.splitlines() if "BTCUSDT" in line]
    assert [cell.strip() for cell in row.split("│")[5:12]] == [
        *("102", "1.87", "1.56", "3.50", "3.51", "0.75", "0.76"),
    ]
    assert "0:09:59" in row


@pytest.mark.django_db
def test_daily_loss_reset_lets_entries_go_on_and_names_who_did_it_and_what_it_left_behind(
    capsys: pytest.CaptureFixture[str],
) -> None:
    fill_trading(datetime.now(UTC))
    Position.objects.update(closed_at=datetime.now(UTC), realised_usdt=Decimal("-61.5"))
    reset = told("daily_loss_reset", "--reason", "a bad tick", "--by", "ada")
    assert (reset["account"], reset["reset_by"], reset["reason"]) == ("simulator:live", "ada", "a bad tick")
    assert reset["lost_before"] == {"regular": "61.500000000000"}
    assert OperatorAction.objects.filter(actor="ada", action="daily_loss_reset", reason="a bad tick").exists()
    assert orders.lost_today("simulator:live", datetime.now(UTC)) == {}
    Position.objects.update(closed_at=datetime.now(UTC))
    call_command("daily_loss_reset", "--reason", "again", "--by", "ada")
    printed = capsys.readouterr().out
    assert "simulator:live: losses and streaks before" in printed
    assert "regular: -61.50 USDT" in printed


@pytest.mark.django_db
def test_a_daily_loss_reset_without_a_reason_is_refused() -> None:
    with pytest.raises(CommandError, match="--reason"):
        call_command("daily_loss_reset")
    with pytest.raises(CommandError, match="needs a reason"):
        call_command("daily_loss_reset", "--reason", " ")
    assert not DailyLossReset.objects.exists()


def test_reconcile_tells_equal_books_and_names_what_differs(
    desk: Desk, capsys: pytest.CaptureFixture[str]
) -> None:
    call_command("reconcile")
    assert "nothing is open" in capsys.readouterr().out
    [run] = desk.decide(always())
    assert isinstance(enter_symbol(str(run.run_id), SYMBOL, clock=desk.clock), EntryResult)
    assert len(told("positions")["resting"]) == 1
    ExchangeOrder.objects.all().delete()
    with pytest.raises(CommandError, match=f"the books of {SYMBOL} differ"):
        call_command("reconcile")
    assert "orders unbooked" in capsys.readouterr().out
