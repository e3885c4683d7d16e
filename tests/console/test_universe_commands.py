"""manage.py universe and queue_symbol: what people read, what machines read, and what is refused."""

from __future__ import annotations

import json
from decimal import Decimal
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from apps.switches.models import SymbolQueue
from tests.factories import ContractFactory
from tests.live.conftest import WriteProfile
from tests.live.desk import by_close
from tests.live.screen import shown

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _market(monkeypatch: pytest.MonkeyPatch, write_profile: WriteProfile) -> None:
    monkeypatch.setenv("COLUMNS", "160")
    write_profile(by_close("plain", "5m"))
    write_profile(by_close("narrow", "5m", universe={"top_n": 1}))
    ContractFactory.create(symbol="AUSDT", turnover_24h=Decimal(30_000_000))
    ContractFactory.create(symbol="BUSDT")
    ContractFactory.create(symbol="CUSDT", turnover_24h=Decimal(900_000))


def test_the_table_says_how_many_who_and_why_not_the_others(capsys: pytest.CaptureFixture[str]) -> None:
    text = shown(capsys, "universe")
    assert "plain: 2 of 3 contracts; 1 turnover_too_low\nAUSDT, BUSDT\n" in text
    assert "narrow: 1 of 3 contracts; 1 beyond_top_n, 1 turnover_too_low\nAUSDT\n" in text
    [row] = [line for line in text.splitlines() if "BUSDT" in line and "│" in line]
    assert [cell.strip() for cell in row.split("│")[1:-1]] == [
        "BUSDT",
        "beyond_top_n",
        "turnover 20,000,000 is rank 2 of TOP, top_n 1",
    ]


def test_machines_read_one_profile_or_all() -> None:
    out = StringIO()
    call_command("universe", "--profile", "narrow", "--json", stdout=out)
    [narrow] = json.loads(out.getvalue())
    assert (narrow["profile"], narrow["members"]) == ("narrow", ["AUSDT"])
    assert [row["symbol"] for row in narrow["excluded"]] == ["BUSDT", "CUSDT"]


def test_an_empty_universe_is_shown_and_fails_the_command(
    write_profile: WriteProfile, capsys: pytest.CaptureFixture[str]
) -> None:
    write_profile(by_close("plain", "5m", universe={"min_listed_h": 100_000}))
    with pytest.raises(CommandError, match=r"universe of plain is empty: .*3 listed_too_recently"):
        call_command("universe", "--profile", "plain")
    assert "plain: 0 of 3 contracts" in capsys.readouterr().out
    with pytest.raises(CommandError, match="unknown profile 'plane'"):
        call_command("universe", "--profile", "plane")


def test_a_queued_symbol_waits_in_the_name_of_who_asked(capsys: pytest.CaptureFixture[str]) -> None:
    call_command("queue_symbol", "CUSDT", "--profile", "narrow", "--reason", "first look", "--by", "ada")
    mark = SymbolQueue.objects.get()
    assert (mark.symbol, mark.profile, mark.asked_by, mark.reason, mark.taken_at) == (
        "CUSDT",
        "narrow",
        "ada",
        "first look",
        None,
    )
    assert "CUSDT is judged once by narrow" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["CUSD", "--profile", "plain", "--reason", "x"], "unknown symbol 'CUSD'; nearest"),
        (
            ["CUSDT", "--profile", "plane", "--reason", "x"],
            "'plane' does not run here: .*nearest: 'plain'",
        ),
        (["CUSDT", "--profile", "plain", "--reason", " "], "needs a reason"),
        (["CUSDT", "--profile", "plain"], "--reason"),
    ],
)
def test_a_mark_that_nothing_would_obey_is_refused(arguments: list[str], words: str) -> None:
    with pytest.raises(CommandError, match=words):
        call_command("queue_symbol", *arguments)
    assert not SymbolQueue.objects.exists()
