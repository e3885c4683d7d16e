"""Everything around a moment of a symbol, as one document."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import redis
from django.conf import settings
from django.core.management import CommandError, call_command

from apps.audit.models import MtfAudit, OperatorAction
from apps.exchange.simulator.market.archive import Archive
from apps.insight.decision import verdict_decision
from apps.insight.explanation import explain
from apps.insight.export import SCHEMA, BadWindow, export
from apps.insight.json_row import json_value
from apps.live.models import MtfRun
from apps.market import store
from apps.switches import store as switches
from tests.live.conftest import WriteProfile
from tests.live.desk import Worker, by_close, profile
from tests.live.market import AT, LONG, M1, M5, MINUTE, SHORT, fill, push
from tests.live.recorded import BEGAN, Recorded
from tests.rooms.builders import contract
from tests.rooms.fill_trading import fill_trading
from tests.rooms.trades import NOW

DOCUMENTED = Path(__file__).resolve().parents[2] / "docs" / "export.md"
HOUR = timedelta(hours=1)

pytestmark = pytest.mark.django_db


class Colour(StrEnum):
    RED = "red"


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (Decimal("0.100000000000"), "0.1"),
        (Decimal("1000.000"), "1000"),
        (Decimal("1E+3"), "1000"),
        (Decimal("0.000000000001"), "0.000000000001"),
        (Decimal("123456789012345.123456789012"), "123456789012345.123456789012"),
        (Decimal("-0.0"), "-0"),
        (datetime(2026, 5, 4, 12, 31, tzinfo=UTC), "2026-05-04T12:31:00Z"),
        (datetime.fromisoformat("2026-05-04T14:31:00.25+02:00"), "2026-05-04T12:31:00.250000Z"),
        (UUID(int=7), "00000000-0000-0000-0000-000000000007"),
        (Colour.RED, "red"),
        (0.1, 0.1),
        (float("nan"), None),
        (float("inf"), None),
        (True, True),
        (None, None),
        ({"a": (Decimal("1.50"), [float("nan")])}, {"a": ["1.5", [None]]}),
    ],
)
def test_values_become_plain_json_without_losing_a_digit(value: Any, told: Any) -> None:
    assert json_value(value) == told
    assert type(json_value(value)) is type(told)


def test_a_value_of_an_unknown_kind_is_refused() -> None:
    with pytest.raises(TypeError, match="of type object has no plain form"):
        json_value(object())


# --- decisions ---


@pytest.fixture
def worker(broker: redis.Redis, write_profile: WriteProfile) -> Worker:
    """One symbol, judged for four minutes: long, long, short (of the 1m), long."""
    write_profile(by_close("plain", "5m"))
    fill(["AUSDT", "BUSDT"], [M1, M5])
    judging = Worker(["AUSDT", "BUSDT"], [profile(by_close("plain", "5m"))], broker=broker)
    for n, close in enumerate([LONG, LONG, SHORT, LONG]):
        if n:
            push("AUSDT", AT + n * MINUTE, close)
        judging.minute(AT + n * MINUTE)
    return judging


def exported(minutes: float = 2, window: timedelta = HOUR) -> dict[str, Any]:
    """AUSDT around that many minutes after AT, as a reader of the file gets it."""
    exported_file: dict[str, Any] = json.loads(
        json.dumps(export("AUSDT", AT + minutes * MINUTE, window, datetime.now(UTC)))
    )
    return exported_file


def test_the_moment_is_explained_with_every_leaf_for_each_profile(worker: Worker) -> None:
    part_of_export = exported()["verdicts"]
    assert list(part_of_export) == ["plain"]
    assert part_of_export["plain"]["at_the_moment"] == json.loads(
        json.dumps(explain("AUSDT", AT + 2 * MINUTE, "plain").to_json())
    )


def test_each_minute_of_the_window_tells_the_live_decision_and_the_replayed_one(worker: Worker) -> None:
    minutes = exported(window=2 * MINUTE)["verdicts"]["plain"]["minutes"]
    ready, not_ready = "READY long on 1m", "execution_side_mismatch (long)"
    assert [(row["minute"][11:16], row["live"], row["replay"]) for row in minutes[:4]] == [
        ("12:00", ready, ready),
        ("12:01", ready, ready),
        ("12:02", not_ready, not_ready),
        ("12:03", ready, ready),
    ]
    assert (minutes[4]["run_id"], minutes[4]["live"]) == (None, None)


def test_a_profile_that_ran_and_is_configured_no_more_is_there_too(
    worker: Worker, write_profile: WriteProfile
) -> None:
    settings.MTF_PROFILES = []
    write_profile(by_close("other", "5m"))
    part_of_export = exported()["verdicts"]
    assert list(part_of_export) == ["other", "plain"]
    assert {row["live"] for row in part_of_export["other"]["minutes"]} == {None}


def test_candles_begin_with_the_one_that_was_judged_first_and_say_when_they_were_written(
    worker: Worker,
) -> None:
    candles = exported(window=2 * MINUTE)["candles"]
    assert [row["open_time"] for row in candles["1m"]] == [
        f"2026-03-02T{clock}:00Z" for clock in ("11:59", "12:00", "12:01", "12:02")
    ]
    assert [row["open_time"] for row in candles["5m"]] == ["2026-03-02T11:55:00Z"]
    assert candles["1m"][2] | {"inserted_at": "", "updated_at": ""} == {
        "open_time": "2026-03-02T12:01:00Z",
        "open": "99",
        "high": "100",
        "low": "98",
        "close": "99",
        "volume": "10",
        "source": "WS",
        "inserted_at": "",
        "updated_at": "",
    }
    assert all(row["updated_at"].endswith("Z") for row in candles["1m"])


def test_runs_audit_and_signals_of_the_window_are_there_with_the_row_that_stood_before_it(
    worker: Worker,
) -> None:
    for run in MtfRun.objects.all():
        MtfAudit.objects.filter(run_id=run.run_id).update(created_at=run.minute + timedelta(seconds=2))
    exported_file = exported(minutes=3, window=MINUTE)
    ran = list(MtfRun.objects.filter(minute__gte=AT + 2 * MINUTE).order_by("minute"))
    assert [row["run_id"] for row in exported_file["runs"]] == [str(run.run_id) for run in ran]
    assert [row["cause"] for row in exported_file["audit"]] == ["READY", "execution_side_mismatch", "READY"]
    assert exported_file["audit"][0]["created_at"] == "2026-03-02T12:01:02Z"
    assert [(row["phase"], row["side"]) for row in exported_file["signals"]] == [
        ("context", "LONG"),
        ("execution", "SHORT"),
        ("execution", "LONG"),
    ]
    assert {row["symbol"] for part in ("audit", "signals") for row in exported_file[part]} == {"AUSDT"}


def test_indicators_are_recomputed_at_the_moment_and_unknown_ones_are_null(worker: Worker) -> None:
    part_of_export = exported()["indicators"]
    assert part_of_export["1m"]["open_time"] == "2026-03-02T12:01:00Z"
    assert part_of_export["1m"]["values"]["close"] == 99
    assert part_of_export["4h"]["values"]["close"] is None


def test_the_switches_in_force_are_those_of_the_moment_and_expired_ones_are_not(worker: Worker) -> None:
    """Every change is recorded by the database's own clock: moved here to the minutes they are meant for."""
    until = datetime.now(UTC) + HOUR
    _switch("SYMBOL:AUSDT", 0, is_on=False)
    _switch("PROFILE:plain", 1, is_on=False, expires_at=until)
    _switch("SYMBOL:BUSDT", 1, is_on=False)
    _switch("SYMBOL:AUSDT", 3, is_on=True)
    in_force = {n: [row["key"] for row in exported(n)["in_force"]] for n in (0, 1, 2, 3)}
    assert in_force == {
        0: ["SYMBOL:AUSDT"],
        1: ["PROFILE:plain", "SYMBOL:AUSDT"],
        2: ["PROFILE:plain", "SYMBOL:AUSDT"],
        3: ["PROFILE:plain"],
    }
    OperatorAction.objects.filter(target="PROFILE:plain").update(
        extra={"expires_at": (AT + 2 * MINUTE).isoformat()}
    )
    assert exported(3)["in_force"] == []
    [off] = exported(1)["in_force"][1:]
    assert (off["since"], off["reason"], off["by"]) == ("2026-03-02T12:00:00Z", "news", "ada")


