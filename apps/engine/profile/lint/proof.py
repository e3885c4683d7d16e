"""What can be proved of rules: that they can never hold, always hold, or hold whenever others do.

A proof is of what is known: an unknown comparison is neither true nor false. Where the ways a rule could hold
are too many to go through, nothing is proved: silence, never a false alarm.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from apps.engine.profile.lint.claim import (
    Claim,
    Either,
    Every,
    Order,
    WholeLeaf,
    claim,
    range_of,
)
from apps.engine.rules.grammar import largest, smallest
from apps.engine.rules.logic import Logic, Not
from apps.engine.rules.term import Apply, Column, Number, Term

ALWAYS_ORDERED = (
    ("low", "open"),
    ("low", "close"),
    ("open", "high"),
    ("close", "high"),
    ("low", "high"),
    ("bb_lower", "bb_middle"),
    ("bb_lower", "bb_upper"),
    ("bb_middle", "bb_upper"),
)
"""Columns of one candle of which the first is never above the second."""

MOST_STEPS = 2_000
"""Ways looked into for one proof: a few tenths of a second at worst."""


def can_hold(*logics: Logic) -> bool:
    """Return False only when it is proved that they cannot all be true at one candle."""
    search = _Search()
    return search.possible([claim(logic) for logic in logics], [], {}) or search.steps > MOST_STEPS


def always_holds(logic: Logic) -> bool:
    """Return True only when it is proved that the rule cannot be false."""
    return not can_hold(Not(logic))


def follows(conclusion: Logic, *premises: Logic) -> bool:
    """Return True only when it is proved that `conclusion` is not false wherever all `premises` are true."""
    return not can_hold(*premises, Not(conclusion))


def contradiction(logics: Sequence[Logic]) -> list[int]:
    """Return the fewest of them (indices) that contradict each other; [] when none is proved to."""
    if can_hold(*logics):
        return []
    needed = list(range(len(logics)))
    for index in range(len(logics)):
        without = [other for other in needed if other != index]
        if not can_hold(*(logics[other] for other in without)):
            needed = without
    return needed


@dataclass
class _Search:
    """Goes through the ways in which claims may be so, at most MOST_STEPS of them."""

    steps: int = 0

    def possible(self, claims: list[Claim], orders: list[Order], leaves: dict[object, bool]) -> bool:
        """Whether one way is without contradiction; meaningless beyond MOST_STEPS."""
        self.steps += 1
        choices: list[Either] = []
        orders, leaves, remaining = list(orders), dict(leaves), list(claims)
        while remaining:
            part = remaining.pop()
            match part:
                case Order():
                    orders.append(part)
                case WholeLeaf(key, is_true):
                    if leaves.setdefault(key, is_true) != is_true:
                        return False
                case Every(parts):
                    remaining += parts
                case Either():
                    choices.append(part)
        if self.steps > MOST_STEPS or not _consistent(orders):
            return False
        if not choices:
            return True
        first, *others = choices
        return any(self.possible([part, *others], orders, leaves) for part in first.parts)


def _consistent(orders: list[Order]) -> bool:
    """Whether the orders can all be so: there is no way round from a term to itself with a < on it.

    Also the ranges of the terms are kept, and what a candle, a minimum and a maximum are.
    """
    edges = list(orders)
    terms = {term for order in orders for term in (order.low, order.high)}
    for term in terms:
        if isinstance(term, Number):
            continue
        low, high, above = range_of(term)
        if low > -math.inf:
            edges.append(Order(Number(low), term, strict=above))
        if high < math.inf:
            edges.append(Order(term, Number(high), strict=False))
        if isinstance(term, Apply) and term.function is smallest:
            edges += [Order(term, part, strict=False) for part in term.terms]
        if isinstance(term, Apply) and term.function is largest:
            edges += [Order(part, term, strict=False) for part in term.terms]
        if isinstance(term, Column):
            edges += [
                Order(term, other, strict=False)
                for first, second in ALWAYS_ORDERED
                if term.name == first and (other := replace(term, name=second)) in terms
            ]
    numbers = {
        term.value
        for order in edges
        for term in (order.low, order.high)
        if isinstance(term, Number) and not math.isnan(term.value)
    }
    edges += [Order(Number(low), Number(high), strict=True) for low, high in pairwise(sorted(numbers))]

    above_term: dict[Term, set[Term]] = defaultdict(set)
    for edge in edges:
        above_term[edge.low].add(edge.high)
    reached: dict[Term, set[Term]] = {}
    return not any(
        edge.low in reached.setdefault(edge.high, _terms_above(edge.high, above_term))
        for edge in edges
        if edge.strict
    )


def _terms_above(start: Term, above: dict[Term, set[Term]]) -> set[Term]:
    """Return every term that is known to be `start` or above it."""
    reached, new = {start}, [start]
    while new:
        for term in above.get(new.pop(), ()):
            if term not in reached:
                reached.add(term)
                new.append(term)
    return reached
