"""What blocks most, counted over stored candles."""

from __future__ import annotations

import json
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import redis
from django.core.management import CommandError, call_command

from apps.audit import trade_events
from apps.engine import events
from apps.engine.profile import Phase, Profile
from apps.engine.values.position import Side
from apps.engine.values.reason import Reason
from apps.exchange.simulator.market.archive import Archive
from apps.insight.condition_report import ConditionCount, Report, condition_report
from apps.insight.decision import past_decisions
from apps.insight.explanation import explain
from apps.insight.replay import past_judgement
from apps.market import store
from tests.live.conftest import WriteProfile
from tests.live.desk import by_close, profile
from tests.live.market import AT, LONG, M1, M5, MINUTE, NEUTRAL, SHORT, candle, fill, push, run_of
from tests.live.recorded import BEGAN, Recorded
from tests.live.screen import shown

pytestmark = pytest.mark.django_db

HIGH, NEAR = "close > 100", "high < 103"
"""Both hold at a close of 101, only the first at 105, only the second at 99."""
FAR = "105"


def two_items(name: str = "plain") -> dict[str, Any]:
    """Long on both timeframes by both items; short never; on 1m with a filter that always holds."""
    sides = {"long": [HIGH, NEAR]}
    filters = {"1m": {"long": [{"any_of": ["close > 0", "rsi > 200"]}]}}
    return by_close(name, "5m", timeframes=dict.fromkeys(["5m", "1m"], sides), filters_mandatory=filters)


@pytest.fixture
def closes() -> list[str]:
    """1m closes of the ten minutes from AT on, the first at AT itself."""
    return [LONG, FAR, SHORT, FAR, LONG, SHORT, FAR, LONG, LONG, NEUTRAL]


@pytest.fixture
def stored(closes: list[str]) -> None:
    """AUSDT by `closes`; BUSDT always long. On 5m both are long, and AUSDT neither from 12:05 on."""
    fill(["AUSDT", "BUSDT"], [M1, M5], AT - MINUTE)
    store.save_candles([candle(symbol, M5, AT) for symbol in ("AUSDT", "BUSDT")])
    for n, close in enumerate(closes):
        push("AUSDT", AT + n * MINUTE, close)
        push("BUSDT", AT + n * MINUTE)
    store.save_candles([candle("AUSDT", M5, AT + 5 * MINUTE, FAR), candle("BUSDT", M5, AT + 5 * MINUTE)])


def counted(*symbols: str, by: Profile | None = None, **options: Any) -> Report:
    names = symbols or ("AUSDT", "BUSDT")
    return condition_report(by or profile(two_items()), names, AT, AT + 10 * MINUTE, **options)


def numbers(count: ConditionCount) -> tuple[str, str, int, int, int, int]:
    return (
        f"{count.timeframe} {count.phase}",
        count.item,
        count.evaluated,
        count.held,
        count.unknown,
        count.only_missing,
    )


GROUP = "any_of[close > 0, rsi > 200]"


def test_each_item_is_counted_over_the_candles_of_its_own_timeframe_and_by_how_often_it_alone_was_missing(
    stored: None,
) -> None:
    assert [numbers(each) for each in counted("AUSDT").conditions] == [
        ("1m execution", HIGH, 10, 7, 0, 3),
        ("1m execution", NEAR, 10, 7, 0, 3),
        ("5m context", NEAR, 2, 1, 0, 1),
        ("5m context", HIGH, 2, 2, 0, 0),
        ("1m execution", GROUP, 10, 10, 0, 0),
    ]


def test_the_leaves_of_a_group_are_counted_each(stored: None) -> None:
    [group] = [each for each in counted("AUSDT").conditions if each.item == GROUP]
    assert group.role == "filter"
    assert [(leaf.text, leaf.held) for leaf in group.leaves] == [("close > 0", 10), ("rsi > 200", 0)]


def test_symbols_add_up_or_stay_apart(stored: None) -> None:
    together, apart = counted(), counted(by_symbol=True)
    [of_all] = [row for row in together.conditions if (row.timeframe, row.item) == (M1, NEAR)]
    of_symbol = {row.symbol: row for row in apart.conditions if (row.timeframe, row.item) == (M1, NEAR)}
    assert (of_all.evaluated, of_all.held, of_all.only_missing) == (20, 17, 3)
    assert (of_symbol["AUSDT"].only_missing, of_symbol["BUSDT"].only_missing) == (3, 0)
    assert together.decisions == apart.decisions == counted("AUSDT").decisions + counted("BUSDT").decisions
    assert (
        sum(each.minutes for each in together.timeframes)
        == sum(each.minutes for each in apart.timeframes)
        == 40
    )


