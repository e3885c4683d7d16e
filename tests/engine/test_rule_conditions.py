"""Every shipped condition: true, false, unknown without data, and the true mirror of its mirror."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from apps.engine.frame import Floats, Frame, close_times
from apps.engine.rules.condition import Condition, read_conditions
from apps.engine.rules.grammar import METRICS
from apps.engine.rules.logic import Logic, leaves
from apps.engine.rules.rule_input import RuleInput
from apps.engine.rules.term import OptionalColumn, Term
from apps.engine.values.timeframe import Timeframe
from tests.engine.frame_builder import AT, H1, H4, M1, M5, M15, Series, one
from tests.engine.upside_down import CENTRE, MARKETS, ROWS, random_markets, reflected

PROFILES = Path(__file__).resolve().parents[2] / "profiles"
CONTENT = yaml.safe_load((PROFILES / "conditions.yaml").read_text(encoding="utf-8"))
CATALOGUE, FAULTS = read_conditions(CONTENT)

Columns = dict[str, Series]


CASES: dict[str, tuple[Columns, Columns]] = {
    "close_above_ema_200": ({"close": 101, "ema200": 100}, {"close": 100, "ema200": 100}),
    "close_below_ema_200": ({"close": 99, "ema200": 100}, {"close": 100, "ema200": 100}),
    "close_above_ma_9": ({"close": 101, "ema9": 100}, {"close": 100, "ema9": 100}),
    "close_below_ma_9": ({"close": 99, "ema9": 100}, {"close": 100, "ema9": 100}),
    "close_above_vwap": ({"close": 101, "vwap": 100}, {"close": 100, "vwap": 100}),
    "close_below_vwap": ({"close": 99, "vwap": 100}, {"close": 100, "vwap": 100}),
    "close_above_vwap_or_ma9": ({"close": 101, "ema9": 100}, {"close": 99, "vwap": 100, "ema9": 100}),
    "close_below_vwap_or_ma9": ({"close": 99, "vwap": 100}, {"close": 101, "vwap": 100, "ema9": 100}),
    "near_vwap": ({"close": 99.86, "vwap": 100}, {"close": 100.16, "vwap": 100}),
    "ema_above_200_with_tolerance": ({"close": 99.86, "ema200": 100}, {"close": 99.84, "ema200": 100}),
    "ema_above_200_with_tolerance_moderate": (
        {"close": 99.81, "ema200": 100},
        {"close": 99.79, "ema200": 100},
    ),
    "ema_below_200_with_tolerance": ({"close": 100.14, "ema200": 100}, {"close": 100.16, "ema200": 100}),
    "ema_below_200_with_tolerance_moderate": (
        {"close": 100.19, "ema200": 100},
        {"close": 100.21, "ema200": 100},
    ),
    "ema_20_gt_50": ({"ema20": 101, "ema50": 100}, {"ema20": 100, "ema50": 100}),
    "ema_20_lt_50": ({"ema20": 99, "ema50": 100}, {"ema20": 100, "ema50": 100}),
    "ema_50_gt_200": ({"ema50": 101, "ema200": 100}, {"ema50": 100, "ema200": 100}),
    "ema_50_lt_200": ({"ema50": 99, "ema200": 100}, {"ema50": 100, "ema200": 100}),
    "ema20_over_50_with_tolerance": ({"ema20": 99.93, "ema50": 100}, {"ema20": 99.91, "ema50": 100}),
    "ema20_over_50_with_tolerance_moderate": ({"ema20": 99.89, "ema50": 100}, {"ema20": 99.87, "ema50": 100}),
    "ema20_under_50_with_tolerance": ({"ema20": 100.07, "ema50": 100}, {"ema20": 100.09, "ema50": 100}),
    "ema20_under_50_with_tolerance_moderate": (
        {"ema20": 100.11, "ema50": 100},
        {"ema20": 100.13, "ema50": 100},
    ),
    "ema200_slope_pos": ({"ema200": [1, *[5] * 12, 2]}, {"ema200": [9, *[1] * 12, 2]}),
    "ema200_slope_neg": ({"ema200": [9, *[1] * 12, 2]}, {"ema200": [1, *[5] * 12, 2]}),
    "price_regime_ok_long": (
        {"close": 100, "ema200": 110, "ema50": 99, "adx": 20},
        {"close": 100, "ema200": 110, "ema50": 99, "adx": 19.9},
    ),
    "price_regime_ok_short": (
        {"close": 100, "ema200": 90, "ema50": 101, "adx": 20},
        {"close": 100, "ema200": 90, "ema50": 101, "adx": 19.9},
    ),
    "macd_hist_gt_eps": ({"macd_hist": -0.00009, "close": 100}, {"macd_hist": -0.00011, "close": 100}),
    "macd_hist_lt_eps": ({"macd_hist": 0.00009, "close": 100}, {"macd_hist": 0.00011, "close": 100}),
    "macd_hist_increasing_n": ({"macd_hist": [1, 2, 3], "close": 9}, {"macd_hist": [2, 2, 3], "close": 9}),
    "macd_hist_decreasing_n": ({"macd_hist": [3, 2, 1], "close": 9}, {"macd_hist": [2, 2, 1], "close": 9}),
    "macd_hist_slope_pos": ({"macd_hist": [1, 2]}, {"macd_hist": [2, 2]}),
    "macd_hist_slope_neg": ({"macd_hist": [2, 1]}, {"macd_hist": [2, 2]}),
    "macd_line_above_signal": ({"macd": 2, "macd_signal": 1}, {"macd": 1, "macd_signal": 1}),
    "macd_line_below_signal": ({"macd": 0, "macd_signal": 1}, {"macd": 1, "macd_signal": 1}),
    "macd_line_cross_up_with_hysteresis": (
        {"macd_hist": [-0.004, 0, 0, 0.004], "close": 100},
        {"macd_hist": [-0.004, 0, 0, 0, 0.004], "close": 100},
    ),
    "macd_line_cross_down_with_hysteresis": (
        {"macd_hist": [0.004, 0, 0, -0.004], "close": 100},
        {"macd_hist": [0.004, 0, 0, 0, -0.004], "close": 100},
    ),
    "rsi_lt_70": ({"rsi": 69.9}, {"rsi": 70}),
    "rsi_gt_30": ({"rsi": 30.1}, {"rsi": 30}),
    "rsi_lt_softcap": ({"rsi": 77.9}, {"rsi": 78}),
    "rsi_gt_softfloor": ({"rsi": 22.1}, {"rsi": 22}),
    "rsi_bullish": ({"rsi": 52.1}, {"rsi": 52}),
    "rsi_bearish": ({"rsi": 47.9}, {"rsi": 48}),
    "adx_min_for_trend": ({"adx": 15}, {"adx": 14.9}),
    "atr_volatility_ok": ({"atr": 0.11, "close": 100}, {"atr": 3.1, "close": 100}),
    "atr_rel_in_range_15m": ({"atr": 0.11, "close": 100}, {"atr": 0.09, "close": 100}),
    "atr_rel_in_range_5m": ({"atr": 1.9, "close": 100}, {"atr": 2.1, "close": 100}),
    "pullback_confirmed_ma9_21": (
        {"close": 99.96, "ema9": 99.96, "ema21": 100},
        {"close": 101, "ema9": 99.94, "ema21": 100},
    ),
    "pullback_confirmed_ma9_21_down": (
        {"close": 100.04, "ema9": 100.04, "ema21": 100},
        {"close": 99, "ema9": 100.06, "ema21": 100},
    ),
    "pullback_confirmed_vwap": ({"close": 100.2, "vwap": 100}, {"close": 100, "vwap": 100}),
    "pullback_confirmed_vwap_down": ({"close": 99.8, "vwap": 100}, {"close": 99.6, "vwap": 100}),
    "price_lte_ma21_plus_k_atr": (
        {"close": 101.5, "sma21": 100, "atr": 1},
        {"close": 101.6, "sma21": 100, "atr": 1},
    ),
    "price_gte_ma21_minus_k_atr": (
        {"close": 98.5, "sma21": 100, "atr": 1},
        {"close": 98.4, "sma21": 100, "atr": 1},
    ),
    "no_bearish_divergence": ({"bearish_divergence": 0}, {"bearish_divergence": 1}),
    "no_bullish_divergence": ({"bullish_divergence": 0}, {"bullish_divergence": 1}),
    "close_minus_ema_200_gt": ({"close": 99.86, "ema200": 100}, {"close": 99.84, "ema200": 100}),
    "close_minus_ema_200_lt": ({"close": 100.14, "ema200": 100}, {"close": 100.16, "ema200": 100}),
    "close_above_vwap_and_ma9": (
        {"close": 101, "vwap": 100, "ema9": 100},
        {"close": 101, "vwap": 100, "ema9": 102},
    ),
    "close_below_vwap_and_ma9": (
        {"close": 99, "vwap": 100, "ema9": 100},
        {"close": 99, "vwap": 98, "ema9": 100},
    ),
    "close_above_vwap_or_ma9_relaxed": (
        {"close": 99.7, "vwap": 100, "ema9": 100, "atr": 0.1},
        {"close": 99.5, "vwap": 100, "ema9": 100, "atr": 0.1},
    ),
    "close_below_vwap_or_ma9_relaxed": (
        {"close": 100.3, "vwap": 100, "ema9": 100, "atr": 0.1},
        {"close": 100.3, "vwap": 100, "ema9": 100, "atr": 0.01},
    ),
    "ema_20_minus_ema_50_gt": ({"ema20": 99.93, "ema50": 100}, {"ema20": 99.91, "ema50": 100}),
    "ema_20_minus_ema_50_lt": ({"ema20": 100.07, "ema50": 100}, {"ema20": 100.09, "ema50": 100}),
    "ema_20_slope_pos": ({"ema20": [1, *[5] * 7, 2]}, {"ema20": [9, *[1] * 7, 2]}),
    "ema_20_slope_neg": ({"ema20": [9, *[1] * 7, 2]}, {"ema20": [1, *[5] * 7, 2]}),
    "ma9_cross_up_ma21": ({"ema9": [1, 3], "ema21": [1, 2]}, {"ema9": [2, 3], "ema21": [1, 2]}),
    "ma9_cross_down_ma21": ({"ema9": [1, 1], "ema21": [1, 2]}, {"ema9": [1, 1], "ema21": [2, 2]}),
    "macd_signal_cross_up": (
        {"macd": [1, 3], "macd_signal": [1, 2]},
        {"macd": [2, 3], "macd_signal": [1, 2]},
    ),
    "macd_signal_cross_down": (
        {"macd": [1, 1], "macd_signal": [1, 2]},
        {"macd": [1, 1], "macd_signal": [2, 2]},
    ),
    "rsi_lt_80": ({"rsi": 79.9}, {"rsi": 80}),
    "rsi_gt_20": ({"rsi": 20.1}, {"rsi": 20}),
    "rsi_lt_85": ({"rsi": 84.9}, {"rsi": 85}),
    "rsi_gt_15": ({"rsi": 15.1}, {"rsi": 15}),
    "rsi_lt_15": ({"rsi": 14.9}, {"rsi": 15}),
    "rsi_gt_85": ({"rsi": 85.1}, {"rsi": 85}),
    "rsi_cross_up": ({"rsi": [30, 31]}, {"rsi": [31, 32]}),
    "rsi_cross_down": ({"rsi": [70, 69]}, {"rsi": [69, 68]}),
    "rsi_5m_gt_floor": ({"rsi": 20.1}, {"rsi": 20}),
    "rsi_1m_lt_extreme": ({"rsi": 9.9}, {"rsi": 10}),
    "atr_rel_in_range_micro": ({"atr": 0.051, "close": 100}, {"atr": 4.6, "close": 100}),
    "volume_ratio_ok": ({"volume_ratio": 1.4}, {"volume_ratio": 1.39}),
    "pullback_confirmed": (
        {"macd_hist": [3, 1, 2], "close": 101, "ema21": 100},
        {"macd_hist": [1, 2, 3], "close": 101, "ema21": 100},
    ),
    "pullback_confirmed_down": (
        {"macd_hist": [1, 3, 2], "close": 99, "ema21": 100},
        {"macd_hist": [1, 3, 2], "close": 101, "ema21": 100},
    ),
    "price_below_ma21_plus_2atr": (
        {"close": 102, "sma21": 100, "atr": 1},
        {"close": 102.1, "sma21": 100, "atr": 1},
    ),
    "expected_r_multiple_gte": ({"expected_r_multiple": 2}, {"expected_r_multiple": 1.9}),
    "expected_r_multiple_lt": ({"expected_r_multiple": 1.9}, {"expected_r_multiple": 2}),
    "entry_zone_width_pct_gt": ({"entry_zone_width_pct": 1.3}, {"entry_zone_width_pct": 1.2}),
    "entry_zone_width_pct_lte": ({"entry_zone_width_pct": 1.2}, {"entry_zone_width_pct": 1.3}),
    "spread_bps_gt": ({"spread_bps": 8.1}, {"spread_bps": 8}),
    "spread_bps_lte": ({"spread_bps": 8}, {"spread_bps": 8.1}),
}

ELSEWHERE: dict[str, tuple[Timeframe, Any, Any]] = {
    "adx_min_for_trend_1h": (H1, {"adx": 20}, {"adx": 19.9}),
    "adx_5m_lt": (M5, {"adx": 19.9}, {"adx": 20}),
    "adx_1m_lt": (M1, {"adx": 19.9}, {"adx": 20}),
    "atr_pct_15m_gt_bps": (M15, {"atr": 1.21}, {"atr": 1.2}),
    "atr_pct_15m_lte_bps": (M15, {"atr": 1.2}, {"atr": 1.21}),
}
"""What another timeframe decides, while the close under test is 100."""

CONSTANT = {"always": 1, "never": -1}

MIRRORS = {
    "close_above_ema_200": "close_below_ema_200",
    "close_above_ma_9": "close_below_ma_9",
    "close_above_vwap": "close_below_vwap",
    "close_above_vwap_or_ma9": "close_below_vwap_or_ma9",
    "ema_above_200_with_tolerance": "ema_below_200_with_tolerance",
    "ema_above_200_with_tolerance_moderate": "ema_below_200_with_tolerance_moderate",
    "ema_20_gt_50": "ema_20_lt_50",
    "ema_50_gt_200": "ema_50_lt_200",
    "ema20_over_50_with_tolerance": "ema20_under_50_with_tolerance",
    "ema20_over_50_with_tolerance_moderate": "ema20_under_50_with_tolerance_moderate",
    "ema200_slope_pos": "ema200_slope_neg",
    "price_regime_ok_long": "price_regime_ok_short",
    "macd_hist_gt_eps": "macd_hist_lt_eps",
    "macd_hist_increasing_n": "macd_hist_decreasing_n",
    "macd_hist_slope_pos": "macd_hist_slope_neg",
    "macd_line_above_signal": "macd_line_below_signal",
    "macd_line_cross_up_with_hysteresis": "macd_line_cross_down_with_hysteresis",
    "rsi_lt_70": "rsi_gt_30",
    "rsi_lt_softcap": "rsi_gt_softfloor",
    "rsi_bullish": "rsi_bearish",
    "pullback_confirmed_ma9_21": "pullback_confirmed_ma9_21_down",
    "pullback_confirmed_vwap": "pullback_confirmed_vwap_down",
    "price_lte_ma21_plus_k_atr": "price_gte_ma21_minus_k_atr",
    "no_bearish_divergence": "no_bullish_divergence",
    "close_minus_ema_200_gt": "close_minus_ema_200_lt",
    "close_above_vwap_and_ma9": "close_below_vwap_and_ma9",
    "close_above_vwap_or_ma9_relaxed": "close_below_vwap_or_ma9_relaxed",
    "ema_20_minus_ema_50_gt": "ema_20_minus_ema_50_lt",
    "ema_20_slope_pos": "ema_20_slope_neg",
    "ma9_cross_up_ma21": "ma9_cross_down_ma21",
    "macd_signal_cross_up": "macd_signal_cross_down",
    "rsi_lt_80": "rsi_gt_20",
    "rsi_lt_85": "rsi_gt_15",
    "rsi_gt_85": "rsi_lt_15",
    "rsi_cross_up": "rsi_cross_down",
    "pullback_confirmed": "pullback_confirmed_down",
}
SIDED_TWICE: dict[str, tuple[str, dict[str, float]]] = {
    "rsi_5m_gt_floor": ("rsi_lt_80", {}),
    "rsi_1m_lt_extreme": ("rsi_gt_85", {"level": 90}),
    "price_below_ma21_plus_2atr": ("price_gte_ma21_minus_k_atr", {"k": 2}),
}
"""Second names of a formula: their mirror is that of the first name."""

OPPOSITES = {
    "atr_pct_15m_gt_bps": "atr_pct_15m_lte_bps",
    "expected_r_multiple_gte": "expected_r_multiple_lt",
    "entry_zone_width_pct_gt": "entry_zone_width_pct_lte",
    "spread_bps_gt": "spread_bps_lte",
}
"""Without a side: one holds exactly where the other fails."""

SYMMETRIC = {
    "adx_min_for_trend_1h",
    "adx_5m_lt",
    "adx_1m_lt",
    "atr_rel_in_range_micro",
    "volume_ratio_ok",
    "always",
    "never",
    "near_vwap",
    "adx_min_for_trend",
    "atr_volatility_ok",
    "atr_rel_in_range_15m",
    "atr_rel_in_range_5m",
}


METRIC_TERMS: dict[str, Term] = {name: OptionalColumn(name) for name in METRICS}


def logic(name: str, params: dict[str, float] | None = None) -> Logic:
    condition: Condition = CATALOGUE[name]
    return condition.logic(params or {}, METRIC_TERMS)


def truth(name: str, columns: Any) -> int:
    return int(logic(name).truth(RuleInput(one(**columns), M5))[0, -1])


def test_the_catalogue_is_free_of_faults_and_explains_itself() -> None:
    assert FAULTS == []
    assert [name for name, entry in CONTENT.items() if not entry.get("about")] == []


def test_every_condition_has_a_case_and_either_a_mirror_or_no_side() -> None:
    assert {*CASES, *ELSEWHERE, *CONSTANT} == set(CATALOGUE)
    opposite = {*OPPOSITES, *OPPOSITES.values()}
    assert {*MIRRORS, *MIRRORS.values(), *SIDED_TWICE, *opposite, *SYMMETRIC} == set(CATALOGUE)


@pytest.mark.parametrize("name", CASES)
def test_a_condition_is_true_false_or_unknown(name: str) -> None:
    true, false = CASES[name]
    assert truth(name, true) == 1
    assert truth(name, false) == -1
    assert truth(name, {}) == 0


@pytest.mark.parametrize("name", ELSEWHERE)
def test_a_condition_of_another_timeframe_looks_there(name: str) -> None:
    timeframe, true, false = ELSEWHERE[name]
    for columns, expected in ((true, 1), (false, -1), ({}, 0)):
        frames = one(H4, close=100) | one(timeframe, **columns)
        assert logic(name).truth(RuleInput(frames, H4))[0, -1] == expected


@pytest.mark.parametrize("name", CONSTANT)
def test_a_constant_asks_nothing(name: str) -> None:
    assert truth(name, {}) == CONSTANT[name]
    assert [list(leaf.reads()) for leaf in leaves(logic(name))] == [[]]


def truths(name: str, markets: dict[str, Floats], params: dict[str, float] | None = None) -> list[int]:
    frames = {M5: Frame(M5, close_times(AT, M5, ROWS), markets)}
    answers = logic(name, params).truth(RuleInput(frames, M5))
    return [int(answer) for answer in answers[:, -1]]


@pytest.mark.parametrize("name", MIRRORS)
def test_a_mirror_says_of_the_market_upside_down_what_its_original_says(name: str) -> None:
    markets = random_markets()
    for divisor in re.findall(r"/ (\w+)", CATALOGUE[name].formula):
        markets[divisor][:] = CENTRE  # a ratio to the centre is what reflects exactly
    said = truths(name, markets)
    assert truths(MIRRORS[name], reflected(markets)) == said
    assert {1, -1} == set(said)


@pytest.mark.parametrize("name", SIDED_TWICE)
def test_a_second_name_has_the_mirror_of_the_first(name: str) -> None:
    markets = random_markets()
    mirror, params = SIDED_TWICE[name]
    said = truths(name, markets)
    assert truths(mirror, reflected(markets), params) == said
    assert {1, -1} == set(said)


@pytest.mark.parametrize("name", OPPOSITES)
def test_one_of_two_opposites_holds_wherever_both_are_known(name: str) -> None:
    columns = random_markets() | {"atr": np.linspace(0, 4, MARKETS * ROWS).reshape(MARKETS, ROWS)}
    frames = {
        timeframe: Frame(timeframe, close_times(AT, timeframe, ROWS), columns) for timeframe in (M5, M15)
    }
    first, other = (logic(part).truth(RuleInput(frames, M5))[:, -1] for part in (name, OPPOSITES[name]))
    assert (first == -other).all()
    assert {1, -1} == set(first.tolist())
