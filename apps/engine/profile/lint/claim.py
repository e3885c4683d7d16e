"""Between which numbers a term can lie, whatever the market does.

The bounds are those of float arithmetic: rounding is monotone, so an operation on the bounds bounds the
operation. What is not finite is missing and never compares, so only finite values count.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from apps.engine.indicators.columns import ALIASES, DIVERGENCES
from apps.engine.rules.grammar import largest, smallest
from apps.engine.rules.logic import OPPOSITE, AllOf, AnyOf, Comparison, Crossing, Leaf, Logic, Not, Trend
from apps.engine.rules.term import Apply, Column, Number, Term

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
    if function is smallest:
        return Range(min(part.low for part in parts), min(part.high for part in parts))
    if function is largest:
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


WIDEST_CROSSING = 5
"""Candles of a crossing that are gone through one by one; a wider one is taken as a whole."""


@dataclass(frozen=True, slots=True)
class Order:
    """`low` < `high` where `strict`, else `low` <= `high`."""

    low: Term
    high: Term
    strict: bool


@dataclass(frozen=True, slots=True)
class Held:
    """A leaf that is known as a whole only: it is true, or false."""

    key: object
    is_true: bool


@dataclass(frozen=True, slots=True)
class Every:
    parts: tuple[Claim, ...]


@dataclass(frozen=True, slots=True)
class Either:
    parts: tuple[Claim, ...]


Claim = Order | Held | Every | Either
NOTHING = Every(())


def claim(logic: Logic, is_true: bool = True) -> Claim:
    """What follows from `logic` being true (false)."""
    match logic:
        case Not(part):
            return claim(part, not is_true)
        case AllOf(parts=parts):
            return _joined(tuple(claim(part, is_true) for part in parts), every=is_true)
        case AnyOf(parts=parts):
            return _joined(tuple(claim(part, is_true) for part in parts), every=not is_true)
    return _leaf(logic, is_true)


def _joined(parts: tuple[Claim, ...], *, every: bool) -> Claim:
    return Every(parts) if every else Either(parts)


def _leaf(leaf: Leaf, is_true: bool) -> Claim:
    if isinstance(leaf, Comparison):
        sign = leaf.sign if is_true else OPPOSITE[leaf.sign]
        return _compared(tidied(leaf.left), sign, tidied(leaf.right))
    if isinstance(leaf, Trend):
        return _trend(leaf, is_true)
    return _crossing(leaf, is_true)


def _compared(left: Term, sign: str, right: Term) -> Claim:
    if sign in (">", ">="):
        left, right = right, left
    strict = sign in ("<", ">")
    if isinstance(left, Number) and is_whole(right):
        least = math.floor(left.value) + 1 if strict else math.ceil(left.value)
        return Order(Number(least), right, strict=False)
    if isinstance(right, Number) and is_whole(left):
        most = math.ceil(right.value) - 1 if strict else math.floor(right.value)
        return Order(left, Number(most), strict=False)
    if isinstance(right, Number) and (inner := _inside_abs(left)) is not None:
        below, above = Order(inner, right, strict), Order(Number(-right.value), inner, strict)
        return Every((Order(left, right, strict), below, above))
    return Order(left, right, strict)


def _inside_abs(term: Term) -> Term | None:
    return term.terms[0] if isinstance(term, Apply) and term.function is np.abs else None


def _trend(leaf: Trend, is_true: bool) -> Claim:
    whole = Held(("trend", leaf.term, leaf.steps, leaf.sign, leaf.by), is_true)
    up = leaf.by is None or range_of(leaf.by).low >= 0
    if is_true and up:
        steps = [_step(leaf, back, leaf.sign) for back in range(leaf.steps)]
        return Every((whole, *steps))
    if not is_true and leaf.steps == 1 and leaf.by is None:
        return Every((whole, _step(leaf, 0, OPPOSITE[leaf.sign])))
    return whole


def _step(leaf: Trend, back: int, sign: str) -> Claim:
    return _compared_at(leaf.term, sign, leaf.term, back, back + 1)


def _crossing(leaf: Crossing, is_true: bool) -> Claim:
    whole = Held(("crossing", leaf.left, leaf.sign, leaf.right, leaf.within), is_true)
    if leaf.within > WIDEST_CROSSING:
        return whole
    here = [_crossed(leaf, back, is_true) for back in range(leaf.within)]
    return Every((whole, _joined(tuple(here), every=not is_true)))


def _crossed(leaf: Crossing, back: int, is_true: bool) -> Claim:
    now, before = (leaf.sign, OPPOSITE[leaf.sign]) if is_true else (OPPOSITE[leaf.sign], leaf.sign)
    parts = (
        _compared_at(leaf.left, now, leaf.right, back, back),
        _compared_at(leaf.left, before, leaf.right, back + 1, back + 1),
    )
    return _joined(parts, every=is_true)


def _compared_at(left: Term, sign: str, right: Term, left_back: int, right_back: int) -> Claim:
    """The comparison as it was so many candles ago; nothing where that moment cannot be named."""
    then, other = ago(left, left_back), ago(right, right_back)
    return NOTHING if then is None or other is None else _compared(tidied(then), sign, tidied(other))


def ago(term: Term, back: int) -> Term | None:
    """The term `back` candles ago; None for what is not counted in candles of the judged timeframe."""
    if back == 0 or isinstance(term, Number):
        return term
    if isinstance(term, Column):
        return replace(term, lag=term.lag + back) if term.timeframe is None else None
    if isinstance(term, Apply):
        parts = [ago(part, back) for part in term.terms]
        known = tuple(part for part in parts if part is not None)
        return Apply(term.function, known) if len(known) == len(parts) else None
    return None


def tidied(term: Term) -> Term:
    """The term with aliases by their first name, and a number where it can only be that one."""
    if isinstance(term, Column):
        return replace(term, name=ALIASES.get(term.name, term.name))
    if isinstance(term, Apply):
        found = Apply(term.function, tuple(tidied(part) for part in term.terms))
        low, high, _ = range_of(found)
        return Number(low) if low == high and math.isfinite(low) else found
    return term