def test_the_timeframe_that_was_in_the_way_is_counted_by_minutes(stored: None) -> None:
    """5m is long for five minutes; in these 1m fails to be three times."""
    report = {each.phase: each for each in counted("AUSDT").timeframes}
    context, execution = report[Phase.CONTEXT], report[Phase.EXECUTION]
    assert (context.long, context.neutral, context.blocked, context.alone) == (5, 5, 5, 5)
    assert (execution.long, execution.blocked, execution.alone) == (4, 3, 3)
    assert counted("AUSDT").decisions == Counter(
        pragmatic_context_all_neutral=5, execution_side_mismatch=3, READY=2
    )


def test_one_timeframe_may_be_asked_for_alone(stored: None) -> None:
    assert {each.timeframe for each in counted(timeframe=M5).conditions} == {M5}


def test_candles_that_cannot_be_judged_are_told_apart_from_those_that_were(stored: None) -> None:
    """CUSDT has enough candles on 5m only from 12:05 on."""
    fill(["CUSDT"], [M1], AT - MINUTE)
    for n in range(10):
        push("CUSDT", AT + n * MINUTE)
    store.save_candles(run_of("CUSDT", M5, AT + 5 * MINUTE))
    report = counted("CUSDT")
    assert report.unjudged == Counter({"5m context not_enough_klines": 1})
    assert {each.evaluated for each in report.conditions if each.timeframe == M5} == {1}
    assert report.decisions["pragmatic_context_has_invalid_timeframes"] == 5


def test_what_is_unknown_neither_holds_nor_fails(stored: None) -> None:
    sides = {"long": ["close / (close - close) > 1", HIGH]}
    by = profile(by_close("plain", "5m", timeframes=dict.fromkeys(["5m", "1m"], sides)))
    [unknown] = [each for each in counted("BUSDT", by=by, timeframe=M1).conditions if "/" in each.item]
    assert (unknown.evaluated, unknown.held, unknown.unknown, unknown.only_missing) == (10, 0, 10, 10)


def test_refusals_after_ready_are_counted_by_reason_from_the_trade_events(stored: None) -> None:
    refused = [
        refusal("AUSDT", Reason.COOLDOWN_ACTIVE, 1),
        refusal("AUSDT", Reason.COOLDOWN_ACTIVE, 2),
        refusal("BUSDT", Reason.SPREAD_TOO_WIDE, 3),
        refusal("AUSDT", Reason.COOLDOWN_ACTIVE, 10),
        refusal("AUSDT", Reason.COOLDOWN_ACTIVE, 1, by="other"),
    ]
    trade_events.save_events("simulator:live", refused, None)
    assert counted().refusals == Counter(cooldown_active=2, spread_too_wide=1)
    assert counted("BUSDT").refusals == Counter(spread_too_wide=1)


def refusal(symbol: str, reason: Reason, minute: int, by: str = "plain") -> events.PlanRefused:
    return events.PlanRefused(
        symbol=symbol,
        at=AT + minute * MINUTE,
        profile=by,
        side=Side.LONG,
        timeframe=M1,
        decision_key=f"{by}|{symbol}",
        reason=reason,
        numbers={},
    )


def test_over_the_recorded_market_the_counts_are_those_of_each_minutes_own_explanation(
    archive: Archive, broker: redis.Redis, write_profile: WriteProfile
) -> None:
    """Each minute judged alone, by the live steps, against the one pass over all of them."""
    write_profile(two_sided())
    market = Recorded(archive, ["ETHUSDT"], [], broker)
    market.drive(15)
    start, end = BEGAN + MINUTE, market.at + MINUTE
    report = condition_report(profile(two_sided()), ["ETHUSDT"], start, end)
    explanations = [explain("ETHUSDT", start + n * MINUTE, "sides") for n in range(15)]
    alone = Counter(
        (str(part.side), part.missing[0])
        for explanation in explanations
        for part in explanation.missing
        if part.timeframe == M1 and len(part.missing) == 1
    )
    assert alone
    assert alone == Counter(
        {(str(each.side), each.item): each.only_missing for each in report.conditions if each.timeframe == M1}
    )
    assert report.decisions.total() == 15
    assert Counter(
        word.split()[0]
        for word in past_decisions(past_judgement("ETHUSDT", profile(two_sided()), start, end))
    ) == Counter(report.decisions)


