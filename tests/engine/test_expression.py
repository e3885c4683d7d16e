"""What formulas mean, in three values."""

from __future__ import annotations

import itertools
import warnings
from typing import Any

import numpy as np
import pytest

from apps.engine.frame import Frame
from apps.engine.rules.expression import parse
from apps.engine.rules.logic import leaves
from apps.engine.rules.rule import Compiler
from apps.engine.rules.rule_input import RuleInput
from tests.engine.frame_builder import AT, D1, H1, M5, M15, NAN, frame, one

T, U, F = 1, 0, -1


def truth(text: str, **columns: Any) -> int:
    return last(text, RuleInput(one(**columns), M5))


def last(text: str, view: RuleInput) -> int:
    compiler = Compiler({})
    rule = compiler.rule([text])
    assert compiler.faults == []
    return int(rule.truth(view)[0, -1])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("rsi < 70", T),
        ("rsi < 60", F),
        ("rsi <= 60", T),
        ("rsi > 60", F),
        ("rsi >= 60", T),
        ("30 < rsi < 70", T),
        ("30 < rsi < 50", F),
        ("70 > rsi >= 60 > 30", T),
        ("close > vwap or close > ema9", T),
        ("close > vwap and close > ema9", F),
        ("not close > vwap", T),
        ("(close > vwap or rsi > 50) and not rsi > 61", T),
        ("close + 1 > 100", T),
        ("close - 1 > 100", F),
        ("close * 2 >= 200", T),
        ("close / 4 <= 25", T),
        ("-close < -99", T),
        ("abs(close - 103) <= 3", T),
        ("min(close, vwap, rsi) >= 60", T),
        ("max(close, vwap) <= 100", F),
        ("min(close, adx) > 0", U),
        ("1 > 0", T),
        ("1e-6 > 0.000001", F),
    ],
)
def test_operators_mean_what_they_say(text: str, expected: int) -> None:
    assert truth(text, rsi=60, close=100, vwap=101, ema9=99) == expected


@pytest.mark.parametrize(
    "text",
    [
        "adx < 20",
        "adx >= 20",
        "not adx < 20",
        "adx - adx < 1",
        "close / volume > 1",
        "close / volume < 1",
        "1 / (close / volume) < 1",
        "volume / volume >= 0",
        "1e300 * 1e300 > close",
        "1 / (1e300 * 1e300) < close",
        "open > 1",
        "1 / open < 1",
        "adx[1] > 0",
        "rising(adx, 1)",
        "crossed_above(adx, close)",
        'on("5m", adx) > 0',
    ],
)
def test_missing_infinite_and_divided_by_zero_are_unknown(text: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert truth(text, close=100, volume=0, open=float("inf")) == U


KLEENE_AND = {(T, T): T, (T, U): U, (U, U): U, (T, F): F, (U, F): F, (F, F): F}
KLEENE_OR = {(T, T): T, (T, U): T, (U, U): U, (T, F): T, (U, F): U, (F, F): F}
SPELT = {T: "1 > 0", U: "adx > 0", F: "0 > 1"}


@pytest.mark.parametrize(("left", "right"), list(itertools.product((T, U, F), repeat=2)))
def test_and_or_follow_kleenes_tables(left: int, right: int) -> None:
    pair = (max(left, right), min(left, right))
    assert truth(f"{SPELT[left]} and {SPELT[right]}") == KLEENE_AND[pair]
    assert truth(f"{SPELT[left]} or {SPELT[right]}") == KLEENE_OR[pair]


@pytest.mark.parametrize("value", [T, U, F])
def test_not_turns_true_and_false_and_keeps_unknown(value: int) -> None:
    assert truth(f"not {SPELT[value]}") == -value


@pytest.mark.parametrize(
    ("text", "macd_hist", "expected"),
    [
        ("rising(macd_hist, 2)", [1, 2, 3], T),
        ("rising(macd_hist, 2)", [2, 2, 3], F),
        ("rising(macd_hist, 1)", [9, 2, 3], T),
        ("rising(macd_hist, 2)", [NAN, 2, 3], U),
        ("rising(macd_hist, 2)", [NAN, 3, 2], F),
        ("falling(macd_hist, 2)", [3, 2, 1], T),
        ("falling(macd_hist, 2)", [3, 2, 2], F),
        ("rising(macd_hist, 2, by=0.5)", [1, 2, 3], T),
        ("rising(macd_hist, 2, by=1)", [1, 2, 3], F),
        ("falling(macd_hist, 2, by=0.5)", [3, 2, 1.6], F),
        ("rising(macd_hist[1], 1)", [1, 2, 0], T),
        ("macd_hist[2] < macd_hist[1]", [1, 2, 0], T),
        ("crossed_above(macd_hist, 0)", [5, 0, 1], T),
        ("crossed_above(macd_hist, 0)", [-1, 1, 2], F),
        ("crossed_above(macd_hist, 0, within=2)", [-1, 1, 2], T),
        ("crossed_above(macd_hist, 0, within=2)", [-1, 1, -2], T),
        ("crossed_above(macd_hist, 0)", [-1, -1, 0], F),
        ("crossed_below(macd_hist, 0)", [-5, 0, -1], T),
        ("crossed_below(macd_hist, 0)", [5, 1, 0], F),
        ("crossed_above(macd_hist, 0)", [5, NAN, 1], U),
        ("crossed_above(macd_hist, 0)", [5, NAN, -1], F),
    ],
)
def test_history_is_read_candle_by_candle(text: str, macd_hist: list[float], expected: int) -> None:
    assert truth(text, macd_hist=macd_hist) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('on("1h", adx) >= 25', T),
        ('on("1h", adx[1]) < 20', T),
        ('on("1h", adx - adx[1]) > 5', T),
        ('on("1h", adx) > rsi', F),
        ("r1 > 109", T),
        ("r1[1] > 109", F),
        ('on("1d", r1) > 109', T),
        ("close > s1", T),
    ],
)
def test_another_timeframe_is_read_at_its_newest_closed_candle(text: str, expected: int) -> None:
    frames = {
        **one(M5, close=100, rsi=50),
        H1: frame(H1, {"adx": [[10, 19, 25]]}),
        D1: frame(D1, {"r1": [[100, 110]], "s1": [90]}),
    }
    assert last(text, RuleInput(frames, M5)) == expected


