"""A profile is checked whole, compiled, and known by the digest of what it does."""

from __future__ import annotations

import json
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import ValidationError

from apps.engine.profile import Mode, Phase, Profile, ProfileError
from apps.engine.rules.rule import Rule
from apps.engine.values.position import Side
from tests.engine.frame_builder import D1, H1, H4, M1, M5, M15

PROFILES = Path(__file__).resolve().parents[2] / "profiles"
SHIPPED = ("scalper_micro", "scalper", "regular", "classic", "crash")

CONDITIONS: dict[str, dict[str, Any]] = {
    "warm": {"params": {"level": 50}, "formula": "rsi > level", "about": "?"},
    "cold": {"params": {"level": 50}, "formula": "rsi < level"},
}


def content(**changes: Any) -> dict[str, Any]:
    base: dict[str, Any] = {
        "name": "tiny",
        "validation_mode": "pragmatic",
        "context_timeframes": ["1h", "15m"],
        "execution_timeframes": ["15m"],
        "timeframes": {
            "1h": {"long": ["warm"], "short": ["cold"]},
            "15m": {"long": ["warm", "close > vwap"], "short": ["cold"]},
        },
        "filters_mandatory": {"15m": {"execution": {"long": ["adx > 20"]}}},
    }
    return deepcopy(base) | changes


def load(conditions: Any = CONDITIONS, **changes: Any) -> Profile:
    return Profile.load(content(**changes), conditions, "profiles/tiny.yaml")


def faults(conditions: Any = CONDITIONS, **changes: Any) -> tuple[str, ...]:
    with pytest.raises(ProfileError) as caught:
        load(conditions, **changes)
    return caught.value.faults


def shipped(name: str) -> Profile:
    content, conditions = (
        yaml.safe_load((PROFILES / f"{file}.yaml").read_text("utf-8")) for file in (name, "conditions")
    )
    return Profile.load(content, conditions, name)


def texts(rule: Rule | None) -> list[str]:
    assert rule is not None
    return [leaf.text for leaf in rule.leaves()]


def test_rules_are_resolved_per_phase() -> None:
    rules = {"long": ["warm"], "short": ["cold"], "execution": {"long": [{"warm": 60}]}}
    profile = load(timeframes=content()["timeframes"] | {"15m": rules})
    context, execution = (judged for judged in profile.timeframe_rules if judged.timeframe == M15)
    assert (context.phase, execution.phase) == (Phase.CONTEXT, Phase.EXECUTION)
    assert texts(context.long) == ["rsi > 50"]
    assert texts(execution.long) == ["rsi > 60"]
    assert texts(execution.short) == ["rsi < 50"]
    assert context.long_filters is None
    assert texts(execution.long_filters) == ["adx > 20"]
    assert execution.short_filters is None
    assert [(side, role) for side, role, _ in execution.side_rules()] == [
        (Side.LONG, "rule"),
        (Side.LONG, "filter"),
        (Side.SHORT, "rule"),
    ]


def test_timeframes_are_judged_slowest_first_whatever_the_order_written() -> None:
    judged = load(context_timeframes=["15m", "1h"]).timeframe_rules
    assert [(each.timeframe, each.phase) for each in judged] == [
        (H1, Phase.CONTEXT),
        (M15, Phase.CONTEXT),
        (M15, Phase.EXECUTION),
    ]


def test_needs_follow_from_the_rules() -> None:
    rules = content()["timeframes"] | {
        "15m": {"long": ["close[9] > r1", 'on("4h", ema200[3]) > 0', "crossed_above(rsi, 30, within=4)"]}
    }
    profile = load(timeframes=rules)
    assert profile.timeframes == (D1, H4, H1, M15)
    assert [profile.min_candles(timeframe) for timeframe in (H4, H1, M15)] == [600, 250, 250]
    assert profile.depth(M15) == 11  # 9 back, the present one, and one more when the newest is late
    assert profile.depth(H1) == 2
    assert profile.depth(H4) == 5  # 3 back, the present one, and one more: the last judged may be older
    assert profile.depth(M1) == 1


