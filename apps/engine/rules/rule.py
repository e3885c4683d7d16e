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
"""An item's logic, and its one spelling."""

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

    def truth(self, view: RuleInput) -> Truth:
        """-1 false, 0 unknown, +1 true; (S, rows) or broadcastable to it."""
        if self.logic is None:
            return np.full((1, 1), FALSE, dtype=np.int8)
        with np.errstate(
            all="ignore"
        ):  # what is not finite is unknown: that is the language, not an accident
            return self.logic.truth(view)

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
        """The rule of `items`: all of them, or any; meaningless when there are `faults`."""
        compiled = self._list(items, "", 0)
        logic = join(tuple(logic for logic, _ in compiled)) if compiled else None
        return Rule(logic, tuple(content for _, content in compiled), dict(self._used))

    def _list(self, items: object, path: str, depth: int) -> list[Compiled]:
        if not isinstance(items, list | tuple):
            self.faults.append((path, "a list of items is expected (begin each with -)"))
            return []
        compiled = []
        for index, item in enumerate(items):
            self._items += 1
            if self._items > MAX_ITEMS:
                self._too_many(path)
                break
            compiled.append(self._item(item, f"{path}[{index}]", depth))
        return [item for item in compiled if item is not None]

    def _item(self, item: object, path: str, depth: int) -> Compiled | None:
        if depth > MAX_NESTING:
            return self._fault(path, f"nested more than {MAX_NESTING} deep")
        if isinstance(item, str):
            return self._condition(item, {}, path, depth) if NAME.match(item) else self._formula(item, path)
        if isinstance(item, Mapping) and len(item) == 1:
            [(name, value)] = item.items()
            if name in GROUPS:
                return self._group(name, value, f"{path}.{name}", depth)
            if name == "not":
                return self._not(value, f"{path}.not", depth)
            return self._condition(name, value, path, depth)
        return self._fault(
            path, "an item is a condition's name, {name: number}, {any_of: […]}, {not: …} or a formula"
        )

    def _group(self, name: str, value: object, path: str, depth: int) -> Compiled | None:
        parts = self._list(value, path, depth + 1)
        if not parts:
            return self._fault(path, f"{name} is empty") if value == [] else None
        return GROUPS[name](tuple(logic for logic, _ in parts)), {name: [content for _, content in parts]}

    def _not(self, value: object, path: str, depth: int) -> Compiled | None:
        part = self._item(value, path, depth + 1)
        return None if part is None else (Not(part[0]), {"not": part[1]})

    def _formula(self, text: str, path: str) -> Compiled | None:
        try:
            return parse(text, metrics=self._metrics, extras=self._extras), canonical_formula(text)
        except ExpressionError as error:
            return self._fault(path, str(error))

    def _definition(self, name: str, value: object, path: str, depth: int) -> Compiled | None:
        """Its items in its place: the name itself decides nothing, so it is no part of the content."""
        if value != {}:
            return self._fault(path, "a definition takes no parameters")
        parts = self._list(self._definitions[name], path, depth + 1)
        if not parts:
            return None
        logics = tuple(logic for logic, _ in parts)
        return AllOf(logics, definition=name), {"all_of": [content for _, content in parts]}

    def _condition(self, name: object, value: object, path: str, depth: int) -> Compiled | None:
        if isinstance(name, str) and name in self._definitions:
            return self._definition(name, value, f"{path}.{name}", depth)
        condition = self._catalogue.get(name) if isinstance(name, str) else None
        if condition is None:
            known = (*self._catalogue, *self._definitions, *GROUPS, "not")
            return self._fault(path, f"unknown condition {str(name)[:80]!r}{suggestion(str(name), known)}")
        params = self._params(condition, value, f"{path}.{name}")
        if params is None:
            return None
        try:
            logic = condition.logic(params, self._metrics)
        except ExpressionError as error:
            return self._fault(f"{path}.{name}", str(error))
        self._used[condition.name] = condition
        written = {**condition.params, **params}
        return logic, {condition.name: written} if written else condition.name

    def _params(self, condition: Condition, value: object, path: str) -> dict[str, float] | None:
        before = len(self.faults)
        settings: dict[str, Anything]
        settings = dict(value) if isinstance(value, Mapping) else dict.fromkeys(condition.params, value)
        if not isinstance(value, Mapping) and len(condition.params) != 1:
            self._fault(path, f"one number does not say which of {_listed(condition)} it sets")
            return None
        for name, setting in settings.items():
            if name not in condition.params:
                self._fault(f"{path}.{name}", f"unknown parameter{suggestion(str(name), condition.params)}")
            elif not is_number(setting):
                self._fault(f"{path}.{name}", number_fault(setting))
        if len(self.faults) > before:
            return None
        return {name: canonical_number(setting) for name, setting in settings.items()}

    def _too_many(self, path: str) -> None:
        if self._items == MAX_ITEMS + 1:
            self._fault(
                path, f"more than {MAX_ITEMS} items, counting those of definitions wherever they are named"
            )

    def _fault(self, path: str, problem: str) -> Compiled | None:
        self.faults.append((path, problem))
        return None


def _listed(condition: Condition) -> str:
    return ", ".join(condition.params) or "no parameters"