def _switch(key: str, minute: int, **to: Any) -> None:
    switches.set_switch(key, reason="news", actor="ada", **to)
    newest = OperatorAction.objects.filter(target=key).order_by("-id")[:1].get()
    OperatorAction.objects.filter(pk=newest.pk).update(happened_at=AT + minute * MINUTE)


# --- trading ---


def test_a_trade_is_there_from_its_plan_to_its_close_with_exact_numbers() -> None:
    fill_trading(NOW)
    store.save_contracts([contract("BTCUSDT"), contract("SOLUSDT")], NOW)
    exported_file = export("BTCUSDT", NOW, HOUR, datetime.now(UTC))
    assert [
        len(exported_file[part]) for part in ("plans", "orders", "fills", "positions", "protections")
    ] == [
        1,
        1,
        2,
        1,
        1,
    ]
    [plan], [order], [stop] = exported_file["plans"], exported_file["orders"], exported_file["protections"]
    assert (plan["entry_price"], plan["stop_price"], plan["size"]) == ("100", "99", "1000")
    assert order["plan_id"] == plan["id"]
    assert stop["position_id"] == exported_file["positions"][0]["id"]
    assert exported_file["transactions"][0]["amount"] == "-0.01"
    assert [row["event_type"] for row in exported_file["lifecycle_events"]][:2] == [
        "plan_claimed",
        "order_filled",
    ]
    assert exported_file["cooldowns"][0]["reason"] == "submitted"
    assert len(exported_file["queue_marks"]) == 1
    refused = export("SOLUSDT", NOW, HOUR, datetime.now(UTC))
    assert [row["deviation_pct"] for row in refused["zone_events"]] == ["3.4"]


