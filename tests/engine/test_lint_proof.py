"""Proofs about rules are sound: what never holds holds nowhere; and plain contradictions are found."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apps.engine.frame import Frame, close_times
from apps.engine.profile import Profile
from apps.engine.profile.lint import lint
from apps.engine.profile.lint.proof import always_holds, can_hold, contradiction, follows
from apps.engine.rules.expression import parse
from apps.engine.rules.logic import FALSE, TRUE, Logic
from apps.engine.rules.rule_input import RuleInput
from apps.engine.values.timeframe import Timeframe

AT = datetime(2026, 3, 2, 12, tzinfo=UTC)
MARKETS, CANDLES = 4_000, 8
LEVELS = (0, 1, 2, 30, 50, 50.5, 70, 100)
"""Where values and thresholds meet, also exactly."""


def sampled() -> Frame:
    """Many markets whose columns take every value a threshold may name, within what the columns can be."""
    random = np.random.default_rng(7)

    def any_of(*values: float) -> np.ndarray:
        return random.choice(values, size=(MARKETS, CANDLES))

    columns = {
        "rsi": any_of(*LEVELS, 0.5, 49, 99.5),
        "adx": any_of(*LEVELS, 20, 51),
        "atr": any_of(0, 0.5, 1, 2, 50, 200),
        "volume_ratio": any_of(0, 0.5, 1, 1.5, 70, 1e6),
        "macd_hist": any_of(-100, -1, -0.5, 0, 0.5, 1, 50),
        "bullish_divergence": any_of(0, 1),
        "ema9": any_of(0.5, 1, 2, 30, 50, 70, 101),
        "ema21": any_of(0.5, 1, 2, 30, 50, 70, 101),
        "low": any_of(0.5, 1, 2, 30),
    }
    columns["sma9"] = columns["ma9"] = columns["ema9"]
    columns["open"] = columns["low"] * any_of(1, 1, 2)
    columns["close"] = columns["low"] * any_of(1, 1.5, 3)
    columns["high"] = np.maximum(columns["open"], columns["close"]) * any_of(1, 1, 1.1)
    return Frame(Timeframe.M5, close_times(AT, Timeframe.M5, CANDLES), columns)


VIEW = RuleInput({Timeframe.M5: sampled()}, Timeframe.M5)

columns = st.sampled_from(
    [
        *("rsi", "adx", "atr", "volume_ratio", "macd_hist", "bullish_divergence", "rsi[1]", "macd_hist[1]"),
        *("ema9", "ma9", "sma9", "ema21", "low", "open", "close", "high", "close[2]"),
    ]
)
numbers = st.sampled_from(LEVELS).map(str) | st.sampled_from(["-1", "-0.5", "0.5 + 0.5", "2 * 25"])
terms = columns | st.one_of(
    st.builds("abs({})".format, columns),
    st.builds("{} / {}".format, columns, columns),
    st.builds("{} - {}".format, columns, columns),
    st.builds("min({}, {})".format, columns, columns),
    st.builds("max({}, {})".format, columns, numbers),
    st.builds("{} * {}".format, columns, numbers),
)
signs = st.sampled_from(["<", "<=", ">", ">="])
comparisons = st.one_of(
    st.builds("{} {} {}".format, terms, signs, numbers),
    st.builds("{} {} {}".format, columns, signs, numbers),
    st.builds("{} {} {}".format, numbers, signs, terms),
    st.builds("{} {} {}".format, columns, signs, columns),
    st.builds("{} < {} <= {}".format, numbers, columns, numbers),
    st.builds("rising({}, {})".format, columns, st.integers(1, 3)),
    st.builds("falling({}, {}, by=0 * close)".format, columns, st.integers(1, 2)),
    st.builds("crossed_above({}, {}, within={})".format, columns, columns, st.integers(1, 3)),
    st.builds("crossed_below({}, {})".format, columns, numbers),
)
rules = st.recursive(
    comparisons,
    lambda inner: st.one_of(
        st.lists(inner, min_size=2, max_size=3).map(lambda parts: f"({' or '.join(parts)})"),
        st.lists(inner, min_size=2, max_size=3).map(lambda parts: f"({' and '.join(parts)})"),
        inner.map(lambda part: f"(not {part})"),
    ),
    max_leaves=5,
)


def somewhere(logic: Logic, value: int) -> bool:
    with np.errstate(all="ignore"):
        return bool((logic.truth(VIEW) == value).any())


@settings(max_examples=250, deadline=None)
@given(st.lists(rules, min_size=1, max_size=4).map(" and ".join))
def test_what_is_proved_never_to_hold_holds_in_no_market(formula: str) -> None:
    logic = parse(formula)
    if somewhere(logic, TRUE):
        assert can_hold(logic)


@settings(max_examples=250, deadline=None)
@given(rules)
def test_what_is_proved_always_to_hold_fails_in_no_market(formula: str) -> None:
    logic = parse(formula)
    if somewhere(logic, FALSE):
        assert not always_holds(logic)


@settings(max_examples=200, deadline=None)
@given(st.lists(comparisons, min_size=1, max_size=3).map(" and ".join), comparisons)
def test_what_is_proved_to_follow_fails_nowhere_beside_the_premises(premises: str, conclusion: str) -> None:
    if somewhere(parse(f"({premises}) and not ({conclusion})"), TRUE):
        assert not follows(parse(conclusion), parse(premises))


@given(st.sampled_from(["rsi", "macd_hist", "close / ema9 - 1", "abs(macd_hist)"]), st.floats(-1e3, 1e3))
def test_a_term_above_and_not_above_a_number_is_a_contradiction(term: str, level: float) -> None:
    over, under = parse(f"{term} > {level:f}"), parse(f"{term} <= {level:f}")
    assert contradiction([over, under]) in ([0, 1], [0], [1])
    assert contradiction([over, parse(f"not {term} > {level:f}")]) in ([0, 1], [0], [1])


@pytest.mark.parametrize(
    "formula",
    [
        "rsi > 60 and rsi < 40",
        "30 < rsi < 20",
        "rsi > 120",
        "rsi > 60 and (rsi < 40 or rsi < 20 and adx > 10)",
        "(rsi > 80 or rsi > 70) and (rsi < 30 or rsi < 20)",
        "not rsi <= 60 and rsi < 50",
        "ema9 > ema21 and ema9 < ema21",
        "ema9 > ema21 and ema21 > ema50 and ema50 >= ema9",
        "close > ema9 and ema9 > 100 and close < 90",
        "ma9 > close and sma9 < close",
        "close > high",
        "low > ema9 and close < ema9",
        "bb_lower > bb_upper",
        "bullish_divergence > 0 and bullish_divergence < 1",
        "bullish_divergence < 1 and bullish_divergence >= 0.5",
        "abs(close / vwap - 1) <= 0.001 and close / vwap - 1 > 0.003",
        "min(rsi, adx) > 50 and adx < 20",
        "max(rsi, adx) < 50 and adx > 60",
        "rising(rsi, 2) and rsi <= rsi[2]",
        "rising(rsi, 2) and falling(rsi, 1)",
        "rising(macd_hist, 2, by=0 * close) and macd_hist < macd_hist[1]",
        "crossed_above(ema9, ema21) and ema9 < ema21",
        "crossed_above(ema9, ema21, within=3) and not crossed_above(ema9, ema21, within=3)",
        "rising(rsi, 30) and not rising(rsi, 30)",
        'on("1h", adx) > 50 and on("1h", adx) < 40',
        "atr / close < -0.001",
        "volume_ratio + 1 < 1",
        "rsi - 101 > 0",
        "rsi < rsi",
    ],
)
def test_a_plain_contradiction_is_found(formula: str) -> None:
    assert not can_hold(parse(formula))


@pytest.mark.parametrize(
    "formula",
    [
        "rsi >= 60 and rsi <= 60",
        "rsi > 60 and rsi[1] < 40",
        'rsi > 60 and on("1h", rsi) < 40',
        "ema9 >= ema21 and ema9 <= ema21",
        "bb_lower < 0",
        "s3 < 0",
        "crossed_above(ema9, ema21, within=3) and ema9 < ema21",
        "rising(rsi, 2, by=macd_hist) and rsi < rsi[2]",
        "close / vwap - 1 > 0.003 and abs(close / ema9 - 1) < 0.001",
        "rsi > 60 or rsi < 40",
        "adx >= 100",
        "atr <= 0",
    ],
)
def test_what_may_be_is_not_called_impossible(formula: str) -> None:
    assert can_hold(parse(formula))


def test_too_many_ways_prove_nothing_and_end() -> None:
    wide = " and ".join(f"(close > {n} * ema9 or ema20 > {n} * ema50 or adx[1] > {n})" for n in range(1, 26))
    assert can_hold(parse(f"{wide} and crossed_above(rsi, adx, within=5)"))


def test_a_contradiction_names_none_to_spare() -> None:
    parts = [parse(text) for text in ("adx > 20", "rsi > 60", "close > ema9", "rsi < 40 or rsi < 50")]
    assert contradiction(parts) == [1, 3]
    assert contradiction(parts[:3]) == []


items = st.recursive(
    comparisons,
    lambda inner: st.one_of(
        st.lists(inner, min_size=1, max_size=3).map(lambda parts: {"any_of": parts}),
        st.lists(inner, min_size=1, max_size=3).map(lambda parts: {"all_of": parts}),
        inner.map(lambda part: {"not": part}),
        st.just("known"),
    ),
    max_leaves=6,
)


@settings(max_examples=100, deadline=None)
@given(st.lists(items, min_size=1, max_size=3), st.lists(items, max_size=2))
def test_any_lawful_list_is_linted_and_a_side_called_impossible_holds_in_no_market(
    long: list[Any], known: list[Any]
) -> None:
    content = {
        "name": "any",
        "validation_mode": "strict",
        "context_timeframes": ["5m"],
        "execution_timeframes": [],
        "timeframes": {"5m": {"long": [*long, "known"]}},
        "definitions": {"known": ["rsi < 90"] if "known" in str(known) else ["rsi >= 0", *known]},
    }
    profile = Profile.load(content, {}, "any")
    [judged] = profile.timeframe_rules
    assert judged.long is not None
    if any("the long side can never hold" in finding.text for finding in lint(profile)):
        assert not (judged.long.truth(VIEW) == TRUE).any()
