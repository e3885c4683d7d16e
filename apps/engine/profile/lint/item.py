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
        """How it would be written, shortened; a definition by its name."""
        if isinstance(self.logic, AllOf) and self.logic.definition:
            return self.logic.definition
        shown = _written(self.content)
        return shown if len(shown) <= SHOWN else f"{shown[:SHOWN]}…"

    @property
    def is_definition(self) -> bool:
        return isinstance(self.logic, AllOf) and bool(self.logic.definition)

    @property
    def is_single(self) -> bool:
        """One comparison, one rising, one crossing: what it says is all that it says."""
        return isinstance(self.logic, Comparison | Trend | Crossing)

    def lists(self) -> Iterator[Items]:
        """The list inside a group or a definition; none inside a condition or a formula."""
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
        """Its items, and in the place of a list of all inside it (also a definition's) the items of that."""
        for item in self.items:
            inner = next(item.lists(), None)
            if inner is not None and inner.every and not isinstance(item.logic, Not):
                yield from inner.flat()
            else:
                yield item

    def all_lists(self) -> Iterator[Items]:
        """This list and every list inside it."""
        yield self
        for item in self.items:
            for inner in item.lists():
                yield from inner.all_lists()


def rule_items(rule: Rule, path: str) -> Items:
    """The items of a rule whose list stands at `path`."""
    logic = rule.logic
    if not isinstance(logic, AllOf | AnyOf):
        return Items(path, (), every=True)
    return Items(path, _parts(path, logic, rule.content), every=isinstance(logic, AllOf))


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


def idle_item_findings(items: Items) -> Iterator[Finding]:
    """What never or always holds by itself, and what another item of the same list already says."""
    for some in items.all_lists():
        for item in some.items:
            if not any(item.lists()):
                yield from _alone(item, every=some.every)
        yield from _repeated(some)


def _alone(item: Item, *, every: bool) -> Iterator[Finding]:
    found = [finding for leaf in leaves(item.logic) if (finding := _leaf(item, leaf, every)) is not None]
    if found or item.is_single:
        yield from found
    elif not item.reads():
        return
    elif not can_hold(item.logic):
        yield warning(item.path, f"{item.text} can never hold: its parts contradict each other")
    elif always_holds(item.logic):
        yield warning(item.path, f"{item.text} always holds: {_so(item, every)}")


def _so(item: Item, every: bool) -> str:
    """What follows from an item, or a part of it, that always holds."""
    if every or not item.is_single:
        return "it decides nothing; leave it out"
    return "with it the whole list of any does, and decides nothing"


def _leaf(item: Item, leaf: Leaf, every: bool) -> Finding | None:
    """Nothing about constants: who writes `never` means it."""
    if not any(leaf.reads()):
        return None
    if not can_hold(leaf):
        return warning(item.path, f"{leaf.text} can never hold{_because(leaf)}: mend the threshold")
    if always_holds(leaf):
        return warning(item.path, f"{leaf.text} always holds{_because(leaf)}: {_so(item, every)}")
    return None


def _because(leaf: Leaf) -> str:
    """The range that settles a comparison with a constant."""
    if not isinstance(leaf, Comparison):
        return ""
    for term, other, text in (
        (leaf.left, leaf.right, leaf.text.partition(f" {leaf.sign} ")[0]),
        (leaf.right, leaf.left, leaf.text.partition(f" {leaf.sign} ")[2]),
    ):
        found = range_of(term)
        if not isinstance(term, Number) and found.low != found.high and isinstance(other, Number):
            return f" ({text} is {found})"
    return ""


def _repeated(some: Items) -> Iterator[Finding]:
    """Items that say what another says: equal ones, and in a list of all those that follow from another."""
    told: set[int] = set()
    for index, item in enumerate(some.items):
        for other_index, other in enumerate(some.items):
            if index == other_index or other_index in told or index in told:
                continue
            if item.content == other.content:
                told.add(max(index, other_index))
                later, first = some.items[max(index, other_index)], some.items[min(index, other_index)]
                yield warning(later.path, f"{later.text} stands in the same list already, at {first.path}")
            elif _says_nothing(item, beside=other, every=some.every):
                told.add(index)
                yield warning(item.path, f"{item.text} decides nothing beside {other.text} at {other.path}")


def _says_nothing(item: Item, *, beside: Item, every: bool) -> bool:
    """Whether `item` is true wherever `beside` is (in a list of all), or only there (in a list of any).

    A definition is a building block: what it happens to say besides is no mistake of the list. Of any only
    single comparisons are told: a crossing beside its level names another way to the same place.
    """
    if beside.is_definition or item.is_definition or _settled(item) or _settled(beside):
        return False
    if every:
        return item.reads() <= beside.reads() and follows(item.logic, beside.logic)
    alike = item.is_single and beside.is_single and item.reads() >= beside.reads()
    return alike and follows(beside.logic, item.logic)


def _settled(item: Item) -> bool:
    """What never or always holds is told by itself."""
    return not can_hold(item.logic) or always_holds(item.logic)
