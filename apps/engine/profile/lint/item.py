"""Every item of a list, with its path and its text, as it stands in the profile's file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any as Anything

from apps.engine.profile.lint.claim import range_of
from apps.engine.profile.lint.finding import Finding, warning
from apps.engine.profile.lint.proof import always_holds, can_hold, follows
from apps.engine.rules.logic import AllOf, AnyOf, Comparison, Crossing, Leaf, Logic, Not, Trend, leaves
from apps.engine.rules.rule import Rule
from apps.engine.rules.term import Number, Read

SHOWN = 100
"""Characters of an item that a finding quotes."""


@dataclass(frozen=True)
class Item:
    """One item of a list: a condition, a formula, a group or a definition."""

    path: str
    logic: Logic
    content: Anything

    @property
    def text(self) -> str:
        """Return how it would be written, shortened; a definition by its name."""
        if isinstance(self.logic, AllOf) and self.logic.definition:
            return self.logic.definition
        shown = _written(self.content)
        return shown if len(shown) <= SHOWN else f"{shown[:SHOWN]}…"

    @property
    def is_definition(self) -> bool:
        return isinstance(self.logic, AllOf) and bool(self.logic.definition)

    @property
    def is_single(self) -> bool:
        """Whether it is one comparison, one rising or one crossing: what it says is all that it says."""
        return isinstance(self.logic, Comparison | Trend | Crossing)

    def lists(self) -> Iterator[Items]:
        """Yield the list inside a group or a definition; none inside a condition or a formula."""
        if not isinstance(self.content, dict):
            return
        [(name, inner)] = self.content.items()
        if isinstance(self.logic, AnyOf) and name == "any_of":
            yield Items(f"{self.path}.any_of", _parts(f"{self.path}.any_of", self.logic, inner), every=False)
        if isinstance(self.logic, AllOf) and name == "all_of":
            path = f"{self.path}.{self.logic.definition or 'all_of'}"
            yield Items(path, _parts(path, self.logic, inner), every=True)
        if isinstance(self.logic, Not) and name == "not":
            part = Item(f"{self.path}.not", self.logic.part, inner)
            yield from part.lists()

    def reads(self) -> set[Read]:
        return {read for leaf in leaves(self.logic) for read in leaf.reads()}


@dataclass(frozen=True)
class Items:
    """A list: all of its items must hold where `every`, else one of them."""

    path: str
    items: tuple[Item, ...]
    every: bool

    def flat(self) -> Iterator[Item]:
        """Yield its items; those of a list of all inside it, or of a definition, stand in its place."""
        for item in self.items:
            inner = next(item.lists(), None)
            if inner is not None and inner.every and not isinstance(item.logic, Not):
                yield from inner.flat()
            else:
                yield item

    def all_lists(self) -> Iterator[Items]:
        """Yield this list and every list inside it."""
        yield self
        for item in self.items:
            for inner in item.lists():
                yield from inner.all_lists()


def rule_items(rule: Rule, path: str) -> Items:
    """Return the items of a rule whose list stands at `path`."""
    logic = rule.logic
    if not isinstance(logic, AllOf | AnyOf):
        return Items(path, (), every=True)
    return Items(path, _parts(path, logic, rule.content), every=isinstance(logic, AllOf))


def idle_item_findings(items: Items) -> Iterator[Finding]:
    """Yield what never or always holds by itself, and what another item of the same list already says."""
    for part in items.all_lists():
        for item in part.items:
            if not any(item.lists()):
                yield from _settled_findings(item, every=part.every)

        # Equal items, and items that follow from another, each said once.
        reported: set[int] = set()
        for index, item in enumerate(part.items):
            for other_index, other in enumerate(part.items):
                if index == other_index or other_index in reported or index in reported:
                    continue
                if item.content == other.content:
                    reported.add(max(index, other_index))
                    later, first = part.items[max(index, other_index)], part.items[min(index, other_index)]
                    yield warning(
                        later.path, f"{later.text} stands in the same list already, at {first.path}"
                    )
                elif _is_redundant(item, beside=other, every=part.every):
                    reported.add(index)
                    yield warning(
                        item.path, f"{item.text} decides nothing beside {other.text} at {other.path}"
                    )


def _settled_findings(item: Item, *, every: bool) -> Iterator[Finding]:
    """Yield what of the item never or always holds: its leaves, else the whole of it.

    Nothing about constants: who writes `never` means it.
    """
    if every or not item.is_single:
        effect = "it decides nothing; leave it out"
    else:
        effect = "with it the whole list of any does, and decides nothing"
    settled_leaf = False
    for leaf in leaves(item.logic):
        if not any(leaf.reads()):
            continue
        if not can_hold(leaf):
            settled_leaf = True
            yield warning(item.path, f"{leaf.text} can never hold{_range_text(leaf)}: mend the threshold")
        elif always_holds(leaf):
            settled_leaf = True
            yield warning(item.path, f"{leaf.text} always holds{_range_text(leaf)}: {effect}")
    if settled_leaf or item.is_single or not item.reads():
        return
    if not can_hold(item.logic):
        yield warning(item.path, f"{item.text} can never hold: its parts contradict each other")
    elif always_holds(item.logic):
        yield warning(item.path, f"{item.text} always holds: {effect}")


def _range_text(leaf: Leaf) -> str:
    """Return the range that settles a comparison with a constant, "" where there is none."""
    if not isinstance(leaf, Comparison):
        return ""
    for term, other, text in (
        (leaf.left, leaf.right, leaf.text.partition(f" {leaf.sign} ")[0]),
        (leaf.right, leaf.left, leaf.text.partition(f" {leaf.sign} ")[2]),
    ):
        bounds = range_of(term)
        if not isinstance(term, Number) and bounds.low != bounds.high and isinstance(other, Number):
            return f" ({text} is {bounds})"
    return ""


def _is_redundant(item: Item, *, beside: Item, every: bool) -> bool:
    """Whether `item` is true wherever `beside` is (in a list of all), or only there (in a list of any).

    A definition is a building block: what it happens to say besides is no mistake of the list. What never or
    always holds is reported by itself. In a list of any only single comparisons count: a crossing beside its
    level names another way to the same place.
    """
    if beside.is_definition or item.is_definition:
        return False
    if any(not can_hold(part.logic) or always_holds(part.logic) for part in (item, beside)):
        return False
    if every:
        return item.reads() <= beside.reads() and follows(item.logic, beside.logic)
    alike = item.is_single and beside.is_single and item.reads() >= beside.reads()
    return alike and follows(beside.logic, item.logic)


def _parts(path: str, logic: AllOf | AnyOf, contents: Sequence[Anything]) -> tuple[Item, ...]:
    pairs = zip(logic.parts, contents, strict=True)
    return tuple(Item(f"{path}[{index}]", part, content) for index, (part, content) in enumerate(pairs))


def _written(content: Anything) -> str:
    if not isinstance(content, dict):
        return str(content)
    [(name, value)] = content.items()
    if isinstance(value, dict):
        values = ", ".join(f"{key}: {setting}" for key, setting in value.items())
        return f"{name} ({values})"
    inner = value if isinstance(value, list) else [value]
    return f"{name} [{', '.join(_written(part) for part in inner)}]"
