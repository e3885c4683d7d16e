"""Whatever the text, the answer is logic or an ExpressionError that names the place; nothing is executed."""

from __future__ import annotations

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.engine.rules.expression import MAX_TEXT, canonical_formula, parse
from apps.engine.rules.grammar import ExpressionError
from apps.engine.rules.rule import Compiler
from apps.engine.rules.rule_input import RuleInput
from tests.engine.frame_builder import D1, H1, M5, frame, one


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("rsii < 30", "column 1: unknown column 'rsii'; nearest: 'rsi'"),
        ("rsi < emma20", "column 7: unknown column 'emma20'; nearest: 'ema20'"),
        ("crosed_above(rsi, 30)", "expected here"),
        ("rsi < mim(ema9, ema21)", "column 7: unknown function 'mim'; nearest: 'min'"),
        ('on("2h", adx) > 1', "unknown timeframe '2h'"),
        ('on("1h", on("4h", adx)) > 1', "on does not nest"),
        ('on("1h", r1) > 1', "pivot of the day"),
        ("on(1, adx) > 1", "on is written"),
        ("rsi == 30", "only < <= > >= compare"),
        ("rsi != 30", "not in the language"),
        ("rsi in (30, 40)", "only < <= > >= compare"),
        ("rsi", "a comparison"),
        ("rsi and close > 1", "a comparison"),
        ("rising(rsi, 2) > 1", "true or false, not a number"),
        ("rising(rsi, 0)", "whole number 1…59"),
        ("rising(rsi, 2.5)", "whole number"),
        ("rising(rsi, True)", "whole number"),
        ("rising(rsi)", "is written"),
        ("rising(rsi, 2, within=1)", "is written"),
        ("rising(rsi, 2, by=1, by=2)", "is written|not a formula"),
        ('rising(on("1h", rsi), 2)', "steps are candles of the judged timeframe"),
        ("crossed_above(rsi, 30, within=60)", "whole number 1…59"),
        ("crossed_above(rsi, 30, *close)", "is written"),
        ("crossed_above(rsi, 30, **close)", "not in the language|is written|not a formula"),
        ("close[60] > 1", "whole number 0…59"),
        ("close[-1] > 1", "whole number"),
        ("close[rsi] > 1", "whole number"),
        ("close[1:2] > 1", "not in the language"),
        ("rising(close[30], 30)", "looked back 60 candles"),
        ("(close + 1)[1] > 1", "a number"),
        ("close.real > 1", "unknown indicator 'close'; declared under indicators: none"),
        ("().__class__ > 1", "a number"),
        ("__import__('os') > 1", "unknown function '__import__'"),
        ("close() > 1", "unknown function"),
        ("abs(close)(1) > 1", "a number"),
        ("abs(close, rsi) > 1", "one value"),
        ("min(close) > 1", "two values"),
        ("min(close, rsi, key=abs) > 1", "no keywords"),
        (
            "rsi < spread_bps",
            "column 7: spread_bps is known only to the selection of a profile with an entry",
        ),
        ("abs(entry_zone_width_pct[1]) > 1", "column 5: entry_zone_width_pct is known only to the selection"),
        (
            'on("5m", expected_r_multiple) > 1',
            "column 10: expected_r_multiple is known only to the selection",
        ),
        ("rsi < True", "not a finite number"),
        ("rsi < 1e999", "not a finite number"),
        ("rsi < 1j", "a number"),
        ("rsi < 'a'", "a number"),
        ("rsi < None", "unknown column|a number"),
        ("rsi < 2 ** 3", "a number"),
        ("9**9**9**9 > 1", "a number"),
        ("rsi % 2 > 1", "not in the language"),
        ("rsi // 2 > 1", "a number"),
        ("lambda: 1", "not in the language"),
        ("[rsi for rsi in close]", "a comparison"),
        ("rsi if rsi else rsi", "a comparison"),
        ("rsi := 3", "not in the language"),
        ("f'{rsi}' > 1", "not in the language"),
        ("rsi < 3; close > 1", "not in the language"),
        ("rsi < 3 #", "not in the language"),
        ("rsi\\\n< 3", "not in the language"),
        ("ｒsi < 3", "not in the language"),
        ("rsi < 3\x00", "not in the language"),
        ("", "empty formula"),
        ("   ", "empty formula"),
        ("rsi <", "not a formula"),
        ("(" * 900, "not a formula|nested"),
        ("(" * 90 + "rsi" + ")" * 90 + " < not", "not a formula|nested"),
        ("-" * 60 + "rsi < 1", "nested more than 50 deep"),
        ("-" * 1900 + "rsi < 1", "nested"),
        ("not " * 60 + "rsi < 1", "nested more than 50 deep"),
        ("1+" * 990 + "1 < 2", "nested more than 50 deep"),
        ("rsi < " + "9" * 1900, "not a finite number"),
    ],
)
def test_what_is_not_in_the_language_is_refused_with_its_place(text: str, says: str) -> None:
    with pytest.raises(ExpressionError, match=says) as caught:
        parse(text)
    assert 1 <= caught.value.column <= len(text) + 1


