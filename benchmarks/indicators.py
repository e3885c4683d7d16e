"""indicators: every feature column of many series, for the last rows, on one core; beside TA-Lib alone."""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import numpy as np

from apps.engine.frame import CLOSE, HIGH, LOW, OPEN, VOLUME, Floats, Windows, windows
from apps.engine.indicators import talib_columns
from apps.engine.indicators.columns import features
from apps.engine.indicators.divergence import CANDLES_BEFORE, bearish_divergence, bullish_divergence
from apps.engine.indicators.numpy_columns import stoch_rsi, volume_ratio, vwap
from apps.engine.indicators.talib_columns import talib
from apps.engine.values.timeframe import VALIDATION, Timeframe

UNTIL = datetime(2025, 6, 3, 20, tzinfo=UTC)
"""A boundary of every timeframe, late in the day: a long VWAP."""


def run(args: list[str]) -> dict[str, Any]:
    """Measure series that are spread evenly over the five timeframes of validation."""
    parser = argparse.ArgumentParser(prog="bench indicators", description=__doc__)
    parser.add_argument("--series", type=_positive, default=2000, help="symbols × timeframes (default 2000)")
    parser.add_argument("--candles", type=_positive, default=1000, help="length of a series (default 1000)")
    parser.add_argument("--depth", type=_positive, default=60, help="rows asked for (default 60)")
    parser.add_argument("--repeats", type=_positive, default=15, help="at least 5 (default 15)")
    options = parser.parse_args(args)
    repeats = max(options.repeats, 5)
    shares = [len(part) for part in np.array_split(np.arange(options.series), len(VALIDATION))]
    market = [
        _random_walks(timeframe, share, options.candles, seed)
        for seed, (timeframe, share) in enumerate(zip(VALIDATION, shares, strict=True))
    ]
    ours = _times_ms(lambda: [features(part, options.depth) for part in market], repeats)
    alone = statistics.median(_times_ms(lambda: _call_talib_alone(market), repeats))
    median = statistics.median(ours)
    return {
        "name": "indicators",
        "params": vars(options) | {"repeats": repeats},
        "metrics": {
            "n": len(ours),
            "median_ms": round(median, 1),
            "p99_ms": round(float(np.percentile(ours, 99)), 1),
            "talib_alone_ms": round(alone, 1),
            "ratio": round(median / alone, 2),
            "series_per_s": round(sum(len(part.symbols) for part in market) / median * 1000),
        },
        "stages": _stages_ms(market, options.depth, repeats),
    }


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text} is not at least 1")
    return number


def _random_walks(timeframe: Timeframe, series: int, count: int, seed: int) -> Windows:
    random = np.random.default_rng(seed)
    candles: Floats = np.empty((5, series, count))
    candles[CLOSE] = 100 * np.exp(np.cumsum(random.normal(0, 0.001, (series, count)), axis=1))
    candles[OPEN] = np.roll(candles[CLOSE], 1, axis=1)
    candles[HIGH] = np.maximum(candles[OPEN], candles[CLOSE]) * 1.0005
    candles[LOW] = np.minimum(candles[OPEN], candles[CLOSE]) * 0.9995
    candles[VOLUME] = random.uniform(1, 100, (series, count))
    return windows(tuple(f"COIN{row}USDT" for row in range(series)), timeframe, UNTIL, candles)


def _times_ms(work: Callable[[], object], repeats: int) -> list[float]:
    work()  # once unmeasured: imports, caches, first touch of memory
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        work()
        times.append((time.perf_counter() - start) * 1000)
    return times


def _call_talib_alone(market: list[Windows]) -> None:
    """Call TA-Lib itself for the same columns, StochRSI included, and throw the results away."""
    for part in market:
        for high, low, close in part.candles[HIGH : CLOSE + 1].transpose(1, 0, 2):
            talib.RSI(close, 14)
            for period in (9, 20, 21, 50, 200):
                talib.EMA(close, period)
            talib.SMA(close, 9)
            talib.SMA(close, 21)
            talib.MACD(close, 12, 26, 9)
            talib.ATR(high, low, close, 14)
            talib.ADX(high, low, close, 14)
            talib.BBANDS(close, 20, 2.0, 2.0)
            talib.STOCHRSI(close, 14, 14, 3)


def _stages_ms(market: list[Windows], depth: int, repeats: int) -> dict[str, float]:
    """Return median ms of each part by itself; what is missing to the total is copying and bookkeeping."""
    width = depth + CANDLES_BEFORE
    into = [
        {name: np.full((len(part.symbols), width), np.nan) for name in talib_columns.COLUMNS}
        for part in market
    ]

    def ta_lib() -> None:
        for part, arrays in zip(market, into, strict=True):
            talib_columns.fill_columns(part.candles, part.late, part.length, arrays)

    def session_vwap() -> None:
        for part in market:
            last_open_ms = int(part.until.timestamp() * 1000) - part.timeframe.ms
            vwap(part.candles, last_open_ms, part.timeframe, depth)

    def ratio() -> None:
        for part in market:
            volume_ratio(part.candles[VOLUME], depth)

    def stochastic() -> None:
        for arrays in into:
            stoch_rsi(arrays["rsi"], depth)

    def divergence() -> None:
        for part, arrays in zip(market, into, strict=True):
            for oscillator in (arrays["rsi"], arrays["macd_hist"]):
                bullish_divergence(part.candles[LOW], oscillator, depth)
                bearish_divergence(part.candles[HIGH], oscillator, depth)

    parts = {
        "talib_ms": ta_lib,
        "vwap_ms": session_vwap,
        "volume_ratio_ms": ratio,
        "stoch_rsi_ms": stochastic,
        "divergence_ms": divergence,
    }
    return {name: round(statistics.median(_times_ms(part, repeats)), 1) for name, part in parts.items()}
