"""The catalogue is whole: every name a strategist may carry over, with its defaults, on real candles."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import yaml

from apps.engine.frame import Frame
from apps.engine.indicators.columns import features
from apps.engine.profile.vocabulary import entry_metrics
from apps.engine.rules.condition import read_conditions
from apps.engine.rules.logic import leaves
from apps.engine.rules.rule_input import RuleInput
from apps.engine.values.timeframe import Timeframe
from tests.engine.frame_builder import H1, H4, M1, M5, M15
from tests.engine.real_candles import history
from tests.engine.trade_builder import entry_of

FILE = Path(__file__).resolve().parents[2] / "profiles" / "conditions.yaml"
CATALOGUE, _ = read_conditions(yaml.safe_load(FILE.read_text("utf-8")))
METRIC_TERMS = entry_metrics(entry_of())

PLAIN = (
    "close_above_ema_200",
    "close_below_ema_200",
    "close_above_ma_9",
    "close_below_ma_9",
    "close_above_vwap",
    "close_below_vwap",
    "close_above_vwap_or_ma9",
    "close_below_vwap_or_ma9",
    "close_above_vwap_and_ma9",
    "close_below_vwap_and_ma9",
    "ema_20_gt_50",
    "ema_20_lt_50",
    "ema_50_gt_200",
    "ema_50_lt_200",
    "macd_hist_slope_pos",
    "macd_hist_slope_neg",
    "macd_line_above_signal",
    "macd_line_below_signal",
    "macd_signal_cross_up",
    "macd_signal_cross_down",
    "ma9_cross_up_ma21",
    "ma9_cross_down_ma21",
    "pullback_confirmed",
    "pullback_confirmed_down",
    "no_bearish_divergence",
    "no_bullish_divergence",
    "always",
    "never",
)

DEFAULTS: dict[str, tuple[float, ...]] = {
    "close_above_vwap_or_ma9_relaxed": (0.0040, 0.0007, 0.0200),
    "close_below_vwap_or_ma9_relaxed": (0.0040, 0.0007, 0.0200),
    "close_minus_ema_200_gt": (-0.0015,),
    "close_minus_ema_200_lt": (0.0015,),
    "ema200_slope_pos": (13,),
    "ema200_slope_neg": (13,),
    "ema_20_slope_pos": (8,),
    "ema_20_slope_neg": (8,),
    "ema_20_minus_ema_50_gt": (-0.0008,),
    "ema_20_minus_ema_50_lt": (0.0008,),
    "ema20_over_50_with_tolerance": (0.0008,),
    "ema20_over_50_with_tolerance_moderate": (0.0012,),
    "ema20_under_50_with_tolerance": (0.0008,),
    "ema20_under_50_with_tolerance_moderate": (0.0012,),
    "ema_above_200_with_tolerance": (0.0015,),
    "ema_above_200_with_tolerance_moderate": (0.0020,),
    "ema_below_200_with_tolerance": (0.0015,),
    "ema_below_200_with_tolerance_moderate": (0.0020,),
    "price_regime_ok_long": (20,),
    "price_regime_ok_short": (20,),
    "macd_hist_gt_eps": (1e-6,),
    "macd_hist_lt_eps": (1e-6,),
    "macd_hist_increasing_n": (2, 0),
    "macd_hist_decreasing_n": (2, 0),
    "macd_line_cross_up_with_hysteresis": (0.00003, 3),
    "macd_line_cross_down_with_hysteresis": (0.00003, 3),
    "rsi_lt_70": (70,),
    "rsi_lt_80": (80,),
    "rsi_lt_85": (85,),
    "rsi_lt_15": (15,),
    "rsi_gt_15": (15,),
    "rsi_gt_20": (20,),
    "rsi_gt_30": (30,),
    "rsi_gt_85": (85,),
    "rsi_gt_softfloor": (22,),
    "rsi_lt_softcap": (78,),
    "rsi_bullish": (52,),
    "rsi_bearish": (48,),
    "rsi_cross_up": (30,),
    "rsi_cross_down": (70,),
    "rsi_5m_gt_floor": (20,),
    "rsi_1m_lt_extreme": (10,),
    "adx_min_for_trend": (15,),
    "adx_min_for_trend_1h": (20,),
    "adx_5m_lt": (20,),
    "adx_1m_lt": (20,),
    "atr_rel_in_range_15m": (0.0010, 0.0250),
    "atr_rel_in_range_5m": (0.0007, 0.0200),
    "atr_rel_in_range_micro": (0.0005, 0.045),
    "atr_volatility_ok": (0.001, 0.03),
    "atr_pct_15m_gt_bps": (120,),
    "atr_pct_15m_lte_bps": (120,),
    "near_vwap": (0.0015,),
    "pullback_confirmed_ma9_21": (0.0005,),
    "pullback_confirmed_ma9_21_down": (0.0005,),
    "pullback_confirmed_vwap": (0.003,),
    "pullback_confirmed_vwap_down": (0.003,),
    "price_lte_ma21_plus_k_atr": (1.5,),
    "price_gte_ma21_minus_k_atr": (1.5,),
    "price_below_ma21_plus_2atr": (2,),
    "volume_ratio_ok": (1.4,),
    "expected_r_multiple_gte": (2.0,),
    "expected_r_multiple_lt": (2.0,),
    "entry_zone_width_pct_gt": (1.2,),
    "entry_zone_width_pct_lte": (1.2,),
    "spread_bps_gt": (8,),
    "spread_bps_lte": (8,),
}
ELSEWHERE = {
    "adx_5m_lt": {M5},
    "adx_1m_lt": {M1},
    "adx_min_for_trend_1h": {H1},
    "atr_pct_15m_gt_bps": {M15},
    "atr_pct_15m_lte_bps": {M15},
}
"""The only names that look at another timeframe; in every other name a timeframe is history."""

UNDER_TEST = (M15, M5, M1)


def test_every_name_is_there_and_no_other() -> None:
    assert set(CATALOGUE) == {*PLAIN, *DEFAULTS}


@pytest.mark.parametrize("name", DEFAULTS)
def test_a_condition_has_its_defaults(name: str) -> None:
    assert tuple(CATALOGUE[name].params.values()) == DEFAULTS[name]


def test_what_has_no_default_takes_no_parameter() -> None:
    assert [name for name in PLAIN if CATALOGUE[name].params] == []


def test_only_the_named_conditions_look_at_another_timeframe() -> None:
    looking = {
        name: {
            read.timeframe
            for leaf in leaves(condition.logic({}, METRIC_TERMS))
            for read in leaf.reads()
            if read.timeframe
        }
        for name, condition in CATALOGUE.items()
        if "entry_zone" not in name  # the zone lies where the profile's entry says
    }
    assert {name: seen for name, seen in looking.items() if seen} == ELSEWHERE


@pytest.fixture(scope="module")
def frames() -> dict[Timeframe, Frame]:
    symbols = ("BTCUSDT", "ETHUSDT", "SOLUSDT")
    return {timeframe: features(history(symbols, timeframe), 600)[0] for timeframe in (H4, H1, M15, M5, M1)}


@pytest.mark.parametrize("name", CATALOGUE)
def test_a_condition_is_known_on_real_candles(name: str, frames: dict[Timeframe, Frame]) -> None:
    logic = CATALOGUE[name].logic({}, METRIC_TERMS)
    for timeframe in UNDER_TEST:
        with np.errstate(all="ignore"):
            truth = np.broadcast_to(logic.truth(RuleInput(frames, timeframe, rows=300)), (3, 300))
        recent = truth[:, -10:]  # slow candles go back as far as 600 of them: the newest minutes are in all
        assert set(np.unique(recent).tolist()) <= ({0} if name.startswith("spread_bps") else {-1, 1})
