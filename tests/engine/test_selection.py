"""Which candidate is entered on: stay, drop and forbid at the timeframe under test, and what is seen."""

from __future__ import annotations

import itertools
import json
from typing import Any

import numpy as np
import pytest

from apps.engine.cycle import evaluate
from apps.engine.evaluate.agreement import is_dropped, selected_index
from apps.engine.evaluate.judgement import MinuteJudgement
from apps.engine.evaluate.outcome import Outcome, reasons
from apps.engine.evaluate.verdict import Verdict
from apps.engine.frame import Frame
from apps.engine.profile import Profile, ProfileError, Selection
from apps.engine.rules.rule_input import RuleInput
from apps.engine.values.reason import Reason
from apps.engine.values.timeframe import Timeframe
from tests.engine.frame_builder import AT, H1, M1, M5, M15, NAN, frame, one, whole

L, S, N, X = Outcome.LONG, Outcome.SHORT, Outcome.NEUTRAL, Outcome.INVALID
VALUES = {1: 80.0, 0: NAN, -1: 20.0}
"""What makes `column > 50` true, unknown, false."""

SELECTION = {
    "stay_on_if": ["rsi > 50"],
    "drop_to_lower_if_any": ["adx > 50"],
    "forbid_drop_to_lower_if_any": ["atr > 50"],
}


def view(stay: int, drop: int, forbid: int) -> RuleInput:
    return RuleInput(one(M15, rsi=VALUES[stay], adx=VALUES[drop], atr=VALUES[forbid]), M15)


@pytest.mark.parametrize(("stay", "drop", "forbid"), list(itertools.product((-1, 0, 1), repeat=3)))
def test_only_what_is_known_to_drop_drops(stay: int, drop: int, forbid: int) -> None:
    dropped = is_dropped(Selection.model_validate(SELECTION), view(stay, drop, forbid))
    assert dropped.tolist() == [[(stay, drop, forbid) == (-1, 1, -1)]]


@pytest.mark.parametrize(
    ("stay", "dropped"), [(["rsi > 50", "adx < 90"], False), (["rsi > 50", "adx < 60"], True)]
)
def test_all_of_stay_must_hold_and_any_of_drop_and_forbid(stay: list[str], dropped: bool) -> None:
    selection = {
        "stay_on_if": stay,
        "drop_to_lower_if_any": ["rsi < 50", "adx > 50"],
        "forbid_drop_to_lower_if_any": ["rsi < 50", "adx > 90"],
    }
    looked = RuleInput(one(M15, rsi=80, adx=80), M15)
    assert is_dropped(Selection.model_validate(selection), looked).item() is dropped
    selection["forbid_drop_to_lower_if_any"] = ["rsi < 50", "adx > 70"]
    assert is_dropped(Selection.model_validate(selection), looked).item() is False


WALK = [
    # outcomes slowest first, who is left, the context's side, the index chosen or a reason
    ((L, L), (False, False), L, 0),
    ((L, L), (True, False), L, 1),
    ((L, S, L), (True, False, False), L, 2),
    ((L, N, X), (True, False, False), L, Reason.NO_TIMEFRAME_SELECTED),
    ((L, L), (True, True), L, Reason.NO_TIMEFRAME_SELECTED),
    ((S, L), (True, True), L, Reason.NO_TIMEFRAME_SELECTED),
    ((S, N), (True, True), L, Reason.EXECUTION_SIDE_MISMATCH),
    ((S, S), (None, True), S, 0),
    ((L, S), (None, True), S, Reason.NO_TIMEFRAME_SELECTED),
    ((L, L), (True, True), N, None),
]


@pytest.mark.parametrize(("outcomes", "dropped", "side", "expected"), WALK)
def test_the_walk_goes_from_the_slowest_candidate_to_the_fastest(
    outcomes: tuple[Outcome, ...],
    dropped: tuple[bool | None, ...],
    side: Outcome,
    expected: int | Reason | None,
) -> None:
    chosen, reason = selected_index(
        [np.array([each], np.int8) for each in outcomes],
        np.array([side], np.int8),
        [None if left is None else np.array([left]) for left in dropped],
    )
    selected = int(chosen[0]), reasons(reason)[0]
    assert selected == ((expected, None) if isinstance(expected, int) else (-1, expected))


def test_the_choice_is_that_of_a_person_walking() -> None:
    rng = np.random.default_rng(7)
    outcomes = rng.choice(np.array([-1, 0, 1, 2], np.int8), (3, 4000))
    side = rng.choice(np.array([-1, 0, 1], np.int8), 4000)
    left = rng.integers(0, 2, (3, 4000)).astype(bool)
    chosen, reason = selected_index(list(outcomes), side, list(left))
    for row, why in enumerate(reasons(reason)):
        assert (chosen[row], why) == _walked(outcomes[:, row], int(side[row]), left[:, row])