def test_ten_megabytes_are_refused_without_being_read() -> None:
    with pytest.raises(ExpressionError, match="at most 2000") as caught:
        parse("rsi < 1 and " * 900_000)
    assert len(str(caught.value)) < 400


@pytest.mark.parametrize("value", [None, 3, ["rsi < 3"], b"rsi < 3", True])
def test_only_text_is_a_formula(value: object) -> None:
    with pytest.raises(ExpressionError, match="a formula is text"):
        parse(value)  # type: ignore[arg-type]  # what a YAML file may hold in its place


def test_the_longest_text_allowed_is_judged_like_any_other() -> None:
    text = "rsi < 1 and "
    text = text * (MAX_TEXT // len(text)) + "1 > 0"
    assert parse(text[:MAX_TEXT])


PIECES = (
    "rsi close r1 macd_hist spread_bps abs min on rising crossed_above within by and or not if lambda import "
    "True __class__ \"1h\" '5m' 0 3 59 1e308 -1 99999999999999999999999 <= ** // == é # { @ "
    "( ) [ ] < > = + - * / . , : \\ \x00"
)
NUMBER = st.sampled_from(["rsi", "close[3]", "r1", 'on("1h", adx)', "0", "2.5", "volume", "ema9"])
TERM = st.recursive(
    NUMBER,
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from("+-*/"), inner).map(lambda parts: "({}{}{})".format(*parts)),
        st.tuples(inner, inner).map(lambda parts: "min({}, {})".format(*parts)),
        inner.map(lambda part: f"abs(-{part})"),
    ),
    max_leaves=6,
)
LEAF = st.one_of(
    st.tuples(TERM, st.sampled_from(["<", "<=", ">", ">="]), TERM).map(" ".join),
    st.tuples(TERM, TERM).map(lambda parts: "crossed_above({}, {}, within=2)".format(*parts)),
)
FORMULA = st.recursive(
    LEAF,
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from([" and ", " or "]), inner).map(
            lambda parts: "({}{}{})".format(*parts)
        ),
        inner.map(lambda part: f"(not {part})"),
    ),
    max_leaves=4,
)
FRAMES = {
    **one(M5, rsi=50, close=[1, 2, 0, 4], volume=0),
    H1: frame(H1, {"adx": [30.0]}),
    D1: frame(D1, {"r1": [1e308]}),
}


@given(
    st.one_of(
        st.text(),
        st.text(string.printable),
        st.lists(st.sampled_from(PIECES.split(" ")), max_size=25).map(" ".join),
    )
)
def test_arbitrary_text_gives_logic_or_a_located_error(text: str) -> None:
    error = _error(text)
    if error is None:
        assert _value(text) in (-1, 0, 1)
    else:
        assert str(error).startswith(f"column {error.column}: ")


@given(FORMULA)
def test_every_formula_of_the_grammar_has_one_of_three_values_and_one_spelling(text: str) -> None:
    assert _error(text) is None
    value = _value(text)
    assert value in (-1, 0, 1)
    assert _value(canonical_formula(text)) == value
    assert canonical_formula(canonical_formula(text)) == canonical_formula(text)


def _error(text: str) -> ExpressionError | None:
    try:
        parse(text)
    except ExpressionError as error:
        return error
    return None


def _value(text: str) -> int:
    compiler = Compiler({})
    rule = compiler.rule([f"({text})"])
    assert compiler.faults == []
    return int(rule.truth(RuleInput(FRAMES, M5))[0, -1])
