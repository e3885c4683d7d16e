"""The five strategies as they are shipped: how each trades, and that the two sides of one are mirrors."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import numpy as np
import pytest

from apps.engine.evaluate.timeframe import newest_outcome
from apps.engine.frame import Frame, close_times
from apps.engine.profile import TimeframeRules
from apps.engine.values.timeframe import Timeframe
from tests.engine.frame_builder import AT, whole
from tests.engine.trade_builder import entry_of, profile
from tests.engine.upside_down import CENTRE, MARKETS, ROWS, random_markets, reflected

NAMES = ("scalper_micro", "scalper", "regular", "classic", "crash")
VALUES: dict[str, tuple[Any, ...]] = {
    "risk_pct": (0.5, 1.0, 1.0, 1.0, 0.75),
    "margin_pct": (10, 10, 10, 10, 10),
    "r_multiple": (1.8, 1.8, 2.0, 2.0, 1.5),
    "stop_from": ("atr", "pivot", "atr", "atr", "pivot"),
    "stop_fallback": ("atr",) * 5,
    "atr_k": (4.0, 2.0, 1.5, 1.5, 1.5),
    "pivot_sl_policy": ("nearest",) * 5,
    "pivot_sl_buffer_pct": (0.3,) * 5,
    "tp_buffer_pct": (0.1,) * 5,
    "tp_min_keep_ratio": (0.95,) * 5,
    "tp_max_extra_r": (0.4, 0.5, 0.5, 0.5, 0.5),
    "max_deviation_pct": (0.5, 0.3, 0.5, 0.5, 0.4),
    "implausible_pct": (2, 2, 2, 2, 3),
    "zone_max_deviation_pct": (1.2, 1.0, 1.5, 1.5, 1.5),
    "zone.anchor": ("sma21", "sma21", "vwap", "vwap", "sma21"),
    "zone.timeframe": ("1m", "5m", "15m", "5m", "5m"),
    "zone.atr_timeframe": ("5m", "5m", "15m", "5m", "5m"),
    "zone.k_atr": (0.35, 0.22, 0.30, 0.30, 0.25),
    "zone.w_min": (0.0005, 0.0004, 0.0005, 0.0005, 0.0005),
    "zone.w_max": (0.014, 0.0065, 0.010, 0.010, 0.008),
    "zone.bias": (0,) * 5,
    "zone.ttl_s": (180, 150, 240, 240, 120),
    "order_ttl_s": (60, 75, 120, 120, 120),
    "exchange_cap": (20,) * 5,
    "tp1_r": (None, 1.0, 1.0, 1.0, None),
    "order_type": ("limit",) * 5,
    "market_max_spread_pct": (0.06, 0.06, 0.06, 0.06, 0.08),
    "slippage_guard_bps": (8, 8, 8, 8, 10),
    "out_of_zone_bps": (10,) * 5,
    "spread_guard_bps": (6, 6, 6, 6, 8),
    "stop_slippage_bps": (5, 5, 5, 5, 15),
    "daily_max_loss_pct": (2.5, 6, 6, 6, 4),
    "max_concurrent_positions": (3, 5, 4, 4, 4),
    "fees.maker": (0.0002,) * 5,
    "fees.taker": (0.0006,) * 5,
}
CAPS: dict[str, tuple[int, ...]] = {
    "BTCUSDT": (20, 20, 20, 20, 15),
    "ETHUSDT": (20, 20, 20, 20, 15),
    "BNBUSDT": (20, 20, 20, 20, 15),
    "SOLUSDT": (20, 20, 20, 20, 20),
}


@pytest.mark.parametrize("key", VALUES)
def test_every_profile_trades_by_its_values(key: str) -> None:
    numbers = []
    for name in NAMES:
        value: Any = entry_of(name)
        for part in key.split("."):
            value = getattr(value, part)
        numbers.append(value)
    assert numbers == [
        Decimal(str(number)) if isinstance(number, float) else number for number in VALUES[key]
    ]


def test_three_profiles_take_what_is_left_from_the_book_at_the_end_of_its_time() -> None:
    fallbacks = {name: entry_of(name).fallback_end_of_zone for name in NAMES}
    assert {name for name, fallback in fallbacks.items() if fallback} == {
        "scalper_micro",
        "regular",
        "classic",
    }
    assert {(each.ttl_threshold_s, each.max_spread_bps) for each in fallbacks.values() if each} == {(25, 8)}


@pytest.mark.parametrize("symbol", CAPS)
def test_the_leverage_of_a_symbol_is_capped_by_the_smallest_that_applies(symbol: str) -> None:
    caps = [entry_of(name).leverage_cap(symbol, Timeframe.M5) for name in NAMES]
    assert tuple(caps) == CAPS[symbol]
    assert entry_of("regular").per_symbol_caps == {"^BTCUSDT$": 25, "^(ETH|BNB)USDT$": 20}


CLASSIC = profile("classic").timeframe_rules


@pytest.mark.parametrize("judged", CLASSIC, ids=[f"{one.timeframe} {one.phase}" for one in CLASSIC])
def test_the_shorts_of_classic_are_its_longs_upside_down(judged: TimeframeRules) -> None:
    markets = random_markets()
    for divisor in ("vwap", "sma9", "ema21"):
        markets[divisor][:] = CENTRE  # what is divided by, or multiplied, reflects exactly at the centre only
    said, mirrored = (_outcomes(judged, columns) for columns in (markets, reflected(markets)))
    sides = np.abs(said) == 1
    assert np.where(sides, -said, said).tolist() == mirrored.tolist()
    assert {1, -1} <= set(said.tolist())


def _outcomes(judged: TimeframeRules, columns: Any) -> Any:
    timeframe = judged.timeframe
    frame = Frame(timeframe, close_times(timeframe.floor(AT), timeframe, ROWS), columns)
    frames = whole(frame, symbols=[str(row) for row in range(MARKETS)])
    return newest_outcome(frames, judged, minimum=1, grace_s=0, at=AT).outcome