def test_what_is_still_open_is_there_long_after_it_began_and_what_ended_before_is_not() -> None:
    fill_trading(NOW)
    store.save_contracts([contract("BTCUSDT")], NOW)
    later = export("BTCUSDT", NOW + 24 * HOUR, HOUR, datetime.now(UTC))
    assert [later[part] for part in ("plans", "orders", "fills", "locks")] == [[], [], [], []]


# --- the document ---


def test_every_key_is_documented_and_every_documented_key_is_there(worker: Worker) -> None:
    rows = re.findall(r"^\| (`.+?) \|", DOCUMENTED.read_text(), re.MULTILINE)
    named = {name for row in rows for name in re.findall(r"`(\w+)`", row)}
    assert set(exported()) == named


def test_no_secret_of_the_settings_is_in_it(worker: Worker) -> None:
    text = json.dumps(exported())
    assert len(text) > 10_000
    assert settings.SECRET_KEY not in text
    assert settings.BITMART_SECRET_KEY not in text
    assert not re.search(r'"[^"]*(secret|password|token|api_key|memo)[^"]*":', text)


def test_over_the_recorded_market_the_minutes_are_those_of_each_ones_own_explanation(
    archive: Archive, broker: redis.Redis, write_profile: WriteProfile
) -> None:
    by = by_close("plain", "5m 15m", timeframes=dict.fromkeys(["5m", "15m", "1m"], _by_rsi()))
    write_profile(by)
    market = Recorded(archive, ["ETHUSDT"], [profile(by)], broker)
    market.drive(6)
    part_of_export = export("ETHUSDT", market.at, 4 * MINUTE, datetime.now(UTC))["verdicts"]["plain"][
        "minutes"
    ]
    for row in part_of_export[:5]:
        minute = datetime.fromisoformat(row["minute"])
        assert row["live"] == row["replay"] == verdict_decision(explain("ETHUSDT", minute, "plain").verdict)
    assert part_of_export[0]["minute"] == f"{BEGAN + 2 * MINUTE:%Y-%m-%dT%H:%M:%SZ}"


def _by_rsi() -> dict[str, list[str]]:
    return {"long": ["rsi > 50"], "short": ["rsi < 50"]}


# --- the command ---


def test_the_command_writes_a_file_and_says_what_is_in_it(
    worker: Worker, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "a.json"
    call_command("export_symbol", "AUSDT", "2026-03-02 12:02", "--window", "30m", "--out", str(file))
    exported_file = json.loads(file.read_text())
    assert (exported_file["schema"], exported_file["at"], exported_file["from"]) == (
        SCHEMA,
        "2026-03-02T12:02:00Z",
        "2026-03-02T11:32:00Z",
    )
    shown = capsys.readouterr()
    assert shown.out == ""
    assert "of AUSDT from 2026-03-02T11:32:00Z to 2026-03-02T12:33:00Z" in shown.err


def test_without_a_file_the_document_is_all_that_is_on_standard_output(
    worker: Worker, capsys: pytest.CaptureFixture[str]
) -> None:
    capsys.readouterr()
    call_command("export_symbol", "AUSDT", "2026-03-02 12:02")
    assert json.loads(capsys.readouterr().out)["symbol"] == "AUSDT"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["AUSD", "2026-03-02 12:02"], "unknown symbol 'AUSD'; nearest: 'AUSDT'"),
        (["AUSDT", "noon"], "'noon' is not a time"),
        (["AUSDT", "2999-01-01"], "2999-01-01 00:00 UTC is in the future"),
        (["AUSDT", "2026-03-02 12:02", "--window", "long"], "'long' is not a duration"),
        (["AUSDT", "2026-03-02 12:02", "--window", "4d"], "is not between one minute and 3 days"),
        (["AUSDT", "2026-03-02 12:02", "--out", "/nowhere/a.json"], "cannot write /nowhere/a.json"),
    ],
)
def test_an_export_that_cannot_be_made_names_what_is_wrong(
    worker: Worker, arguments: list[str], message: str
) -> None:
    with pytest.raises(CommandError, match=message):
        call_command("export_symbol", *arguments)


def test_a_window_of_nothing_is_refused(worker: Worker) -> None:
    with pytest.raises(BadWindow):
        exported(window=timedelta(seconds=59))