def test_a_finer_timeframe_is_kept_as_far_back_as_a_slow_candle_stands() -> None:
    slow = {"4h": {"long": ['on("5m", rsi[2]) > 50']}}
    profile = load(context_timeframes=["4h"], execution_timeframes=[], timeframes=slow, filters_mandatory={})
    # at 07:55 the 4h candle that closed at 04:00 stands; late, the one of 00:00: 95 candles of 5m, and 2 more
    assert profile.depth(M5) >= 95 + 2 + 1


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"validaton_mode": "strict"}, "validaton_mode: unknown key; nearest: 'validation_mode'"),
        (
            {"validation_mode": "stict"},
            "validation_mode: 'stict' is not one of strict, pragmatic; nearest: 'strict'",
        ),
        ({"context_timeframes": ["1h", "15"]}, "context_timeframes[1]: '15' is not one of"),
        ({"context_timeframes": ["1h", "1d"]}, "context_timeframes[1]: 1d takes no part"),
        ({"context_timeframes": ["1h", "1h"]}, "context_timeframes: a timeframe is named twice"),
        ({"context_timeframes": "1h"}, "context_timeframes: Input should be a valid tuple"),
        ({"name": "No Name"}, "name: String should match"),
        ({"grace_s": 241}, "grace_s: Input should be less than or equal to 240"),
        ({"grace_s": "60"}, "grace_s: '60' is not a whole number"),
        ({"timeframes": {}}, "timeframes.1h: no rules, though it is named in context_timeframes"),
        ({"timeframes": content()["timeframes"] | {"4h": {"long": ["warm"]}}}, "timeframes.4h: never judged"),
        (
            {
                "timeframes": content()["timeframes"]
                | {"1h": {"long": ["warm"], "execution": {"long": ["cold"]}}}
            },
            "timeframes.1h.execution: never judged",
        ),
        (
            {
                "timeframes": content()["timeframes"]
                | {"1h": {"long": ["warm"], "context": {"long": ["cold"]}}}
            },
            "timeframes.1h.long: never used",
        ),
        ({"filters_mandatory": {"5m": {"long": ["warm"]}}}, "filters_mandatory.5m: never judged"),
        (
            {"timeframes": content()["timeframes"] | {"1h": {"lnog": ["warm"]}}},
            "timeframes.1h.lnog: unknown key; nearest: 'long'",
        ),
        (
            {"timeframes": content()["timeframes"] | {"1h": {"context": {"shorts": ["warm"]}}}},
            "timeframes.1h.context.shorts: unknown key; nearest: 'short'",
        ),
        (
            {"timeframes": content()["timeframes"] | {"1h": {"long": ["warm", {"warn": 3}]}}},
            "timeframes.1h.long[1]: unknown condition 'warn'; nearest: 'warm'",
        ),
        (
            {"filters_mandatory": {"15m": {"execution": {"long": ["adx > 20", "adx > twenty"]}}}},
            "filters_mandatory.15m.execution.long[1]: column 7: unknown column 'twenty'",
        ),
    ],
)
def test_a_fault_names_the_file_the_path_and_the_nearest_name(changes: dict[str, Any], fault: str) -> None:
    assert any(line.startswith(f"profiles/tiny.yaml: {fault}") for line in faults(**changes)), faults(
        **changes
    )


@pytest.mark.parametrize(
    ("section", "fault"),
    [
        ({"topn": 5}, "universe.topn: unknown key; nearest: 'top_n'"),
        ({"top_n": 2001}, "universe.top_n: Input should be less than or equal to 2000"),
        ({"top_n": 0}, "universe: top_n and mid_n are both 0: no contract would ever be judged"),
        ({"min_turnover_usdt": -1}, "universe.min_turnover_usdt: Input should be greater than or equal to 0"),
        (
            {"min_turnover_usdt": 9_000_000},
            "universe: top_turnover_usdt 8000000 is below min_turnover_usdt 9000000",
        ),
        ({"min_listed_h": 1.5}, "universe.min_listed_h: '1.5' is not a whole number"),
    ],
)
def test_a_bad_universe_is_refused_at_its_key(section: dict[str, Any], fault: str) -> None:
    assert any(line.startswith(f"profiles/tiny.yaml: {fault}") for line in faults(universe=section)), faults(
        universe=section
    )


def test_a_profile_without_a_universe_has_the_documented_one() -> None:
    assert load().content["universe"] == {
        "min_turnover_usdt": 1_500_000,
        "top_turnover_usdt": 8_000_000,
        "top_n": 210,
        "mid_n": 0,
        "min_listed_h": 1_000,
        "min_delist_days": 7,
    }
    assert load(universe={"top_n": 210}).digest == load().digest


@pytest.mark.parametrize("value", [None, [], "text", 3])
def test_a_file_that_is_no_mapping_is_refused(value: object) -> None:
    with pytest.raises(ProfileError, match="a profile is a mapping"):
        Profile.load(value, CONDITIONS, "x")


@pytest.mark.parametrize("missing", ["name", "validation_mode", "context_timeframes", "timeframes"])
def test_what_has_no_default_must_be_written(missing: str) -> None:
    given = content()
    del given[missing]
    with pytest.raises(ProfileError, match=f"{missing}: missing"):
        Profile.load(given, CONDITIONS, "x")


def test_every_fault_of_profile_and_catalogue_is_said_at_once() -> None:
    lines = faults(
        CONDITIONS | {"hot": {"formula": "rsi > "}},
        grace_s=-1,
        validation_mode="loose",
        timeframes={"1h": {"long": ["wram"], "shrot": []}, "15m": {"long": ["cldo"]}},
    )
    for part in ("hot.formula", "grace_s", "validation_mode", "1h.long[0]", "1h.shrot", "15m.long[0]"):
        assert any(part in line for line in lines), part


