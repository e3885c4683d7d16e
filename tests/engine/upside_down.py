"""Random markets and the same markets upside down, exactly: what a mirrored rule must say the same of."""

from __future__ import annotations

import numpy as np

from apps.engine.frame import Floats
from apps.engine.rules.grammar import METRICS

PRICE_COLUMNS = ("close", "vwap", "ema9", "ema20", "ema21", "ema50", "ema200", "sma9", "sma21")
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
    markets |= {name: rng.integers(0, 65, shape) / 4 for name in ("volume_ratio", *METRICS)}
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
        "volume_ratio": markets["volume_ratio"],
        "bullish_divergence": markets["bearish_divergence"],
        "bearish_divergence": markets["bullish_divergence"],
    }
