"""What machines read: every number exact, every key documented."""

from __future__ import annotations

import csv
import io
import json
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from apps.backtest.export import COLUMNS, summary, to_plain, trade_csv
from apps.backtest.headline import BacktestResult
from apps.backtest.outcome import Outcome
from apps.backtest.statistics import statistics
from apps.engine.values.reason import Reason
from tests.backtest.outcome_builder import D, day, outcome, trade, unfilled


def rows(*outcomes: Outcome) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(trade_csv(outcomes))))


def summary_of(*outcomes: Outcome) -> dict[str, Any]:
    result = summary(
        [BacktestResult(each, statistics(each)) for each in outcomes], source="files", pessimistic=True
    )
    again: dict[str, Any] = json.loads(json.dumps(result, allow_nan=False))
    assert again == result
    return result


def test_a_row_says_everything_of_its_trade_exactly() -> None:
    sent = trade("5.123456789", fees=D("0.10"), funding=D("-0.02"), size=D("2.5"))
    (row,) = rows(outcome(sent))
    assert list(row) == list(COLUMNS)
    assert (row["symbol"], row["side"], row["exit"]) == ("BTCUSDT", "long", "target")
    assert (row["opened_at"], row["closed_at"]) == ("2026-03-01T12:00:00Z", "2026-03-01T13:00:00Z")
    assert row["holding_s"] == "3600"
    assert Decimal(row["net_usdt"]) == sent.net == D("5.003456789")
    assert Decimal(row["gross_usdt"]) - Decimal(row["fees_usdt"]) + Decimal(row["funding_usdt"]) == sent.net
    assert Decimal(row["r_multiple"]) == sent.net / Decimal(row["risk_usdt"])
    assert row["notional_usdt"] == "125"


def test_rows_stand_in_the_order_of_opening_profile_after_profile() -> None:
    csv_rows = rows(
        outcome(trade(5, 2), trade(5, 1, symbol="ETHUSDT")), outcome(trade(5, 0.5), profile="regular")
    )
    assert [(row["profile"], row["symbol"]) for row in csv_rows] == [
        ("scalper_micro", "ETHUSDT"),
        ("scalper_micro", "BTCUSDT"),
        ("regular", "BTCUSDT"),
    ]


def test_without_trades_the_file_still_names_its_columns() -> None:
    assert trade_csv([outcome()]) == ",".join(COLUMNS) + "\n"


def test_the_object_tells_the_run_and_each_profile() -> None:
    result = summary_of(
        outcome(trade(5), unfilled=(unfilled(),), refusals={Reason.SYMBOL_LOCKED: 2}, verdicts={"READY": 7})
    )
    (profile,) = result.pop("profiles")
    assert result == {
        "source": "files",
        "pessimistic": True,
        "start": "2026-03-01T00:00:00Z",
        "end": "2026-03-05T00:00:00Z",
        "symbols": ["BTCUSDT", "ETHUSDT"],
        "equity_usdt": "1000",
        "candles_1m": 11520,
    }
    assert profile["digest"] == "d" * 64
    assert profile["orders"] == {"sent": 2, "filled": 1, "unfilled": {"EXPIRED": 1}}
    assert profile["refusals"] == {"symbol_locked": 2}
    assert profile["verdicts"] == {"READY": 7}
    assert profile["equity_curve"][-1] == {
        "at": "2026-03-05T00:00:00Z",
        "balance_usdt": "1005",
        "equity_usdt": "1005",
    }
    assert profile["trade_list"][0]["net_usdt"] == "5"


def test_what_is_unknown_is_null() -> None:
    profile = summary_of(outcome())["profiles"][0]
    assert profile["trades"]["win_rate_pct"] is None
    assert profile["trades"]["mean_holding_s"] is None
    assert profile["equity"]["sharpe"] is None
    assert profile["equity"]["max_drawdown"] is None
    assert profile["trades"]["net_usdt"] == "0"


def test_parts_have_the_same_keys_as_the_whole() -> None:
    profile = summary_of(outcome(trade(5), trade(-5, 1, symbol="ETHUSDT")))["profiles"][0]
    assert set(profile["by"]) == {"symbol", "side", "exit", "month"}
    assert profile["by"]["symbol"]["ETHUSDT"].keys() == profile["trades"].keys()


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (D("1E+3"), "1000"),
        (D("0.10"), "0.1"),
        (D("-0"), "0"),
        (D("0.00001234"), "0.00001234"),
        (D(1) / 3, "0.333333333333"),
        (day(0.5), "2026-03-01T12:00:00Z"),
        (day(0.5) + timedelta(milliseconds=900), "2026-03-01T12:00:00.900Z"),
        (None, None),
    ],
)
def test_values_become_plain(value: object, text: object) -> None:
    assert to_plain(value) == text


def test_what_has_no_plain_form_is_refused() -> None:
    with pytest.raises(TypeError, match="set has no plain form"):
        to_plain(set())