def test_a_profile_is_frozen() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        load().grace_s = 3


EFFECTIVE: dict[str, dict[str, Any]] = {
    "mode": {"validation_mode": "strict"},
    "name": {"name": "other"},
    "context": {"context_timeframes": ["1h"]},
    "grace": {"grace_s": 61},
    "threshold": {
        "timeframes": content()["timeframes"] | {"1h": {"long": [{"warm": 51}], "short": ["cold"]}}
    },
    "side": {"timeframes": content()["timeframes"] | {"1h": {"long": ["warm"]}}},
    "filter": {"filters_mandatory": {}},
    "universe": {"universe": {"top_n": 209}},
    "filter value": {"filters_mandatory": {"15m": {"execution": {"long": ["adx > 21"]}}}},
}


@pytest.mark.parametrize("what", EFFECTIVE)
def test_the_digest_changes_with_every_effective_change(what: str) -> None:
    assert load(**EFFECTIVE[what]).digest != load().digest


def test_the_digest_changes_with_a_condition_that_is_used() -> None:
    changed = CONDITIONS | {"warm": {"params": {"level": 50}, "formula": "rsi >= level"}}
    default = CONDITIONS | {"warm": {"params": {"level": 49}, "formula": "rsi > level"}}
    assert len({load().digest, load(changed).digest, load(default).digest}) == 3


IDLE: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "a description": (CONDITIONS, {"description": "about it"}),
    "a default written out": (CONDITIONS, {"grace_s": 60}),
    "the order of timeframes": (CONDITIONS, {"context_timeframes": ["15m", "1h"]}),
    "an unused condition": (CONDITIONS | {"idle": {"formula": "rsi > 1"}}, {}),
    "the order of conditions": (dict(reversed(CONDITIONS.items())), {}),
    "a condition's about": (CONDITIONS | {"cold": CONDITIONS["cold"] | {"about": "cold"}}, {}),
    "a condition's spacing": (CONDITIONS | {"cold": CONDITIONS["cold"] | {"formula": "rsi<level"}}, {}),
    "a parameter's default written out": (
        CONDITIONS,
        {"timeframes": content()["timeframes"] | {"1h": {"short": [{"cold": 50.0}], "long": [{"warm": 50}]}}},
    ),
}


@pytest.mark.parametrize("what", IDLE)
def test_the_digest_does_not_change_with(what: str) -> None:
    conditions, changes = IDLE[what]
    assert load(conditions, **changes).digest == load().digest


@pytest.mark.parametrize("name", SHIPPED)
def test_a_shipped_profile_is_rebuilt_from_its_stored_content(name: str) -> None:
    profile = shipped(name)
    stored = json.loads(json.dumps(profile.content, sort_keys=True))  # jsonb keeps no order either
    again = Profile.load(stored, stored.pop("conditions"), "stored")
    assert again.digest == profile.digest
    assert [_texts(judged) for judged in again.timeframe_rules] == [
        _texts(judged) for judged in profile.timeframe_rules
    ]


def _texts(judged: Any) -> list[tuple[str, str, str]]:
    return [(side, role, leaf.text) for side, role, rule in judged.side_rules() for leaf in rule.leaves()]


def test_a_mode_can_be_overridden_and_is_another_profile_by_digest() -> None:
    strict = load().with_mode(Mode.STRICT)
    assert strict.validation_mode == Mode.STRICT
    assert strict.digest == load(validation_mode="strict").digest != load().digest
    assert strict.with_mode(Mode.PRAGMATIC).digest == load().digest


@pytest.mark.parametrize(
    ("name", "mode", "context", "execution", "timeframes"),
    [
        ("scalper_micro", Mode.PRAGMATIC, (M5,), (M1,), (M5, M1)),
        ("scalper", Mode.PRAGMATIC, (M15, M5), (M5,), (M15, M5)),
        ("regular", Mode.PRAGMATIC, (H1, M15), (M15,), (H1, M15)),
        ("classic", Mode.STRICT, (H4, H1, M15, M5), (M1,), (H4, H1, M15, M5, M1)),
        ("crash", Mode.STRICT, (H4, H1), (M15, M5, M1), (H4, H1, M15, M5, M1)),
    ],
)
def test_the_shipped_profiles_are_what_their_names_promise(
    name: str, mode: Mode, context: tuple[str, ...], execution: tuple[str, ...], timeframes: tuple[str, ...]
) -> None:
    profile = shipped(name)
    assert (profile.name, profile.validation_mode) == (name, mode)
    assert (profile.context_timeframes, profile.execution_timeframes) == (context, execution)
    assert profile.timeframes == timeframes
    assert all(judged.short for judged in profile.timeframe_rules)
    assert [bool(judged.long) for judged in profile.timeframe_rules] == [name != "crash"] * len(
        profile.timeframe_rules
    )
