"""All feature columns of one timeframe, from windows of candles to a frame."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence

import numpy as np

from apps.engine.frame import HIGH, LOW, VOLUME, Bools, Floats, Frame, Windows, close_times, tail
from apps.engine.indicators import talib_columns
from apps.engine.indicators.divergence import CANDLES_BEFORE, bearish_divergence, bullish_divergence
from apps.engine.indicators.extra_kinds import extras_of_columns, is_extra_column
from apps.engine.indicators.numpy_columns import PIVOTS, pivots, stoch_rsi, volume_ratio, vwap
from apps.engine.values.timeframe import Timeframe

PRICES = ("open", "high", "low", "close", "volume")
LOOKED_BACK_AT = ("rsi", "macd_hist")
"""Divergence and StochRSI need these from before the first row asked for."""

ALIASES = {"ma9": "sma9", "ma21": "sma21"}
STOCHASTIC = frozenset({"stoch_rsi_k", "stoch_rsi_d"})
DIVERGENCES: dict[str, tuple[Callable[[Floats, Floats, int], Floats], int, str]] = {
    "bullish_divergence": (bullish_divergence, LOW, "rsi"),
    "bearish_divergence": (bearish_divergence, HIGH, "rsi"),
    "bullish_divergence_macd": (bullish_divergence, LOW, "macd_hist"),
    "bearish_divergence_macd": (bearish_divergence, HIGH, "macd_hist"),
}
"""The function that computes each, by which prices, against which oscillator."""
COLUMNS: tuple[str, ...] = (
    *PRICES,
    *talib_columns.COLUMNS,
    *ALIASES,
    *("stoch_rsi_k", "stoch_rsi_d"),
    *("vwap", "volume_ratio"),
    *DIVERGENCES,
)
"""What every frame has; a frame of 1d has PIVOTS besides."""


def column_names(timeframe: Timeframe, wanted: Collection[str] | None = None) -> tuple[str, ...]:
    """Return the names of the columns of a frame of `timeframe`: all it always has, or those of `wanted`.

    Of an extra indicator all columns are in it when one is wanted. Raises ValueError for one it cannot have.
    """
    names = (*COLUMNS, *PIVOTS) if timeframe is Timeframe.D1 else COLUMNS
    if wanted is None:
        return names
    absent = {name for name in wanted if not is_extra_column(name)} - set(names)
    if absent:
        raise ValueError(f"{timeframe} has no column {', '.join(sorted(absent))}")
    extras = [column for extra in extras_of_columns(wanted) for column in extra.columns]
    return (*(name for name in names if name in wanted), *extras)


def features(
    windows: Windows,
    depth: int,
    *,
    rows: Sequence[int] | None = None,
    into: dict[str, Floats] | None = None,
    wanted: Collection[str] | None = None,
) -> tuple[Frame, frozenset[str]]:
    """Return the last `depth` rows of every column, and the symbols whose indicators raised.

    Columns are (S, depth), right-aligned; NaN where unknown: outside a symbol's contiguous window, in the
    rows of its late candles, before an indicator has enough data, and everywhere for a symbol that raised.
    With `rows` only those symbols are computed, into the arrays of `into` (those of an earlier frame of the
    same shape; without it into new ones of NaN). With `wanted` only these columns are computed; extra
    indicators are computed where a column of theirs is wanted, and all columns of them are given. Raises
    ValueError when `depth` or `into` does not fit, or a wanted column does not exist.
    """
    if depth < 1:
        raise ValueError(f"depth {depth} is not at least 1")
    names = column_names(windows.timeframe, wanted)
    shape = (len(windows.symbols), depth)
    if into is not None:
        for name in names:
            if name not in into:
                raise ValueError(f"into lacks the column {name}")
            if into[name].shape != shape:
                raise ValueError(f"into[{name!r}] has shape {into[name].shape}, not {shape}")

    chosen = np.arange(shape[0]) if rows is None else np.asarray(rows, dtype=np.int64)
    part = windows if rows is None else windows.of_rows(chosen)
    fresh, failed, raised = _columns(part, depth, names)
    unknown = ~part.inside(depth) | failed[:, np.newaxis]
    if unknown.any():
        for values in fresh.values():
            values[unknown] = np.nan
    if rows is None and into is None:
        columns = fresh
    else:
        columns = into if into is not None else {name: np.full(shape, np.nan) for name in names}
        for name in names:
            columns[name][chosen] = fresh[name]
    closes = close_times(windows.until, windows.timeframe, depth)
    frame = Frame(windows.timeframe, closes, columns, raised=raised)
    return frame, frozenset(windows.symbols[row] for row in chosen[failed])


def _columns(
    windows: Windows, depth: int, names: Collection[str]
) -> tuple[dict[str, Floats], Bools, Mapping[str, frozenset[str]]]:
    """Return the columns `names`, which symbols raised, and who raised in an extra indicator."""
    candles, timeframe = windows.candles, windows.timeframe

    # TA-Lib's columns, those that others are made from included, some of them from before the first row.
    needed = {ALIASES.get(name, name) for name in names}
    needed |= {DIVERGENCES[name][2] for name in names if name in DIVERGENCES}
    if not STOCHASTIC.isdisjoint(names):
        needed.add("rsi")
    series = [name for name in talib_columns.COLUMNS if name in needed]
    width = dict.fromkeys(series, depth) | dict.fromkeys(LOOKED_BACK_AT, depth + CANDLES_BEFORE)
    columns = {name: np.full((candles.shape[1], width[name]), np.nan) for name in series}
    failed = talib_columns.fill_columns(candles, windows.late, windows.length, columns)
    oscillators = {name: columns[name] for name in LOOKED_BACK_AT if name in columns}
    columns |= {name: tail(values, depth) for name, values in oscillators.items()}
    columns |= {alias: columns[name] for alias, name in ALIASES.items() if alias in names}

    columns |= {
        name: tail(candles[index], depth).copy() for index, name in enumerate(PRICES) if name in names
    }
    if not STOCHASTIC.isdisjoint(names):
        columns["stoch_rsi_k"], columns["stoch_rsi_d"] = stoch_rsi(oscillators["rsi"], depth)
    if "vwap" in names:
        last_open_ms = int(windows.until.timestamp() * 1000) - timeframe.ms
        columns["vwap"] = vwap(candles, last_open_ms, timeframe, depth)
    if "volume_ratio" in names:
        columns["volume_ratio"] = volume_ratio(candles[VOLUME], depth)
    for name in names:
        if name in DIVERGENCES:
            diverges, price, oscillator = DIVERGENCES[name]
            columns[name] = diverges(candles[price], oscillators[oscillator], depth)
    if not frozenset(PIVOTS).isdisjoint(names):
        columns |= pivots(candles, depth)
    raised: Mapping[str, frozenset[str]] = {}
    if extras := extras_of_columns(names):
        from apps.engine.indicators.extra import extra_columns  # brings pandas: only where one is asked for

        extra, raised = extra_columns(windows, depth, extras)
        columns |= extra
    return {name: columns[name] for name in names}, failed, raised
