"""A profile's own names for lists of items: read once, free of circles, put in the place of their names."""

from __future__ import annotations

from collections.abc import Mapping
from graphlib import TopologicalSorter
from typing import Any

from apps.engine.indicators.extra_kinds import Extra
from apps.engine.rules.condition import UNKNOWN_METRICS, Condition, Fault, is_free_name
from apps.engine.rules.rule import GROUPS, Compiler

MAX_DEFINITIONS = 100
GROUPING = (*GROUPS, "not")


def read_definitions(
    content: object, catalogue: Mapping[str, Condition], extras: Mapping[str, Extra] | None = None
) -> tuple[dict[str, list[Any]], list[Fault]]:
    """Return the definitions of a profile's section, and every fault by path. A faulty one has no items."""
    if not isinstance(content, Mapping) or not content:
        return {}, [
            ("", "definitions is a mapping of names to lists of items; leave it out when there are none")
        ]
    if len(content) > MAX_DEFINITIONS:
        return {}, [("", f"{len(content)} definitions; at most {MAX_DEFINITIONS}")]
    faults: list[Fault] = []
    for name in content:
        if not is_free_name(name):
            problem = "a definition's name is letters, digits and _, and no column or function"
            faults.append((f".{name}", problem))
        elif name in catalogue:
            faults.append((f".{name}", "conditions.yaml has a condition of this name: choose another"))

    # One circle for each group of definitions that name one another; its members have no items.
    uses = {name: frozenset(_names_in(items)) & content.keys() for name, items in content.items()}
    definitions: dict[str, list[Any]] = {}
    for name in uses:
        if name not in definitions and (circle := _shortest_circle(name, uses)):
            faults.append((f".{circle[0]}", f"defined by itself: {' → '.join(circle)}"))
            definitions |= {member: [] for member in circle}

    straight = {name: others - definitions.keys() for name, others in uses.items() if name not in definitions}
    for name in TopologicalSorter(straight).static_order():
        items = content[name]
        if items == [] or items is None:
            item_faults = [("", "a definition is a list of one item or more")]
        else:
            compiler = Compiler(catalogue, definitions, UNKNOWN_METRICS, extras)
            compiler.rule(items)
            item_faults = compiler.faults
        faults += [(f".{name}{path}", problem) for path, problem in item_faults]
        definitions[name] = [] if item_faults else items
    return definitions, sorted(faults)


def unused_definitions(definitions: Mapping[str, object], items: object) -> list[str]:
    """Return the names of `definitions` that none of `items`, or of a definition that is used, names."""
    used: set[str] = set()
    new = _names_in(items) & definitions.keys()
    while new:
        used |= new
        new = _names_in([definitions[name] for name in new]) & definitions.keys() - used
    return [name for name in definitions if name not in used]


def _names_in(items: object) -> set[str]:
    """Return what the items name, however deep they are grouped; parameters are no names."""
    names: set[str] = set()
    parts = [items]
    while parts:
        part = parts.pop()
        if isinstance(part, str):
            names.add(part)
        elif isinstance(part, list | tuple):
            parts += part
        elif isinstance(part, Mapping):
            parts += [value if key in GROUPING else key for key, value in part.items()]
    return names


def _shortest_circle(start: str, uses: Mapping[str, frozenset[str]]) -> list[str] | None:
    """Return a shortest way from `start` to itself by what each definition names; None when there is none."""
    ways = [[start]]
    passed: set[str] = set()
    for way in ways:
        for name in sorted(uses[way[-1]] - passed):
            if name == start:
                return [*way, start]
            passed.add(name)
            ways.append([*way, name])
    return None