def test_crossing_a_slower_timeframe_compares_each_candle_with_what_had_closed_then() -> None:
    text = 'crossed_above(close, on("1h", ema200))'
    slow = frame(H1, {"ema200": [[105.0, 95.0]]})  # 95 since 12:00, 105 the hour before
    fast = frame(M5, {"close": [[100.0, 100.0]]})  # 11:55 was below 105, 12:00 is above 95
    assert last(text, RuleInput({M5: fast, H1: slow}, M5)) == T


def test_a_finer_timeframe_is_read_at_the_close_of_the_slower_candle() -> None:
    fine = frame(M5, {"rsi": [list(range(60))]})
    slow = frame(M15, {"close": [1.0]})
    view = RuleInput({M5: fine, M15: slow}, M15, lag=1)
    assert last('56 <= on("5m", rsi) <= 56', view) == T  # three 5m candles before the newest, 59


def test_a_frame_that_ends_too_early_is_unknown_and_never_stale() -> None:
    hour_ago = frame(H1, {"adx": [30.0]}, at=H1.newest_open(AT))
    assert last('on("1h", adx) > 0', RuleInput({**one(M5), H1: hour_ago}, M5)) == U


def test_before_the_first_candle_of_another_timeframe_nothing_is_known() -> None:
    young = frame(H1, {"adx": [[30.0, 31.0]]}, rows=2)
    assert last('on("1h", adx[1]) >= 30', RuleInput({**one(M5), H1: young}, M5)) == T
    assert last('on("1h", adx[2]) > 0', RuleInput({**one(M5), H1: young}, M5)) == U


def test_leaves_show_parameters_by_value_and_chains_link_by_link() -> None:
    logic = parse(
        "-t < close / vwap - 1 <= t and rising(rsi, n)", condition="x", parameters={"t": 0.5, "n": 2}
    )
    assert [(leaf.condition, leaf.text) for leaf in leaves(logic)] == [
        ("x", "-0.5 < close / vwap - 1"),
        ("x", "close / vwap - 1 <= 0.5"),
        ("x", "rising(rsi, 2)"),
    ]


COMPOUND = (
    "rising(macd_hist, 3) or crossed_above(close, ema9, within=4) and not rsi[2] < 40 "
    'or on("15m", adx[1]) > on("5m", rsi) or close / (ema9 - 50) > r1'
)


@pytest.mark.parametrize("text", [COMPOUND, "falling(rsi[5], 7, by=close / 50)", 'on("15m", adx) > rsi[59]'])
def test_all_rows_of_the_past_say_what_each_moment_said(text: str) -> None:
    """One pass over the time axis equals asking moment by moment with the future cut off: no look-ahead."""
    rng = np.random.default_rng(7)
    rows = 90
    names = ("macd_hist", "close", "ema9", "rsi")
    columns: dict[str, list[Any]] = {name: [rng.normal(50, 5, rows).round(1)] for name in names}
    columns["rsi"][0][rng.integers(0, rows, 9)] = np.nan
    columns["ema9"][0][rng.integers(0, rows, 9)] = 50.0
    full = {
        M5: frame(M5, columns, rows=rows),
        M15: frame(M15, {"adx": [rng.normal(50, 5, 40)]}, rows=40),
        D1: frame(D1, {"r1": [[1.0, -1.0, 2.0]]}),
    }
    rule = Compiler({}).rule([text])
    past = np.broadcast_to(rule.truth(RuleInput(full, M5, rows=rows)), (1, rows))[0]
    for row in range(rows):
        close_ms = full[M5].close_ms[row]
        known = {timeframe: _cut(one_frame, close_ms) for timeframe, one_frame in full.items()}
        assert np.broadcast_to(rule.truth(RuleInput(known, M5)), (1, 1))[0, 0] == past[row], f"row {row}"
    assert len(set(past.tolist())) > 1, "the case is too easy: every row says the same"


def _cut(whole: Frame, close_ms: int) -> Frame:
    keep = int(np.searchsorted(whole.close_ms, close_ms, side="right"))
    columns = {name: values[:, :keep] for name, values in whole.columns.items()}
    return Frame(whole.timeframe, whole.close_ms[:keep], columns)
