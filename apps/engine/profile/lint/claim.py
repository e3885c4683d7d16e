"""A rule as claims about the order of terms: what must be so when it is true; and the range of a term.

Only what follows for certain is claimed, so that a contradiction among claims proves a contradiction of
rules. `not` is pushed down to the leaves: a comparison that is false is its opposite that is true.
"""

from __future__ import annotations

import math
import operator
from dataclasses import dataclass, replace
from itertools import product
from typing import NamedTuple

import numpy as np

from apps.engine.indicators.columns import ALIASES, DIVERGENCES
from apps.engine.rules.grammar import largest, smallest
from apps.engine.rules.logic import OPPOSITE, AllOf, AnyOf, Comparison, Crossing, Logic, Not, Trend
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


WIDEST_CROSSING = 5
"""Candles of a crossing that are gone through one by one; a wider one is taken as a whole."""


@dataclass(frozen=True, slots=True)
class Order:
    """`low` < `high` where `strict`, else `low` <= `high`."""

    low: Term
    high: Term
    strict: bool


@dataclass(frozen=True, slots=True)
class WholeLeaf:
    """A leaf that is known as a whole only: it is true, or false."""

    key: object
    is_true: bool


@dataclass(frozen=True, slots=True)
class Every:
    parts: tuple[Claim, ...]


@dataclass(frozen=True, slots=True)
class Either:
    parts: tuple[Claim, ...]


Claim = Order | WholeLeaf | Every | Either
NOTHING = Every(())


def claim(logic: Logic, is_true: bool = True) -> Claim:
    """Return what follows from `logic` being true (false)."""
    match logic:
        case Not(part):
            return claim(part, not is_true)
        case AllOf(parts=parts):
            return _joined(tuple(claim(part, is_true) for part in parts), every=is_true)
        case AnyOf(parts=parts):
            return _joined(tuple(claim(part, is_true) for part in parts), every=not is_true)
        case Comparison(left=left, sign=sign, right=right):
            return _compared(canonical_term(left), sign if is_true else OPPOSITE[sign], canonical_term(right))
        case Trend():
            return _trend_claim(logic, is_true)
    return _crossing_claim(logic, is_true)


def ago(term: Term, back: int) -> Term | None:
    """Return the term `back` candles ago; None for what is not counted in candles of the judged timeframe."""
    if back == 0 or isinstance(term, Number):
        return term
    if isinstance(term, Column):
        return replace(term, lag=term.lag + back) if term.timeframe is None else None
    if isinstance(term, Apply):
        parts = [ago(part, back) for part in term.terms]
        known = tuple(part for part in parts if part is not None)
        return Apply(term.function, known) if len(known) == len(parts) else None
    return None


def canonical_term(term: Term) -> Term:
    """Return the term with aliases by their first name, and a number where it can only be that one."""
    if isinstance(term, Column):
        return replace(term, name=ALIASES.get(term.name, term.name))
    if isinstance(term, Apply):
        applied = Apply(term.function, tuple(canonical_term(part) for part in term.terms))
        low, high, _ = range_of(applied)
        return Number(low) if low == high and math.isfinite(low) else applied
    return term


def is_whole(term: Term) -> bool:
    """Whether the term is 0 or 1 and nothing between."""
    return isinstance(term, Column) and term.name in DIVERGENCES


def range_of(term: Term) -> Range:
    """Return the narrowest range in which `term` must lie, whatever the market does; ANY where none is known.

    The bounds are those of float arithmetic: rounding is monotone, so an operation on the bounds bounds the
    operation. What is not finite is missing and never compares, so only finite values count.
    """
    if isinstance(term, Number):
        return ANY if math.isnan(term.value) else Range(term.value, term.value)
    if isinstance(term, Column):
        return COLUMNS.get(ALIASES.get(term.name, term.name), ANY)
    if not isinstance(term, Apply):
        return ANY
    function, parts = term.function, [range_of(part) for part in term.terms]
    left, right = parts[0], parts[-1]
    if function is np.abs:
        ends = (abs(left.low), abs(left.high))
        return Range(0 if left.low <= 0 <= left.high else min(ends), max(ends))
    if function is operator.neg:
        return Range(-left.high, -left.low)
    if function is operator.add:
        return _without_nan(left.low + right.low, left.high + right.high)
    if function is operator.sub:
        return _without_nan(left.low - right.high, left.high - right.low)
    if function is operator.mul:
        # An endless bound stands for finite values only: times 0 it is 0.
        corners = [0.0 if 0 in ends else ends[0] * ends[1] for ends in product(left[:2], right[:2])]
        return Range(min(corners), max(corners))
    if function is operator.truediv:
        return _quotient_range(left, right)
    if function is smallest:
        return Range(min(part.low for part in parts), min(part.high for part in parts))
    if function is largest:
        return Range(max(part.low for part in parts), max(part.high for part in parts))
    return ANY


