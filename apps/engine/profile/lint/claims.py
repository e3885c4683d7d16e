"""A rule as claims about the order of terms: what must be so when it is true.

Only what follows for certain is claimed, so that a contradiction among claims proves a contradiction of
rules. `not` is pushed down to the leaves: a comparison that is false is its opposite that is true.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from apps.engine.indicators.compute import ALIASES
from apps.engine.profile.lint.ranges import is_whole, range_of
from apps.engine.rules.leaf import OPPOSITE, Comparison, Crossing, Leaf, Trend
from apps.engine.rules.logic import All, Any, Logic, Not
from apps.engine.rules.term import Apply, Column, Number, Term

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
        case All(parts=parts):
            return _joined(tuple(claim(part, is_true) for part in parts), every=is_true)
        case Any(parts=parts):
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
