"""Between which numbers a term can lie, whatever the market does.

The bounds are those of float arithmetic: rounding is monotone, so an operation on the bounds bounds the
operation. What is not finite is missing and never compares, so only finite values count.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from apps.engine.indicators.compute import ALIASES, DIVERGENCES
from apps.engine.rules.numbers import CALLS
from apps.engine.rules.term import Apply, Column, Number, Term

SMALLEST, LARGEST = CALLS["min"], CALLS["max"]
POSITIVE = frozenset(
    (
        *("open", "high", "low", "close", "vwap", "pivot"),
        *("sma9", "sma21", "ema9", "ema20", "ema21", "ema50", "ema200", "bb_middle"),
    )
)
"""Prices, and what is a mean of prices."""


class Range(NamedTuple):
    """`low` … `high`, both included unless `above`, which leaves `low` itself out."""

    low: float
    high: float
    above: bool = False

    def __str__(self) -> str:
        if self.high == math.inf:
            return f"above {self.low:g}" if self.above else f"at least {self.low:g}"
        return f"{self.low:g}…{self.high:g}"


ANY = Range(-math.inf, math.inf)
COLUMNS = (
    dict.fromkeys(("rsi", "adx", "stoch_rsi_k", "stoch_rsi_d"), Range(0, 100))
    | dict.fromkeys(DIVERGENCES, Range(0, 1))
    | dict.fromkeys(("volume", "volume_ratio", "atr"), Range(0, math.inf))
    | dict.fromkeys(POSITIVE, Range(0, math.inf, above=True))
)


def column(name: str) -> Range:
    return COLUMNS.get(ALIASES.get(name, name), ANY)


def is_whole(term: Term) -> bool:
    """Whether the term is 0 or 1 and nothing between."""
    return isinstance(term, Column) and term.name in DIVERGENCES


def range_of(term: Term) -> Range:
    """The narrowest range known; ANY where nothing is."""
    match term:
        case Number(value):
            return ANY if math.isnan(value) else Range(value, value)
        case Column(name):
            return column(name)
        case Apply(function, terms):
            return _applied(function, [range_of(part) for part in terms])
    return ANY


def _applied(function: Callable[..., object], parts: list[Range]) -> Range:
    if function is np.abs:
        return _absolute(parts[0])
    if function is operator.neg:
        return Range(-parts[0].high, -parts[0].low)
    if function is operator.add:
        return _safe(parts[0].low + parts[1].low, parts[0].high + parts[1].high)
    if function is operator.sub:
        return _safe(parts[0].low - parts[1].high, parts[0].high - parts[1].low)
    if function is operator.mul:
        return _products(parts[0], parts[1])
    if function is operator.truediv:
        return _quotients(parts[0], parts[1])
    if function is SMALLEST:
        return Range(min(part.low for part in parts), min(part.high for part in parts))
    if function is LARGEST:
        return Range(max(part.low for part in parts), max(part.high for part in parts))
    return ANY


def _absolute(part: Range) -> Range:
    largest = max(abs(part.low), abs(part.high))
    return Range(0 if part.low <= 0 <= part.high else min(abs(part.low), abs(part.high)), largest)


def _products(left: Range, right: Range) -> Range:
    corners = [_times(one, other) for one in left[:2] for other in right[:2]]
    return Range(min(corners), max(corners))


def _times(one: float, other: float) -> float:
    return 0.0 if 0 in (one, other) else one * other  # an endless bound stands for finite values only


def _quotients(left: Range, right: Range) -> Range:
    """Divided by what may be 0 a value may grow without bound; its sign stays known."""
    if right.low == right.high != 0 and math.isfinite(right.low):
        ends = (left.low / right.low, left.high / right.low)
        return Range(min(ends), max(ends))
    if right.low >= 0:
        return Range(0 if left.low >= 0 else -math.inf, 0 if left.high <= 0 else math.inf)
    return ANY


def _safe(low: float, high: float) -> Range:
    return Range(-math.inf if math.isnan(low) else low, math.inf if math.isnan(high) else high)