def _joined(parts: tuple[Claim, ...], *, every: bool) -> Claim:
    return Every(parts) if every else Either(parts)


def _trend_claim(leaf: Trend, is_true: bool) -> Claim:
    whole = WholeLeaf(("trend", leaf.term, leaf.steps, leaf.sign, leaf.by), is_true)
    no_step_back = leaf.by is None or range_of(leaf.by).low >= 0
    if is_true and no_step_back:
        steps = range(leaf.steps)
        return Every(
            (whole, *(_compared_at(leaf.term, leaf.sign, leaf.term, back, back + 1) for back in steps))
        )
    if not is_true and leaf.steps == 1 and leaf.by is None:
        return Every((whole, _compared_at(leaf.term, OPPOSITE[leaf.sign], leaf.term, 0, 1)))
    return whole


def _crossing_claim(leaf: Crossing, is_true: bool) -> Claim:
    whole = WholeLeaf(("crossing", leaf.left, leaf.sign, leaf.right, leaf.within), is_true)
    if leaf.within > WIDEST_CROSSING:
        return whole
    now, before = (leaf.sign, OPPOSITE[leaf.sign]) if is_true else (OPPOSITE[leaf.sign], leaf.sign)
    at_each = []
    for back in range(leaf.within):
        parts = (
            _compared_at(leaf.left, now, leaf.right, back, back),
            _compared_at(leaf.left, before, leaf.right, back + 1, back + 1),
        )
        at_each.append(_joined(parts, every=is_true))
    return Every((whole, _joined(tuple(at_each), every=not is_true)))


def _compared_at(left: Term, sign: str, right: Term, left_back: int, right_back: int) -> Claim:
    """Return the comparison as it was so many candles ago; NOTHING where that moment cannot be named."""
    then, other = ago(left, left_back), ago(right, right_back)
    if then is None or other is None:
        return NOTHING
    return _compared(canonical_term(then), sign, canonical_term(other))


def _compared(left: Term, sign: str, right: Term) -> Claim:
    """Return `left sign right` as an order; sharper where a term is 0 or 1, or an absolute value."""
    if sign in (">", ">="):
        left, right = right, left
    strict = sign in ("<", ">")
    if isinstance(left, Number) and is_whole(right):
        least = math.floor(left.value) + 1 if strict else math.ceil(left.value)
        return Order(Number(least), right, strict=False)
    if isinstance(right, Number) and is_whole(left):
        most = math.ceil(right.value) - 1 if strict else math.floor(right.value)
        return Order(left, Number(most), strict=False)
    if isinstance(right, Number) and isinstance(left, Apply) and left.function is np.abs:
        inner = left.terms[0]
        below, above = Order(inner, right, strict), Order(Number(-right.value), inner, strict)
        return Every((Order(left, right, strict), below, above))
    return Order(left, right, strict)


def _quotient_range(left: Range, right: Range) -> Range:
    """Return the range of left / right: by what may be 0 it has no bound, but its sign stays known."""
    if right.low == right.high != 0 and math.isfinite(right.low):
        ends = (left.low / right.low, left.high / right.low)
        return Range(min(ends), max(ends))
    if right.low >= 0:
        return Range(0 if left.low >= 0 else -math.inf, 0 if left.high <= 0 else math.inf)
    return ANY


def _without_nan(low: float, high: float) -> Range:
    return Range(-math.inf if math.isnan(low) else low, math.inf if math.isnan(high) else high)
