"""A profile's own names for lists of items: put in their place, or refused with the way they went wrong."""

from __future__ import annotations

from typing import Any

import pytest

from apps.engine.profile import Profile, ProfileError
from tests.engine.trade_builder import entry_of

CONDITIONS = {
    "warm": {"params": {"level": 50}, "formula": "rsi > level"},
    "wide": {"formula": "entry_zone_width_pct > 1"},
}
TREND = ["ema20 > ema50", {"any_of": ["warm", "adx > 20"]}]


def content(definitions: Any, long: Any, **changes: Any) -> dict[str, Any]:
    base = {
        "name": "tiny",
        "validation_mode": "strict",
        "context_timeframes": ["5m"],
        "execution_timeframes": ["5m"],
        "timeframes": {"5m": {"long": long}},
    }
    return base | {"definitions": definitions} | changes


def load(definitions: Any, long: Any, **changes: Any) -> Profile:
    return Profile.load(content(definitions, long, **changes), CONDITIONS, "tiny.yaml")


def faults(definitions: Any, long: Any, **changes: Any) -> list[str]:
    with pytest.raises(ProfileError) as caught:
        load(definitions, long, **changes)
    return [line.removeprefix("tiny.yaml: ") for line in caught.value.faults]


def texts(profile: Profile) -> list[tuple[str, str]]:
    rule = profile.timeframe_rules[0].long
    assert rule is not None
    return [(leaf.condition, leaf.text) for leaf in rule.leaves()]


def test_a_definition_is_its_items_wherever_it_is_named() -> None:
    named = load({"trend": TREND}, ["close > vwap", "trend", {"not": "trend"}])
    written = [{"all_of": TREND}, {"not": {"all_of": TREND}}]
    in_place = Profile.load(
        {
            key: value
            for key, value in content({}, ["close > vwap", *written]).items()
            if key != "definitions"
        },
        CONDITIONS,
        "tiny.yaml",
    )
    assert texts(named) == texts(in_place)
    assert named.digest == in_place.digest
    assert texts(named)[1:4] == [("", "ema20 > ema50"), ("warm", "rsi > 50"), ("", "adx > 20")]


def test_a_definition_may_name_others_in_any_order() -> None:
    named = load({"all": ["trend", "up"], "up": ["close > vwap"], "trend": ["up", "warm"]}, ["all"])
    assert [text for _, text in texts(named)] == ["close > vwap", "rsi > 50", "close > vwap"]


def test_a_parameter_of_the_same_name_is_no_use_of_a_definition() -> None:
    profile = load({"level": [{"warm": {"level": 60}}]}, ["level"])
    assert texts(profile) == [("warm", "rsi > 60")]
    idle = {"level": ["adx > 20"]}
    assert faults(idle, [{"warm": {"level": 60}}]) == [
        "definitions.level: never used: no rule, filter or selection names it"
    ]


def test_a_stored_profile_needs_no_definitions() -> None:
    stored = load({"trend": TREND}, ["trend"]).content
    assert "definitions" not in stored
    again = Profile.load(
        {key: value for key, value in stored.items() if key != "conditions"}, CONDITIONS, "x"
    )
    assert again.digest == load({"trend": TREND}, ["trend"]).digest
    assert texts(again) == texts(load({"trend": TREND}, ["trend"]))


def test_only_what_a_definition_does_is_part_of_the_digest() -> None:
    known = load({"trend": TREND}, ["trend"]).digest
    assert load({"other": TREND}, ["other"]).digest == known
    assert load({"trend": [*TREND, "warm"]}, ["trend"]).digest != known


@pytest.mark.parametrize(
    ("definitions", "long", "fault"),
    [
        ({"a": ["a"]}, ["a"], "definitions.a: defined by itself: a → a"),
        (
            {"a": ["b"], "b": [{"any_of": ["c", "warm"]}], "c": [{"not": "a"}]},
            ["a"],
            "definitions.a: defined by",
        ),
        ({"x": ["a"], "a": ["b"], "b": ["a"]}, ["x"], "definitions.a: defined by itself: a → b → a"),
        (
            {"a": ["warm"], "b": ["a"]},
            ["warm"],
            "definitions.a: never used: no rule, filter or selection names it",
        ),
        ({"a": ["warm"], "b": ["a"]}, ["a"], "definitions.b: never used"),
        ({"a": ["wram"]}, ["a"], "definitions.a[0]: unknown condition 'wram'; nearest: 'warm'"),
        ({"a": ["rsi > "]}, ["a"], "definitions.a[0]: column"),
        ({"a": [{"warm": "hot"}]}, ["a"], "definitions.a[0].warm.level: 'hot' is not a finite number"),
        ({"a": []}, ["a"], "definitions.a: a definition is a list of one item or more"),
        ({"a": None}, ["a"], "definitions.a: a definition is a list of one item or more"),
        ({"a": "warm"}, ["a"], "definitions.a: a list of items is expected"),
        ({"a": {"long": ["warm"]}}, ["a"], "definitions.a: a list of items is expected"),
        ({"warm": ["rsi > 1"]}, ["warm"], "definitions.warm: conditions.yaml has a condition of this name"),
        ({"rsi": ["rsi > 1"]}, ["rsi"], "definitions.rsi: a definition's name is"),
        ({"spread_bps": ["rsi > 1"]}, ["warm"], "definitions.spread_bps: a definition's name is"),
        ({"a b": ["rsi > 1"]}, ["warm"], "definitions.a b: a definition's name is"),
        ({7: ["rsi > 1"]}, ["warm"], "definitions.7: a definition's name is"),
        (["warm"], ["warm"], "definitions: definitions is a mapping of names"),
        ({}, ["warm"], "definitions: definitions is a mapping of names"),
        ({"trend": TREND}, ["trned"], "timeframes.5m.long[0]: unknown condition 'trned'; nearest: 'trend'"),
        ({"trend": TREND}, [{"trend": 3}], "timeframes.5m.long[0].trend: a definition takes no parameters"),
        (
            {"broad": ["wide"]},
            ["broad"],
            "timeframes.5m.long[0].broad[0].wide: column 1: entry_zone_width_pct is",
        ),
    ],
)
def test_a_definition_that_cannot_be_is_refused_with_its_place(
    definitions: Any, long: Any, fault: str
) -> None:
    lines = faults(definitions, long)
    assert any(line.startswith(fault) for line in lines), lines


