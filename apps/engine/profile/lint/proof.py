"""What can be proved of rules: that they can never hold, always hold, or hold whenever others do.

A proof is of what is known: an unknown comparison is neither true nor false. Where the ways a rule could hold
are too many to go through, nothing is proved: silence, never a false alarm.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise

from apps.engine.profile.lint.claim import (
    Claim,
    Either,
    Every,
    Held,
    Order,
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


def consistent(orders: Iterable[Order]) -> bool:
    """Whether the orders can all be so: there is no way round from a term to itself with a < on it.

    Also the ranges of the terms are kept, and what a candle, a minimum and a maximum are.
    """
    edges = list(orders)
    terms = {term for order in edges for term in (order.low, order.high)}
    edges += [order for term in terms for order in _known(term)]
    edges += _candle(terms)
    edges += _numbers({term for order in edges for term in (order.low, order.high)})
    return not _has_strict_circle(edges)


def _known(term: Term) -> Iterator[Order]:
    if isinstance(term, Number):
        return
    low, high, above = range_of(term)
    if low > -math.inf:
        yield Order(Number(low), term, strict=above)
    if high < math.inf:
        yield Order(term, Number(high), strict=False)
    if isinstance(term, Apply) and term.function is smallest:
        yield from (Order(term, part, strict=False) for part in term.terms)
    if isinstance(term, Apply) and term.function is largest:
        yield from (Order(part, term, strict=False) for part in term.terms)


def _candle(terms: set[Term]) -> list[Order]:
    columns = [term for term in terms if isinstance(term, Column)]
    return [
        Order(column, other, strict=False)
        for column in columns
        for first, second in ALWAYS_ORDERED
        if column.name == first and (other := replace(column, name=second)) in terms
    ]


def _numbers(terms: set[Term]) -> list[Order]:
    values = {term.value for term in terms if isinstance(term, Number) and not math.isnan(term.value)}
    return [Order(Number(low), Number(high), strict=True) for low, high in pairwise(sorted(values))]


def _has_strict_circle(edges: list[Order]) -> bool:
    above: dict[Term, set[Term]] = defaultdict(set)
    for edge in edges:
        above[edge.low].add(edge.high)
    reached: dict[Term, set[Term]] = {}
    return any(
        edge.low in reached.setdefault(edge.high, _reached(edge.high, above)) for edge in edges if edge.strict
    )


def _reached(start: Term, above: dict[Term, set[Term]]) -> set[Term]:
    found, new = {start}, [start]
    while new:
        for term in above.get(new.pop(), ()):
            if term not in found:
                found.add(term)
                new.append(term)
    return found


MOST_STEPS = 2_000
"""Ways looked into for one proof: a few tenths of a second at worst."""


def can_hold(*logics: Logic) -> bool:
    """False only when it is proved that they cannot all be true at one candle."""
    search = _Search()
    return search.possible([claim(logic) for logic in logics], [], {}) or search.steps > MOST_STEPS


def always_holds(logic: Logic) -> bool:
    """True only when it is proved that the rule cannot be false."""
    return not can_hold(Not(logic))


def follows(conclusion: Logic, *given: Logic) -> bool:
    """True only when it is proved that `conclusion` is not false wherever all of `given` are true."""
    return not can_hold(*given, Not(conclusion))


def contradiction(logics: Sequence[Logic]) -> list[int]:
    """Which of them (indices) contradict each other already, none to spare; [] when none is proved to."""
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

    steps: int = field(default=0)

    def possible(self, claims: list[Claim], orders: list[Order], held: dict[object, bool]) -> bool:
        """Whether one way is without contradiction; meaningless beyond MOST_STEPS."""
        self.steps += 1
        choices: list[Either] = []
        orders, held, left = list(orders), dict(held), list(claims)
        while left:
            part = left.pop()
            match part:
                case Order():
                    orders.append(part)
                case Held(key, is_true):
                    if held.setdefault(key, is_true) != is_true:
                        return False
                case Every(parts):
                    left += parts
                case Either():
                    choices.append(part)
        if self.steps > MOST_STEPS or not consistent(orders):
            return False
        if not choices:
            return True
        first, *others = choices
        return any(self.possible([part, *others], orders, held) for part in first.parts)