def _walked(outcomes: Any, side: int, left: Any) -> tuple[int, Reason | None]:
    candidates = [index for index, outcome in enumerate(outcomes) if side and outcome == side]
    for index in candidates:
        if not left[index]:
            return index, None
    if not side:
        return -1, None
    return -1, Reason.NO_TIMEFRAME_SELECTED if candidates else Reason.EXECUTION_SIDE_MISMATCH


CONTENT: dict[str, Any] = {
    "name": "tiny",
    "validation_mode": "pragmatic",
    "context_timeframes": ["1h"],
    "execution_timeframes": ["15m", "5m"],
    "timeframes": {
        "1h": {"long": ["rsi > 50"], "short": ["rsi < 50"]},
        "15m": {"long": ["close > ema9"], "short": ["close < ema9"]},
        "5m": {"long": ["close > ema9"]},
    },
    "selection": {"15m": {"drop_to_lower_if_any": ["wild", "spread_bps > 8"]}},
}
CONDITIONS = {
    "wild": {"params": {"bps": 130}, "formula": 'on("15m", atr) / close * 10000 > bps'},
    "wide": {"formula": "entry_zone_width_pct > 1"},
}


def load(**changes: Any) -> Profile:
    return Profile.load(CONTENT | changes, CONDITIONS, "tiny.yaml")


def judged(slow: dict[str, Any], fast: dict[str, Any], profile: Profile | None = None) -> MinuteJudgement:
    """A context that is long, 15m with `slow` and 5m with `fast` columns of one symbol."""
    shown = whole(
        frame(H1, {"rsi": [60.0]}),
        frame(M15, {name: [value] for name, value in slow.items()}),
        frame(M5, {name: [value] for name, value in fast.items()}),
    )
    [judgement] = evaluate(shown, [profile or load()], at=AT)
    return judgement


UP, CALM, WILD = {"close": 100, "ema9": 99}, {"atr": 1.3}, {"atr": 1.31}
DOWN = {"close": 98, "ema9": 99}


@pytest.mark.parametrize(
    ("slow", "fast", "entered", "reason"),
    [
        (UP | CALM, UP, M15, None),
        (UP | WILD, UP, M5, None),
        (UP | WILD, DOWN, None, Reason.NO_TIMEFRAME_SELECTED),
        (DOWN | WILD, UP, M5, None),
        (DOWN | WILD, DOWN, None, Reason.EXECUTION_SIDE_MISMATCH),
        (UP, UP, M15, None),
        (UP | {"spread_bps": 8.1}, UP, M5, None),
        (UP | {"spread_bps": 8.0}, UP, M15, None),
    ],
)
def test_a_profile_goes_to_the_faster_timeframe_when_the_slower_one_is_wild(
    slow: dict[str, Any], fast: dict[str, Any], entered: Timeframe | None, reason: Reason | None
) -> None:
    verdict = judged(slow, fast).verdict("BTCUSDT")
    assert (verdict.execution_timeframe, verdict.reason) == (entered, reason)


def test_a_person_sees_why_a_timeframe_was_left() -> None:
    verdict = judged(UP | WILD, UP).verdict("BTCUSDT")
    leaves = [leaf for part in verdict.timeframes for leaf in part.leaves if leaf.side is None]
    assert [(leaf.role, leaf.condition, leaf.left, leaf.right, leaf.held) for leaf in leaves] == [
        ("drop", "wild", pytest.approx(131), 130, True),
        ("drop", "", None, 8, None),
    ]
    assert Verdict.from_json(json.loads(json.dumps(verdict.to_json()))) == verdict


def test_what_the_selection_asks_neither_scores_nor_is_missed() -> None:
    plain = load(selection={})
    for slow, fast in ((UP | CALM, UP), (UP | WILD, UP)):
        assert judged(slow, fast).score.tolist() == [1.0]
    blind = judged({"ema9": 99}, DOWN).verdict("BTCUSDT").timeframes[1]
    assert (blind.reason, blind.missing) == (Reason.MISSING_DATA, ("close",))
    assert judged(UP | CALM, UP, plain).verdict("BTCUSDT").timeframes[1].score == 1.0


