"""Every item of a list, with its path and its text, as it stands in the profile's file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any as Anything

from apps.engine.rules.leaf import Comparison, Crossing, Trend
from apps.engine.rules.logic import All, Any, Logic, Not, leaves
from apps.engine.rules.rule import Rule
from apps.engine.rules.term import Read

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
        if isinstance(self.logic, All) and self.logic.definition:
            return self.logic.definition
        shown = _written(self.content)
        return shown if len(shown) <= SHOWN else f"{shown[:SHOWN]}…"

    @property
    def is_definition(self) -> bool:
        return isinstance(self.logic, All) and bool(self.logic.definition)

    @property
    def is_single(self) -> bool:
        """One comparison, one rising, one crossing: what it says is all that it says."""
        return isinstance(self.logic, Comparison | Trend | Crossing)

    def lists(self) -> Iterator[Items]:
        """The list inside a group or a definition; none inside a condition or a formula."""
        if not isinstance(self.content, dict):
            return
        [(name, inner)] = self.content.items()
        if isinstance(self.logic, Any) and name == "any_of":
            yield Items(f"{self.path}.any_of", _parts(f"{self.path}.any_of", self.logic, inner), every=False)
        if isinstance(self.logic, All) and name == "all_of":
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


def items_of(rule: Rule, path: str) -> Items:
    """The items of a rule whose list stands at `path`."""
    logic = rule.logic
    if not isinstance(logic, All | Any):
        return Items(path, (), every=True)
    return Items(path, _parts(path, logic, rule.content), every=isinstance(logic, All))


def _parts(path: str, logic: All | Any, contents: Sequence[Anything]) -> tuple[Item, ...]:
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