def test_a_circle_is_told_once_with_the_whole_way_round() -> None:
    lines = faults(
        {"a": ["b"], "b": [{"any_of": ["c", "warm"]}], "c": [{"not": "a"}], "d": ["d"]}, ["a", "d"]
    )
    assert [line for line in lines if "defined by itself" in line] == [
        "definitions.a: defined by itself: a → b → c → a",
        "definitions.d: defined by itself: d → d",
    ]
    assert len(lines) == 2


def test_every_fault_of_the_definitions_and_of_the_rules_is_said_at_once() -> None:
    lines = faults({"a": ["wram"], "b": ["rsi >"], "idle": ["warm"]}, ["a", "b", "cold"], grace_s=-1)
    for part in ("definitions.a[0]", "definitions.b[0]", "definitions.idle", "5m.long[2]", "grace_s"):
        assert len([line for line in lines if part in line]) == 1, (part, lines)
    assert len(lines) == 5


BILLIONS = {f"d{n}": [f"d{n + 1}"] * 10 for n in range(9)} | {"d9": ["warm"]}
HOSTILE: dict[str, tuple[Any, Any, str]] = {
    "ten lines that say a thousand million": (BILLIONS, ["d0"], "more than 1000 items"),
    "a list of a million": ({"a": ["warm"] * 1_000_000}, ["a"], "more than 1000 items"),
    "more names than a person reads": (
        {f"d{n}": ["warm"] for n in range(101)},
        ["d1"],
        "definitions: 101 definitions; at most 100",
    ),
    "a chain deeper than the language": (
        {f"d{n}": [f"d{n + 1}"] for n in range(60)} | {"d60": ["warm"]},
        ["d0"],
        "nested more than 50 deep",
    ),
    "all of them in one circle": (
        {f"d{n}": [f"d{(n + 1) % 100}"] for n in range(100)},
        ["d0"],
        "definitions.d0: defined by itself: d0 → d1 →",
    ),
    "every one by every other": (
        {f"d{n}": [f"d{m}" for m in range(100)] for n in range(100)},
        ["d0"],
        "definitions.d0: defined by itself: d0 → d0",
    ),
    "ten megabytes of text": ({"a": ["rsi < 1 and " * 900_000]}, ["a"], "at most 2000"),
    "a power": ({"a": ["9**9**9**9 > 1"]}, ["a"], "definitions.a[0]: column 1: a number"),
    "an attribute": ({"a": ["().__class__ > 1"]}, ["a"], "definitions.a[0]: column 1: a number"),
}


def nested(depth: int) -> Any:
    item: Any = "warm"
    for _ in range(depth):
        item = {"any_of": [item]}
    return item


@pytest.mark.parametrize("what", HOSTILE)
def test_hostile_definitions_are_refused_briefly(what: str) -> None:
    definitions, long, says = HOSTILE[what]
    lines = faults(definitions, long)  # work without a bound would not end within this life
    assert any(says in line for line in lines), lines[:3]
    assert max(len(line) for line in lines) < 1000


@pytest.mark.parametrize("where", ["definitions", "selection"])
def test_nesting_beyond_the_limit_is_refused_in_every_section(where: str) -> None:
    deep = [nested(20_000)]
    if where == "definitions":
        lines = faults({"a": deep}, ["a"])
    else:
        lines = faults({"a": ["warm"]}, ["a"], selection={"5m": {"drop_to_lower_if_any": deep}})
    assert [line for line in lines if "nested more than 50 deep" in line]


def test_a_selection_may_name_a_definition_with_a_metric() -> None:
    entry = {"entry": entry_of().content(), "selection": {"5m": {"drop_to_lower_if_any": ["broad"]}}}
    profile = load({"broad": ["wide", "spread_bps > 3"]}, ["warm"], **entry)
    selection = profile.timeframe_rules[1].selection
    assert selection is not None
    assert [leaf.text for leaf in selection.drop_to_lower_if_any.leaves()] == [
        "entry_zone_width_pct > 1",
        "spread_bps > 3",
    ]
