"""Items of a profile's side become one rule; everything wrong in them is named at once."""

from __future__ import annotations

import pytest

from apps.engine.rules.condition import read_conditions
from apps.engine.rules.rule import Compiler, Rule
from apps.engine.rules.rule_input import RuleInput
from tests.engine.frame_builder import M5, one

CATALOGUE, _ = read_conditions(
    {
        "warm": {"params": {"level": 50}, "formula": "rsi > level"},
        "between": {"params": {"low_level": 40, "high_level": 60}, "formula": "low_level < rsi < high_level"},
        "up": {"params": {"n": 2}, "formula": "rising(rsi, n)"},
        "green": {"formula": "close > open"},
    }
)


def compiled(*items: object) -> Rule:
    compiler = Compiler(CATALOGUE)
    rule = compiler.rule(list(items))
    assert compiler.faults == []
    return rule


def faults(*items: object) -> list[tuple[str, str]]:
    compiler = Compiler(CATALOGUE)
    compiler.rule(list(items))
    return compiler.faults


@pytest.mark.parametrize(
    ("items", "expected"),
    [
        (["warm"], 1),
        ([{"warm": 56}], -1),
        ([{"warm": {"level": 54}}], 1),
        (["warm", "green"], -1),
        ([{"any_of": ["green", "warm"]}], 1),
        ([{"all_of": ["green", "warm"]}], -1),
        ([{"not": "green"}], 1),
        ([{"not": {"any_of": ["green", {"warm": 90}]}}], 1),
        ([{"between": {"high_level": 54}}], -1),
        (["rsi > 54", "close <= open"], 1),
        (["up"], -1),
        ([{"up": 1}], 1),
        (["warm", "adx > 3"], 0),
        ([{"any_of": ["warm", "adx > 3"]}], 1),
        ([], -1),
    ],
)
def test_items_are_anded_and_groups_nest(items: list[object], expected: int) -> None:
    frames = one(rsi=[70, 54, 55], close=10, open=11)
    assert compiled(*items).truth(RuleInput(frames, M5))[0, -1] == expected


@pytest.mark.parametrize(
    ("item", "path", "says"),
    [
        ("wram", "[0]", "unknown condition 'wram'; nearest: 'warm'"),
        ({"any_off": ["warm"]}, "[0]", "unknown condition 'any_off'; nearest: 'any_of'"),
        ({"any_of": []}, "[0].any_of", "any_of is empty"),
        ({"any_of": "warm"}, "[0].any_of", "a list of items is expected"),
        ({"all_of": ["warm", {"not": "gren"}]}, "[0].all_of[1].not", "nearest: 'green'"),
        ("rsi > levl", "[0]", "unknown column 'levl'"),
        ({"warm": "hot"}, "[0].warm.level", "'hot' is not a finite number"),
        ({"warm": "1e-6"}, "[0].warm.level", "write 0.000001"),
        ({"warm": True}, "[0].warm.level", "is not a finite number"),
        ({"warm": float("nan")}, "[0].warm.level", "is not a finite number"),
        ({"warm": 10**400}, "[0].warm.level", "is not a finite number"),
        ({"warm": {"levle": 3}}, "[0].warm.levle", "unknown parameter; nearest: 'level'"),
        ({"between": 3}, "[0].between", "which of low_level, high_level"),
        ({"green": 3}, "[0].green", "which of no parameters"),
        ({"up": 60}, "[0].up", "whole number 1…59"),
        ({"up": 1.5}, "[0].up", "whole number 1…59"),
        ({"warm": 1, "green": 2}, "[0]", "an item is"),
        (7, "[0]", "an item is"),
        (None, "[0]", "an item is"),
        ([], "[0]", "an item is"),
    ],
)
def test_a_wrong_item_is_named_by_path(item: object, path: str, says: str) -> None:
    [(where, problem)] = faults(item)
    assert where == path
    assert says in problem


def test_all_faults_are_found_at_once() -> None:
    lines = faults("wram", "warm", {"any_of": ["rsi <", {"warm": "x"}]})
    assert [path for path, _ in lines] == ["[0]", "[2].any_of[0]", "[2].any_of[1].warm.level"]


def test_endless_nesting_is_refused() -> None:
    item: object = "warm"
    for _ in range(400):
        item = {"not": item}
    [(_, problem)] = faults(item)
    assert "nested more than 50 deep" in problem


@pytest.mark.parametrize(
    ("spelling", "other"),
    [
        ("warm", {"warm": 50}),
        ({"warm": 50.0}, {"warm": {"level": 50}}),
        ("rsi>50", " rsi  > 50"),
        ("on('1h', adx) > 3", 'on("1h",adx)>3'),
    ],
)
def test_one_meaning_has_one_content(spelling: object, other: object) -> None:
    assert compiled(spelling).content == compiled(other).content


@pytest.mark.parametrize(
    ("content", "path", "says"),
    [
        ([], "", "a catalogue is a mapping"),
        ({"rsi": {"formula": "rsi > 1"}}, "rsi", "no column or function"),
        ({"two words": {"formula": "rsi > 1"}}, "two words", "a condition's name"),
        ({"x": "rsi > 1"}, "x", "a mapping with a formula"),
        ({"x": {"about": "?"}}, "x", "a mapping with a formula"),
        ({"x": {"formula": "rsi > 1", "param": {}}}, "x.param", "nearest: 'params'"),
        ({"x": {"formula": "rsi > 1", "params": {"t": 1}}}, "x.params.t", "does not use it"),
        ({"x": {"formula": "rsi > t", "params": {"t": "high"}}}, "x.params.t", "not a finite number"),
        ({"x": {"formula": "rsi > close", "params": {"close": 1}}}, "x.params.close", "no column"),
        ({"x": {"formula": "rsi > t"}}, "x.formula", "unknown column 't'"),
        ({"x": {"formula": 3}}, "x.formula", "a formula is text"),
        ({"x": {"formula": "rsi > 1", "params": [1]}}, "x.params", "a mapping of names to numbers"),
    ],
)
def test_a_wrong_catalogue_is_named_by_path(content: object, path: str, says: str) -> None:
    conditions, [(where, problem)] = read_conditions(content)
    assert conditions == {}
    assert where == path
    assert says in problem