def two_sided() -> dict[str, Any]:
    sides = {
        "long": ["rsi > 50", "close > ema9", {"any_of": ["macd_hist > 0", "rising(close, 2)"]}],
        "short": ["rsi < 50", "close < ema9", "volume_ratio > 0.8"],
    }
    return by_close("sides", "5m", timeframes=dict.fromkeys(["5m", "1m"], sides))


# --- the command ---

COMMAND = ["condition_report", "--since", "2026-03-02 12:00", "--until", "2026-03-02 12:10"]


@pytest.fixture
def written(stored: None, write_profile: WriteProfile) -> None:
    write_profile(two_items())


@pytest.mark.parametrize("columns", [80, 140])
def test_the_command_shows_what_blocks_most_first(
    written: None, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, columns: int
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    lines = shown(capsys, *COMMAND, "--symbols", "AUSDT").splitlines()
    assert max(map(len, lines)) <= columns
    text = "\n".join(lines)
    rows = [[cell.strip() for cell in line.split("│")[1:-1]] for line in lines if "│" in line]
    assert rows[0] == ["1m execution long", "10", "70.0 %", "·", "3"]
    assert rows[1][0] == HIGH
    group = [row[0] for row in rows].index(GROUP)
    assert group > 5
    assert rows[group + 1 : group + 3] == [
        ["· close > 0", "", "100.0 %", "·", ""],
        ["· rsi > 200", "", "0.0 %", "1", ""],  # until the first close that moved there is no RSI
    ]
    assert "Nothing was refused after READY" in text


def test_the_command_shows_as_many_conditions_as_asked_for_and_says_how_many_more_there_are(
    written: None, capsys: pytest.CaptureFixture[str]
) -> None:
    text = shown(capsys, *COMMAND, "--symbols", "AUSDT", "--top", "2")
    assert "3 conditions more: --top or --json" in text
    assert GROUP not in text


def test_for_machines_the_command_writes_everything_as_one_object_a_profile(
    written: None, capsys: pytest.CaptureFixture[str]
) -> None:
    [line] = shown(capsys, *COMMAND, "--symbols", "AUSDT,BUSDT", "--by-symbol", "--json").splitlines()
    report = json.loads(line)
    assert (report["profile"], report["symbols"]) == ("plain", ["AUSDT", "BUSDT"])
    assert (report["since"], report["until"]) == ("2026-03-02T12:00:00+00:00", "2026-03-02T12:10:00+00:00")
    assert len(report["conditions"]) == 10
    first = report["conditions"][0]
    assert (first["symbol"], first["item"], first["only_missing"]) == ("AUSDT", HIGH, 3)
    assert report["decisions"]["READY"] == 12


def test_without_symbols_the_command_reports_each_profiles_own_universe(
    stored: None, write_profile: WriteProfile, capsys: pytest.CaptureFixture[str]
) -> None:
    write_profile(by_close("plain", "5m"))
    write_profile(by_close("narrow", "5m", universe={"top_n": 1}))
    reports = [json.loads(line) for line in shown(capsys, *COMMAND, "--json").splitlines()]
    assert {report["profile"]: report["symbols"] for report in reports} == {
        "plain": ["AUSDT", "BUSDT"],
        "narrow": ["AUSDT"],
    }


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["--since", "2025-01-01", "--until", "2025-01-02"],
            "no 1m candle of AUSDT is stored between 2025-01-01",
        ),
        (["--since", "yesterday"], "'yesterday' is not a time"),
        (["--since", "2026-03-03"], "2026-03-03 00:00 is not before 2026-03-02 12:10 UTC"),
        (["--symbols", "XUSDT"], "unknown symbol 'XUSDT'"),
        (["--profile", "plan"], "unknown profile 'plan': there are plain"),
        (["--until", f"{datetime.now(UTC) + timedelta(days=2):%Y-%m-%d}"], "is in the future"),
    ],
)
def test_a_report_that_cannot_be_given_names_what_is_wrong(
    written: None, arguments: list[str], message: str
) -> None:
    with pytest.raises(CommandError, match=message):
        call_command(*COMMAND, "--symbols", "AUSDT", *arguments)