def test_a_moment_of_the_past_is_dropped_as_it_was_live() -> None:
    rng = np.random.default_rng(5)
    columns = {name: rng.choice([20.0, 80.0, NAN], (1, 50)) for name in ("rsi", "adx", "atr")}
    selection = Selection.model_validate(SELECTION)
    over_time = is_dropped(selection, RuleInput({M15: Frame(M15, _closes(50), columns)}, M15, rows=50))[0]
    for end in range(1, 51):
        cut = {name: values[:, :end] for name, values in columns.items()}
        live = is_dropped(selection, RuleInput({M15: Frame(M15, _closes(50)[:end], cut)}, M15))
        assert live.item() == over_time[end - 1]
    assert set(over_time.tolist()) == {True, False}


def _closes(count: int) -> Any:
    return np.arange(1, count + 1, dtype=np.int64) * M15.ms


def faults(**changes: Any) -> list[str]:
    with pytest.raises(ProfileError) as caught:
        load(**changes)
    return [line.removeprefix("tiny.yaml: ") for line in caught.value.faults]


def rule(**lists: Any) -> dict[str, Any]:
    return {"selection": {"15m": lists}}


KNOWN_ONLY = "is known only to the selection of a profile with an entry section"


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        (
            rule(drop_to_lower_if_an=["wild"]),
            "selection.15m.drop_to_lower_if_an: unknown key; nearest: 'drop_to_l",
        ),
        (rule(stay_on_if=["wild"]), "selection.15m.drop_to_lower_if_any: missing"),
        (rule(drop_to_lower_if_any=[]), "selection.15m.drop_to_lower_if_any: empty"),
        (rule(drop_to_lower_if_any=["wild"], stay_on_if=[]), "selection.15m.stay_on_if: empty"),
        (
            rule(drop_to_lower_if_any=["wlid"]),
            "selection.15m.drop_to_lower_if_any[0]: unknown condition 'wlid'; nea",
        ),
        (rule(drop_to_lower_if_any=["wild", "rsi >"]), "selection.15m.drop_to_lower_if_any[1]: column"),
        (
            rule(drop_to_lower_if_any="wild"),
            "selection.15m.drop_to_lower_if_any: a list of items is expected",
        ),
        (
            rule(drop_to_lower_if_any=["wide"]),
            "selection.15m.drop_to_lower_if_any[0].wide: column 1: entry_zone_w",
        ),
        (
            {"selection": {"1h": {"drop_to_lower_if_any": ["wild"]}}},
            "selection.1h: never asked: the timeframe is not",
        ),
        ({"selection": {"15": {"drop_to_lower_if_any": ["wild"]}}}, "selection.15: '15' is not one of"),
        ({"selection": ["wild"]}, "selection: Input should be a valid dictionary"),
        (
            {"timeframes": CONTENT["timeframes"] | {"1h": {"long": ["wide"]}}},
            f"timeframes.1h.long[0].wide: column 1: entry_zone_width_pct {KNOWN_ONLY}",
        ),
        (
            {"filters_mandatory": {"5m": {"long": ["spread_bps < 8"]}}},
            f"filters_mandatory.5m.long[0]: column 1: spread_bps {KNOWN_ONLY}",
        ),
        (
            rule(drop_to_lower_if_any=["spread_bps[1] > 3"]),
            "selection.15m.drop_to_lower_if_any[0]: column 1: spread_",
        ),
        (
            rule(drop_to_lower_if_any=['on("5m", spread_bps) > 3']),
            "selection.15m.drop_to_lower_if_any[0]: column 10",
        ),
    ],
)
def test_a_selection_that_cannot_be_is_refused_with_its_place(changes: dict[str, Any], fault: str) -> None:
    lines = faults(**changes)
    assert any(line.startswith(fault) for line in lines), lines


def test_the_selection_is_part_of_the_digest_and_of_the_stored_content() -> None:
    other = rule(drop_to_lower_if_any=[{"wild": 131}, "spread_bps > 8"])
    digests = {load().digest, load(**other).digest, load(selection={}).digest}
    assert len(digests) == 3
    stored = json.loads(json.dumps(load().content, sort_keys=True))
    assert Profile.load(stored, stored.pop("conditions"), "stored").digest == load().digest
    default = rule(drop_to_lower_if_any=[{"wild": {"bps": 130.0}}, "spread_bps>8"])
    assert load(**default).digest == load().digest


def test_what_the_selection_reads_is_needed() -> None:
    selection = {"5m": {"drop_to_lower_if_any": ['on("1m", rsi[7]) > 90']}}
    profile = load(execution_timeframes=["15m", "5m"], selection=selection)
    assert M1 in profile.timeframes
    assert profile.depth(M1) > 7
    assert profile.columns[M1] == {"rsi"}


def test_entering_on_one_timeframe_keeps_its_own_selection_only() -> None:
    only = load().with_execution(M15)
    assert set(only.content["selection"]) == {"15m"}
    assert "selection" not in load().with_execution(M5).content
