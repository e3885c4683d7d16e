"""Whether claims about the order of terms contradict each other."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import pairwise

from apps.engine.profile.lint.claims import Order
from apps.engine.profile.lint.ranges import LARGEST, SMALLEST, range_of
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
    if isinstance(term, Apply) and term.function is SMALLEST:
        yield from (Order(term, part, strict=False) for part in term.terms)
    if isinstance(term, Apply) and term.function is LARGEST:
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
