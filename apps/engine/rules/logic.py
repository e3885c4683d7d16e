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
    """Return the truth of `left sign right`: unknown where either is NaN (its opposite fails too)."""
    holds: Any = COMPARE[sign](left, right)
    fails: Any = COMPARE[OPPOSITE[sign]](left, right)
    return np.asarray(np.subtract(holds, fails, dtype=np.int8))


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

    def truth(self, inputs: RuleInput) -> Truth:
        key = (self.left, self.sign, self.right)  # long and short often ask the same
        return inputs.once(
            key, lambda: compare(self.left.values(inputs, 0), self.sign, self.right.values(inputs, 0))
        )

    def sides(self, inputs: RuleInput) -> tuple[Floats, Floats]:
        return self.left.values(inputs, 0), self.right.values(inputs, 0)

    def reads(self) -> Iterator[Read]:
        yield from self.left.reads(0)
        yield from self.right.reads(0)


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

    def truth(self, inputs: RuleInput) -> Truth:
        return inputs.once(self, lambda: every([self._step(inputs, back) for back in range(self.steps)]))

    def sides(self, inputs: RuleInput) -> tuple[Floats, Floats]:
        return self.term.values(inputs, 0), self.term.values(inputs, self.steps)

    def reads(self) -> Iterator[Read]:
        for back in range(self.steps + 1):
            yield from self.term.reads(back)
            if self.by is not None and back < self.steps:
                yield from self.by.reads(back)

    def _step(self, inputs: RuleInput, back: int) -> Truth:
        now, before = self.term.values(inputs, back), self.term.values(inputs, back + 1)
        if self.by is None:
            return compare(now, self.sign, before)
        gained = now - before if self.sign == ">" else before - now
        return compare(gained, ">", self.by.values(inputs, back))


@dataclass(frozen=True, eq=False)
class Crossing:
    """At some candle of the last `within`: previous left <= right and now left > right (below: mirrored)."""

    condition: str
    text: str
    left: Term
    sign: str
    right: Term
    within: int

    def truth(self, inputs: RuleInput) -> Truth:
        return inputs.once(self, lambda: some([self._crossed(inputs, back) for back in range(self.within)]))

    def sides(self, inputs: RuleInput) -> tuple[Floats, Floats]:
        return self.left.values(inputs, 0), self.right.values(inputs, 0)

    def reads(self) -> Iterator[Read]:
        for back in range(self.within + 1):
            yield from self.left.reads(back)
            yield from self.right.reads(back)

    def _crossed(self, inputs: RuleInput, back: int) -> Truth:
        (left, right), (left_before, right_before) = (
            (self.left.values(inputs, ago), self.right.values(inputs, ago)) for ago in (back, back + 1)
        )
        now, before = compare(left, self.sign, right), compare(left_before, OPPOSITE[self.sign], right_before)
        return np.minimum(now, before)


Leaf = Comparison | Trend | Crossing


@dataclass(frozen=True, eq=False)
class AllOf:
    """`definition` names the profile's own list that stands here written out; "" for any other."""

    parts: tuple[Logic, ...]
    definition: str = ""

    def truth(self, inputs: RuleInput) -> Truth:
        return every([part.truth(inputs) for part in self.parts])

    def leaves(self) -> Iterator[Leaf]:
        for part in self.parts:
            yield from leaves(part)


@dataclass(frozen=True, eq=False)
class AnyOf:
    parts: tuple[Logic, ...]

    def truth(self, inputs: RuleInput) -> Truth:
        return some([part.truth(inputs) for part in self.parts])

    def leaves(self) -> Iterator[Leaf]:
        for part in self.parts:
            yield from leaves(part)


@dataclass(frozen=True, eq=False)
class Not:
    part: Logic

    def truth(self, inputs: RuleInput) -> Truth:
        return np.negative(self.part.truth(inputs))

    def leaves(self) -> Iterator[Leaf]:
        yield from leaves(self.part)


Logic = AllOf | AnyOf | Not | Leaf


def leaves(logic: Logic) -> Iterator[Leaf]:
    """Yield every leaf, in the order it is written."""
    if isinstance(logic, Comparison | Trend | Crossing):
        yield logic
    else:
        yield from logic.leaves()
