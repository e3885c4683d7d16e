"""Every shipped condition: true, false, unknown without data, and the true mirror of its mirror."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from apps.engine.frame import Floats, Frame, closes_until
from apps.engine.rules.condition import Condition, read_conditions
from apps.engine.rules.logic import Logic
from apps.engine.rules.view import View
from tests.engine.frame_builder import AT, M5, Series, one

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
}

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
}
SYMMETRIC = {
    "near_vwap",
    "adx_min_for_trend",
    "atr_volatility_ok",
    "atr_rel_in_range_15m",
    "atr_rel_in_range_5m",
}


def truth(name: str, columns: Any) -> int:
    condition: Condition = CATALOGUE[name]
    logic: Logic = condition.logic({})
    return int(logic.truth(View(one(**columns), M5))[0, -1])


def test_the_catalogue_is_free_of_faults_and_explains_itself() -> None:
    assert FAULTS == []
    assert [name for name, entry in CONTENT.items() if not entry.get("about")] == []


def test_every_condition_has_a_case_and_either_a_mirror_or_no_side() -> None:
    assert set(CASES) == set(CATALOGUE)
    assert set(MIRRORS) | set(MIRRORS.values()) | SYMMETRIC == set(CATALOGUE)


@pytest.mark.parametrize("name", CASES)
def test_a_condition_is_true_false_or_unknown(name: str) -> None:
    true, false = CASES[name]
    assert truth(name, true) == 1
    assert truth(name, false) == -1
    assert truth(name, {}) == 0


PRICE_COLUMNS = ("close", "vwap", "ema9", "ema20", "ema21", "ema50", "ema200", "sma21")
MACD_COLUMNS = ("macd", "macd_signal", "macd_hist")
CENTRE = 128.0
"""A power of two: prices on a binary grid reflect around it, and divide by it, without rounding."""

MARKETS, ROWS = 2_000, 20


def random_markets() -> dict[str, Floats]:
    """Many markets on coarse grids, so that equal values and exact thresholds are common."""
    rng = np.random.default_rng(20260302)
    shape = (MARKETS, ROWS)
    markets = {name: CENTRE + rng.integers(-64, 65, shape) / 64 for name in PRICE_COLUMNS}
    markets |= {name: rng.integers(-9, 10, shape) / 1024 for name in MACD_COLUMNS}
    markets |= {name: rng.integers(0, 201, shape) / 2 for name in ("rsi", "adx")}
    markets |= {name: rng.integers(0, 2, shape) / 1 for name in ("bullish_divergence", "bearish_divergence")}
    return markets | {"atr": rng.integers(0, 65, shape) / 64}


def reflected(markets: dict[str, Floats]) -> dict[str, Floats]:
    """The same markets upside down."""
    turned = {name: 2 * CENTRE - markets[name] for name in PRICE_COLUMNS}
    turned |= {name: -markets[name] for name in MACD_COLUMNS}
    return turned | {
        "rsi": 100 - markets["rsi"],
        "adx": markets["adx"],
        "atr": markets["atr"],
        "bullish_divergence": markets["bearish_divergence"],
        "bearish_divergence": markets["bullish_divergence"],
    }


def truths(name: str, markets: dict[str, Floats]) -> list[int]:
    frames = {M5: Frame(M5, closes_until(AT, M5, ROWS), markets)}
    answers = CATALOGUE[name].logic({}).truth(View(frames, M5))
    return [int(answer) for answer in answers[:, -1]]


@pytest.mark.parametrize("name", MIRRORS)
def test_a_mirror_says_of_the_market_upside_down_what_its_original_says(name: str) -> None:
    markets = random_markets()
    for divisor in re.findall(r"/ (\w+)", CATALOGUE[name].formula):
        markets[divisor][:] = CENTRE  # a ratio to the centre is what reflects exactly
    said = truths(name, markets)
    assert truths(MIRRORS[name], reflected(markets)) == said
    assert {1, -1} == set(said)
