"""A profile's own indicators: declared, read by formulas, judged like any column, part of the digest."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from apps.engine.evaluate.judgement import minute_judgement, replay
from apps.engine.frame import Frame, Frames
from apps.engine.indicators import extra as bridge
from apps.engine.indicators.columns import features
from apps.engine.indicators.extra_kinds import KINDS, Extra, extra_of_kind, extras_of_columns
from apps.engine.indicators.history import history
from apps.engine.profile import Mode, Profile, ProfileError
from apps.engine.values.reason import Reason
from apps.engine.values.timeframe import Timeframe
from tests.engine.market import UNTIL, walk, windows_of

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "indicators.md"
M5, M15, H1 = Timeframe.M5, Timeframe.M15, Timeframe.H1
TREND = {"kind": "supertrend", "length": 10}
TREND_COLUMN = "supertrend(length=10, multiplier=3.0).supertd"
RSI_COLUMN = "rsi(length=9).rsi"


def content(*long: Any, **changes: Any) -> dict[str, Any]:
    base: dict[str, Any] = {
        "name": "own",
        "validation_mode": "strict",
        "context_timeframes": ["5m"],
        "execution_timeframes": [],
        "indicators": {"st": TREND, "fast": {"kind": "rsi", "length": 9}},
        "timeframes": {"5m": {"long": list(long) or ["st.supertd > 0", "fast.value > 50"]}},
    }
    return base | changes


def load(*long: Any, **changes: Any) -> Profile:
    return Profile.load(content(*long, **changes), {}, "own.yaml")


def faults(*long: Any, **changes: Any) -> str:
    with pytest.raises(ProfileError) as caught:
        load(*long, **changes)
    return "\n".join(caught.value.faults)


def frames(symbols: int, wanted: frozenset[str]) -> Frames:
    whole = windows_of(walk(symbols, 700))
    frame, failed = features(whole, 60, wanted=wanted | {"close"})
    return Frames(
        whole.symbols,
        {M5: frame},
        late={M5: whole.late},
        length={M5: whole.length},
        gap={M5: whole.gap},
        failed={M5: failed},
    )


def test_what_a_profile_needs_is_where_its_rules_read() -> None:
    profile = load("st.supertd > 0", 'on("1h", fast.value[2]) < 70', "rsi < 70")
    assert profile.columns[M5] == {TREND_COLUMN, "rsi"}
    assert profile.extra_columns(M5) == {TREND_COLUMN}
    assert profile.extra_columns(H1) == {RSI_COLUMN}
    assert profile.extra_columns(M15) == frozenset()
    assert load("rsi < 70").extra_columns(M5) == frozenset()


def test_an_extra_may_settle_slowly() -> None:
    assert (load().min_candles(M5), load("rsi < 70").min_candles(M5)) == (600, 250)


@pytest.mark.parametrize(
    "formula",
    [
        "st.supertd > 0",
        "close > st.supert",
        "close[1] <= st.supert[1]",
        "rising(fast.value, 2)",
        "falling(fast.rsi, 3, by=0.1)",
        "crossed_above(close, st.supert, within=3)",
        'on("5m", fast.value) >= fast.value',
        "abs(fast.value - 50) < 100 and not st.supertd > 1",
    ],
)
def test_a_formula_reads_them_as_any_column(formula: str) -> None:
    profile = load(formula)
    judged = frames(2, profile.columns[M5])
    [verdict, _] = [minute_judgement(judged, profile, UNTIL).verdict(symbol) for symbol in judged.symbols]
    [leaf] = verdict.timeframes[0].leaves[:1]
    assert leaf.left is not None
    assert leaf.right is not None
    assert leaf.held is not None


def test_the_numbers_are_the_librarys() -> None:
    profile = load("fast.value > 50", "close > st.supert")
    judged = frames(1, profile.columns[M5])
    leaves = minute_judgement(judged, profile, UNTIL).verdict(judged.symbols[0]).timeframes[0].leaves
    candles = walk(1, 700)[:, 0]
    assert leaves[0].left == bridge.extra_series(candles, extra_of_kind("rsi", {"length": 9}))[0][-1]
    assert leaves[1].right == bridge.extra_series(candles, extra_of_kind("supertrend", {"length": 10}))[0][-1]


def test_definitions_may_name_them() -> None:
    profile = load("uptrend", definitions={"uptrend": ["st.supertd > 0"]})
    assert profile.extra_columns(M5) == {TREND_COLUMN}


def test_a_column_knows_its_indicator() -> None:
    for extra in (
        extra_of_kind("supertrend", {"length": 7}),
        extra_of_kind("hl2", {}),
        extra_of_kind("t3", {"a": 0.1}),
    ):
        assert extras_of_columns([*extra.columns, "close", "r1"]) == (extra,)


def test_the_digest_holds_what_decides() -> None:
    digest = load().digest
    written_out = content()["indicators"] | {"st": {**TREND, "multiplier": 3.0}}
    unread = content()["indicators"] | {"idle": {"kind": "cci"}}
    longer = content()["indicators"] | {"st": {"kind": "supertrend", "length": 11}}
    assert load(indicators=written_out).digest == digest
    assert load(indicators=unread).digest == digest
    assert load(indicators=longer).digest != digest


def test_the_content_loads_again() -> None:
    profile = load()
    again = Profile.load({k: v for k, v in profile.content.items() if k != "conditions"}, {}, "again")
    assert (again.digest, again.columns) == (profile.digest, profile.columns)
    assert profile.with_mode(Mode.PRAGMATIC).extra_columns(M5) == profile.extra_columns(M5)


def test_a_profile_without_indicators_has_no_such_section_in_its_content() -> None:
    assert "indicators" not in load("rsi < 70").content


@pytest.mark.parametrize(
    ("indicators", "says"),
    [
        (
            {"st": {"kind": "supertrned"}},
            "indicators.st.kind: unknown kind 'supertrned'; nearest: 'supertrend'",
        ),
        ({"st": {"kind": "dpo"}}, "indicators.st.kind: unknown kind 'dpo'"),
        ({"st": {"kind": 3}}, "unknown kind '3'"),
        (
            {"st": {"kind": "supertrend", "lenght": 3}},
            "indicators.st.lenght: unknown parameter; nearest: 'length'; supertrend takes length, multiplier",
        ),
        ({"st": {"kind": "hl2", "length": 3}}, "unknown parameter; hl2 takes no parameters"),
        ({"st": {"kind": "rsi", "offset": -5}}, "indicators.st.offset: unknown parameter"),
        ({"st": {"kind": "rsi", "talib": True}}, "indicators.st.talib: unknown parameter"),
        ({"st": {"kind": "rsi", "length": 14.0}}, "indicators.st.length: '14.0' is not a whole number 2…200"),
        ({"st": {"kind": "rsi", "length": True}}, "'True' is not a whole number"),
        ({"st": {"kind": "rsi", "length": 201}}, "'201' is not a whole number 2…200"),
        ({"st": {"kind": "bbands", "std": 0}}, "indicators.st.std: '0' is not a number between 0 and 1000"),
        ({"st": {"kind": "bbands", "std": float("nan")}}, "'nan' is not a number between"),
        ({"st": {"kind": "bbands", "std": "2"}}, "'2' is not a number between"),
        ({"st": {"kind": "quantile", "q": 1.0}}, "'1.0' is not a number between 0 and 1"),
        ({"st": {"length": 3}}, "indicators.st: an indicator is a mapping with a kind"),
        ({"st": "supertrend"}, "indicators.st: an indicator is a mapping with a kind"),
        ({"rsi": {"kind": "cci"}}, "indicators.rsi: an indicator's name is"),
        ({"a b": {"kind": "cci"}}, "indicators.a b: an indicator's name is"),
        ({3: {"kind": "cci"}}, "indicators.3: an indicator's name is"),
        ([], "indicators: indicators is a mapping"),
        ({f"i{n}": {"kind": "cci"} for n in range(21)}, "indicators: 21 indicators; at most 20"),
    ],
)
def test_a_bad_declaration_is_refused_with_its_place(indicators: Any, says: str) -> None:
    assert says in faults("rsi < 70", indicators=indicators)


@pytest.mark.parametrize(
    ("formula", "says"),
    [
        ("ts.supert > 0", "unknown indicator 'ts'; nearest: 'st'; declared under indicators: st, fast"),
        ("st.supertrend > 0", "supertrend has no column 'supertrend'; nearest: 'supert"),
        ("st.value > 0", "it has st.supert, st.supertd, st.supertl, st.superts"),
        ("st.__class__ > 0", "supertrend has no column '__class__'"),
        ("st > 0", "unknown column 'st'"),
        ("st.supert.real > 0", "a number, column"),
        ("st.supert[60] > 0", "a whole number 0…59"),
        ("rising(st.supert[30], 30)", "looked back"),
    ],
)
def test_a_bad_use_is_refused_with_the_nearest_name(formula: str, says: str) -> None:
    assert "timeframes.5m.long[0]: column" in faults(formula)
    assert says in faults(formula)


def test_a_catalogue_condition_cannot_name_them() -> None:
    catalogue = {"up": {"formula": "st.supertd > 0"}}
    with pytest.raises(ProfileError, match=r"conditions.yaml: up.formula: .*unknown indicator 'st'"):
        Profile.load(content("up"), catalogue, "own.yaml")


def test_who_raises_is_an_indicator_error_and_only_where_it_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    honest, poison = bridge.extra_series, float(walk(3, 700)[3, 1, 0])

    def fails(candles: np.ndarray, extra: Extra) -> tuple[np.ndarray, ...]:
        if extra.kind == "supertrend" and candles[3, 0] == poison:
            raise FloatingPointError("poison")
        return honest(candles, extra)

    monkeypatch.setattr(bridge, "extra_series", fails)
    reads, other = load("st.supertd > -2"), load("fast.value >= 0")
    judged = frames(3, reads.columns[M5] | other.columns[M5])
    reasons = [minute_judgement(judged, reads, UNTIL).timeframes[0].reason[row] for row in range(3)]
    assert reasons == [None, Reason.INDICATOR_ERROR, None]
    assert [minute_judgement(judged, other, UNTIL).timeframes[0].reason[row] for row in range(3)] == [
        None
    ] * 3


def test_a_frame_without_them_is_a_fault_that_names_the_column() -> None:
    judged = frames(1, frozenset())
    with pytest.raises(LookupError, match=r"supertrend\(length=10, multiplier=3.0\).supertd of 5m"):
        minute_judgement(judged, load("st.supertd > 0"), UNTIL)


def test_a_history_begins_them_anew_after_a_hole() -> None:
    candles = walk(1, 900)
    candles[:, :, 300] = np.nan
    whole = windows_of(candles)
    frame: Frame = history({M5: whole}, {M5: {RSI_COLUMN}}).frames[M5]
    extra = extra_of_kind("rsi", {"length": 9})
    after = bridge.extra_series(candles[:, 0, 301:], extra)[0]
    assert np.array_equal(frame.columns[RSI_COLUMN][0, 301:], after, equal_nan=True)
    assert np.isnan(frame.columns[RSI_COLUMN][0, 300])
    before = bridge.extra_series(candles[:, 0, :300], extra)[0]
    assert np.array_equal(frame.columns[RSI_COLUMN][0, :300], before, equal_nan=True)


def test_the_past_is_judged_as_the_live_minute_was() -> None:
    profile = load("st.supertd > 0", "rising(fast.value, 1)", "crossed_above(close, st.supert, within=5)")
    candles = walk(1, 2_400, seed=3)
    whole = windows_of(candles)
    frames_then = history({M5: whole}, profile.columns)
    replayed = replay(frames_then, profile, whole.close_ms)
    outcomes = set()
    for end in range(1_000, 2_401, 35):
        until = whole.until - (candles.shape[2] - end) * M5.duration
        window = windows_of(candles[:, :, end - 990 : end], M5, until)
        frame, failed = features(window, 60, wanted=profile.columns[M5])
        live = Frames(
            window.symbols,
            {M5: frame},
            late={M5: window.late},
            length={M5: window.length},
            gap={M5: window.gap},
            failed={M5: failed},
        )
        now = minute_judgement(live, profile, until).verdict(window.symbols[0])
        then = replayed.verdict(end - 1)
        assert (now.side, now.reason, now.is_ready) == (then.side, then.reason, then.is_ready)
        outcomes.add(now.timeframes[0].outcome)
    assert len(outcomes) == 2


def test_rows_of_an_earlier_frame_keep_theirs_when_others_are_computed_anew() -> None:
    whole = windows_of(walk(3, 300))
    earlier, _ = features(whole, 5, wanted={RSI_COLUMN})
    before = earlier.columns[RSI_COLUMN].copy()
    moved = windows_of(walk(3, 300, seed=2))
    into = dict(earlier.columns)
    later, _ = features(moved, 5, rows=[1], into=into, wanted={RSI_COLUMN})
    assert np.array_equal(later.columns[RSI_COLUMN][[0, 2]], before[[0, 2]])
    assert not np.array_equal(later.columns[RSI_COLUMN][1], before[1])


def test_the_documented_kinds_are_the_kinds() -> None:
    rows = [
        tuple(cell.strip() for cell in line.split("|")[1:-1])
        for line in DOCUMENT.read_text("utf-8").splitlines()
        if line.startswith("| ") and not line.startswith("| kind")
    ]
    assert rows == [
        (
            name,
            ", ".join(f"{parameter} {default:g}" for parameter, default in kind.params.items()) or "–",
            " ".join(kind.columns),
        )
        for name, kind in KINDS.items()
    ]


def test_the_documented_example_loads() -> None:
    [text] = re.findall(r"```yaml\n(.*?)```", DOCUMENT.read_text("utf-8"), re.DOTALL)
    profile = Profile.load(content() | yaml.safe_load(text), {}, "docs")
    assert profile.extra_columns(M5) == {TREND_COLUMN, TREND_COLUMN.removesuffix("d"), "rsi(length=9).rsi"}
    assert profile.extra_columns(H1) == {TREND_COLUMN}
