"""A rule: items of a profile's side, ANDed, compiled to logic over columns."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any as Anything

import numpy as np

from apps.engine.indicators.extra_kinds import Extra
from apps.engine.rules.condition import NAME, Condition, Fault, canonical_number, is_number, number_fault
from apps.engine.rules.expression import canonical_formula, parse
from apps.engine.rules.grammar import MAX_NESTING, ExpressionError
from apps.engine.rules.logic import FALSE, AllOf, AnyOf, Leaf, Logic, Not, Truth, leaves
from apps.engine.rules.rule_input import RuleInput
from apps.engine.rules.term import Read, Term
from apps.engine.values.errors import suggestion

Compiled = tuple[Logic, Anything]
"""An item's logic, and its content in one spelling."""

Definitions = Mapping[str, Sequence[Anything]]
"""A profile's own names for lists of items, all of which must hold; a faulty one has no items."""

GROUPS: dict[str, type[AnyOf | AllOf]] = {"any_of": AnyOf, "all_of": AllOf}
MAX_ITEMS = 1_000
"""Items of one list, those of definitions counted wherever named: ten short lines may say billions."""


@dataclass(frozen=True, eq=False)
class Rule:
    """Compiled items; without any, never true. `content` is their one spelling, parameters written out."""

    logic: AllOf | AnyOf | None
    content: tuple[Anything, ...]
    conditions: Mapping[str, Condition]

    def truth(self, inputs: RuleInput) -> Truth:
        """Return -1 false, 0 unknown, +1 true; (S, rows) or broadcastable to it."""
        if self.logic is None:
            return np.full((1, 1), FALSE, dtype=np.int8)
        with np.errstate(all="ignore"):  # not finite is unknown: that is the language, not an accident
            return self.logic.truth(inputs)

    def leaves(self) -> Iterator[Leaf]:
        return leaves(self.logic) if self.logic is not None else iter(())

    def reads(self) -> Iterator[Read]:
        for leaf in self.leaves():
            yield from leaf.reads()


class Compiler:
    """Compiles one list of items with a catalogue; `faults` collects what is wrong, by path in the list.

    `metrics` are the terms of METRICS where they may be used; elsewhere they are faults. `extras` are the
    indicators that formulas in place may name.
    """

    def __init__(
        self,
        catalogue: Mapping[str, Condition],
        definitions: Definitions | None = None,
        metrics: Mapping[str, Term] | None = None,
        extras: Mapping[str, Extra] | None = None,
    ) -> None:
        self.faults: list[Fault] = []
        self._catalogue = catalogue
        self._definitions = definitions or {}
        self._metrics = metrics or {}
        self._extras = extras or {}
        self._used: dict[str, Condition] = {}
        self._items = 0

    def rule(self, items: object, join: type[AllOf | AnyOf] = AllOf) -> Rule:
        """Return the rule of `items`: all of them, or any; meaningless when there are `faults`."""
        compiled = self._list(items, "", 0)
        logic = join(tuple(logic for logic, _ in compiled)) if compiled else None
        return Rule(logic, tuple(content for _, content in compiled), dict(self._used))

    def _list(self, items: object, path: str, depth: int) -> list[Compiled]:
        if not isinstance(items, list | tuple):
            self._fault(path, "a list of items is expected (begin each with -)")
            return []
        compiled = []
        for index, item in enumerate(items):
            self._items += 1
            if self._items > MAX_ITEMS:
                if self._items == MAX_ITEMS + 1:
                    self._fault(
                        path,
                        f"more than {MAX_ITEMS} items, counting those of definitions wherever they are named",
                    )
                break
            compiled.append(self._item(item, f"{path}[{index}]", depth))
        return [item for item in compiled if item is not None]

    def _item(self, item: object, path: str, depth: int) -> Compiled | None:
        if depth > MAX_NESTING:
            return self._fault(path, f"nested more than {MAX_NESTING} deep")
        if isinstance(item, str):
            if NAME.match(item):
                return self._named(item, {}, path, depth)
            try:
                return parse(item, metrics=self._metrics, extras=self._extras), canonical_formula(item)
            except ExpressionError as error:
                return self._fault(path, str(error))
        if not isinstance(item, Mapping) or len(item) != 1:
            return self._fault(
                path, "an item is a condition's name, {name: number}, {any_of: […]}, {not: …} or a formula"
            )
        [(name, value)] = item.items()
        if name in GROUPS:
            parts = self._list(value, f"{path}.{name}", depth + 1)
            if not parts:
                return self._fault(f"{path}.{name}", f"{name} is empty") if value == [] else None
            content = {name: [content for _, content in parts]}
            return GROUPS[name](tuple(logic for logic, _ in parts)), content
        if name == "not":
            part = self._item(value, f"{path}.not", depth + 1)
            return None if part is None else (Not(part[0]), {"not": part[1]})
        return self._named(name, value, path, depth)

    def _named(self, name: object, value: object, path: str, depth: int) -> Compiled | None:
        """Compile what `name` stands for: a definition, or a condition with the parameters `value`."""
        if isinstance(name, str) and name in self._definitions:
            if value != {}:
                return self._fault(f"{path}.{name}", "a definition takes no parameters")
            # Its items in its place: the name itself decides nothing, so it is no part of the content.
            parts = self._list(self._definitions[name], f"{path}.{name}", depth + 1)
            if not parts:
                return None
            logics = tuple(logic for logic, _ in parts)
            return AllOf(logics, definition=name), {"all_of": [content for _, content in parts]}
        condition = self._catalogue.get(name) if isinstance(name, str) else None
        if condition is None:
            known = (*self._catalogue, *self._definitions, *GROUPS, "not")
            return self._fault(path, f"unknown condition {str(name)[:80]!r}{suggestion(str(name), known)}")
        path = f"{path}.{name}"
        if not isinstance(value, Mapping) and len(condition.params) != 1:
            listed = ", ".join(condition.params) or "no parameters"
            return self._fault(path, f"one number does not say which of {listed} it sets")
        settings: dict[str, Anything]
        settings = dict(value) if isinstance(value, Mapping) else dict.fromkeys(condition.params, value)
        faults_before = len(self.faults)
        for key, setting in settings.items():
            if key not in condition.params:
                self._fault(f"{path}.{key}", f"unknown parameter{suggestion(str(key), condition.params)}")
            elif not is_number(setting):
                self._fault(f"{path}.{key}", number_fault(setting))
        if len(self.faults) > faults_before:
            return None
        params = {key: canonical_number(setting) for key, setting in settings.items()}
        try:
            logic = condition.logic(params, self._metrics)
        except ExpressionError as error:
            return self._fault(path, str(error))
        self._used[condition.name] = condition
        written = {**condition.params, **params}
        return logic, {condition.name: written} if written else condition.name

    def _fault(self, path: str, problem: str) -> Compiled | None:
        self.faults.append((path, problem))
        return None
