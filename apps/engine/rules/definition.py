"""A profile's own names for lists of items: read once, free of circles, put in the place of their names."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from graphlib import TopologicalSorter
from typing import Any

from apps.engine.indicators.extra_kinds import Extra
from apps.engine.rules.condition import NAME, RESERVED, UNKNOWN_METRICS, Condition, Fault
from apps.engine.rules.rule import GROUPS, Compiler

MAX_DEFINITIONS = 100
GROUPING = (*GROUPS, "not")

Uses = Mapping[str, frozenset[str]]
"""Which other definitions each definition names."""


def read_definitions(
    content: object, catalogue: Mapping[str, Condition], extras: Mapping[str, Extra] | None = None
) -> tuple[dict[str, list[Any]], list[Fault]]:
    """The definitions of a profile's section, and every fault in it by path. A faulty one has no items."""
    if not isinstance(content, Mapping) or not content:
        return {}, [
            ("", "definitions is a mapping of names to lists of items; leave it out when there are none")
        ]
    if len(content) > MAX_DEFINITIONS:
        return {}, [("", f"{len(content)} definitions; at most {MAX_DEFINITIONS}")]
    faults = [(f".{name}", problem) for name in content for problem in _name_faults(name, catalogue)]
    uses = {name: frozenset(_named(items)) & content.keys() for name, items in content.items()}
    circles = _circles(uses)
    faults += [(f".{circle[0]}", f"defined by itself: {' → '.join(circle)}") for circle in circles]
    definitions: dict[str, list[Any]] = {name: [] for circle in circles for name in circle}
    straight = {name: others - definitions.keys() for name, others in uses.items() if name not in definitions}
    for name in TopologicalSorter(straight).static_order():
        found = _item_faults(content[name], Compiler(catalogue, definitions, UNKNOWN_METRICS, extras))
        faults += [(f".{name}{path}", problem) for path, problem in found]
        definitions[name] = [] if found else content[name]
    return definitions, sorted(faults)


def unused_definitions(definitions: Mapping[str, object], asked: object) -> list[str]:
    """The names of `definitions` that no item of `asked`, or of a definition that is used, names."""
    found: set[str] = set()
    new = _named(asked) & definitions.keys()
    while new:
        found |= new
        new = _named([definitions[name] for name in new]) & definitions.keys() - found
    return [name for name in definitions if name not in found]


def _named(items: object) -> set[str]:
    """What the items name, however deep they are grouped; parameters are no names."""
    found: set[str] = set()
    left = [items]
    while left:
        part = left.pop()
        if isinstance(part, str):
            found.add(part)
        elif isinstance(part, list | tuple):
            left += part
        elif isinstance(part, Mapping):
            left += [value if key in GROUPING else key for key, value in part.items()]
    return found


def _name_faults(name: object, catalogue: Mapping[str, Condition]) -> Iterator[str]:
    if not isinstance(name, str) or not NAME.match(name) or name in RESERVED:
        yield "a definition's name is letters, digits and _, and no column or function"
    elif name in catalogue:
        yield "conditions.yaml has a condition of this name: choose another"


def _item_faults(items: object, compiler: Compiler) -> list[Fault]:
    if items == [] or items is None:
        return [("", "a definition is a list of one item or more")]
    compiler.rule(items)
    return compiler.faults


def _circles(uses: Uses) -> list[list[str]]:
    """One way round for each group of definitions that name one another: a, b, a."""
    circles: list[list[str]] = []
    seen: set[str] = set()
    for name in uses:
        if name not in seen and (circle := _way_back(name, uses)):
            circles.append(circle)
            seen |= set(circle)
    return circles


def _way_back(start: str, uses: Uses) -> list[str] | None:
    """A shortest way from `start` to itself; None when there is none."""
    ways = [[start]]
    seen: set[str] = set()
    for way in ways:
        for name in sorted(uses[way[-1]] - seen):
            if name == start:
                return [*way, start]
            seen.add(name)
            ways.append([*way, name])
    return None
