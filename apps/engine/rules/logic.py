"""The logic of a rule: comparisons, trends and crossings, joined by and, or, not; true, false or unknown."""

from __future__ import annotations

import operator
from collections.abc import Iterator
from dataclasses import dataclass
from functools import reduce
from typing import Any

import numpy as np
from numpy.typing import NDArray

from apps.engine.frame import Floats
from apps.engine.rules.rule_input import RuleInput
from apps.engine.rules.term import Read, Term

Truth = NDArray[np.int8]
"""Kleene's three values, (S, rows) or broadcastable to it: and = minimum, or = maximum, not = negative."""

FALSE, UNKNOWN, TRUE = -1, 0, 1

COMPARE = {"<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge}
OPPOSITE = {"<": ">=", "<=": ">", ">": "<=", ">=": "<"}


def compare(left: Floats, sign: str, right: Floats) -> Truth:
    """Unknown where either side is NaN: then neither the comparison nor its opposite is true."""
    held: Any = COMPARE[sign](left, right)
    failed: Any = COMPARE[OPPOSITE[sign]](left, right)
    return np.asarray(np.subtract(held, failed, dtype=np.int8))


def every(truths: list[Truth]) -> Truth:
    return reduce(np.minimum, truths)


def some(truths: list[Truth]) -> Truth:
    return reduce(np.maximum, truths)


@dataclass(frozen=True, eq=False)
class Comparison:
    """left < right (or <=, >, >=)."""

    condition: str
    text: str
    left: Term
    sign: str
    right: Term

    def truth(self, view: RuleInput) -> Truth:
        asked = (self.left, self.sign, self.right)  # long and short often ask the same
        return view.once(asked, lambda: compare(*self._ordered(view)))

    def sides(self, view: RuleInput) -> tuple[Floats, Floats]:
        return self.left.values(view, 0), self.right.values(view, 0)

    def reads(self) -> Iterator[Read]:
        yield from self.left.reads(0)
        yield from self.right.reads(0)

    def _ordered(self, view: RuleInput) -> tuple[Floats, str, Floats]:
        left, right = self.sides(view)
        return left, self.sign, right


@dataclass(frozen=True, eq=False)
class Trend:
    """Each of the last `steps` steps goes up (down), by more than `by` at that candle when given.

    Its sides are the value now and the value `steps` candles ago.
    """

    condition: str
    text: str
    term: Term
    steps: int
    sign: str
    by: Term | None

    def truth(self, view: RuleInput) -> Truth:
        return view.once(self, lambda: every([self._step(view, back) for back in range(self.steps)]))

    def sides(self, view: RuleInput) -> tuple[Floats, Floats]:
        return self.term.values(view, 0), self.term.values(view, self.steps)

    def reads(self) -> Iterator[Read]:
        for back in range(self.steps + 1):
            yield from self.term.reads(back)
            if self.by is not None and back < self.steps:
                yield from self.by.reads(back)

    def _step(self, view: RuleInput, back: int) -> Truth:
        now, before = self.term.values(view, back), self.term.values(view, back + 1)
        if self.by is None:
            return compare(now, self.sign, before)
        gained = now - before if self.sign == ">" else before - now
        return compare(gained, ">", self.by.values(view, back))


@dataclass(frozen=True, eq=False)
class Crossing:
    """At some candle of the last `within`: previous left <= right and now left > right (below: mirrored)."""

    condition: str
    text: str
    left: Term
    sign: str
    right: Term
    within: int

    def truth(self, view: RuleInput) -> Truth:
        return view.once(self, lambda: some([self._crossed(view, back) for back in range(self.within)]))

    def sides(self, view: RuleInput) -> tuple[Floats, Floats]:
        return self.left.values(view, 0), self.right.values(view, 0)

    def reads(self) -> Iterator[Read]:
        for back in range(self.within + 1):
            yield from self.left.reads(back)
            yield from self.right.reads(back)

    def _crossed(self, view: RuleInput, back: int) -> Truth:
        return every([self._at(view, back, self.sign), self._at(view, back + 1, OPPOSITE[self.sign])])

    def _at(self, view: RuleInput, back: int, sign: str) -> Truth:
        return compare(self.left.values(view, back), sign, self.right.values(view, back))


Leaf = Comparison | Trend | Crossing


@dataclass(frozen=True, eq=False)
class AllOf:
    """`definition` names the profile's own list that stands here written out; "" for any other."""

    parts: tuple[Logic, ...]
    definition: str = ""

    def truth(self, view: RuleInput) -> Truth:
        return every([part.truth(view) for part in self.parts])

    def leaves(self) -> Iterator[Leaf]:
        for part in self.parts:
            yield from leaves(part)


@dataclass(frozen=True, eq=False)
class AnyOf:
    parts: tuple[Logic, ...]

    def truth(self, view: RuleInput) -> Truth:
        return some([part.truth(view) for part in self.parts])

    def leaves(self) -> Iterator[Leaf]:
        for part in self.parts:
            yield from leaves(part)


@dataclass(frozen=True, eq=False)
class Not:
    part: Logic

    def truth(self, view: RuleInput) -> Truth:
        return np.negative(self.part.truth(view))

    def leaves(self) -> Iterator[Leaf]:
        yield from leaves(self.part)


Logic = AllOf | AnyOf | Not | Leaf


def leaves(logic: Logic) -> Iterator[Leaf]:
    """Every leaf, in the order it is written."""
    if isinstance(logic, Comparison | Trend | Crossing):
        yield logic
    else:
        yield from logic.leaves()
