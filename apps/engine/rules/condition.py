"""Named formulas with parameters: the catalogue a profile chooses from."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from apps.engine.indicators.columns import COLUMNS
from apps.engine.indicators.numpy_columns import PIVOTS
from apps.engine.rules.expression import canonical_formula, one_line, parse, parse_with_used
from apps.engine.rules.grammar import FUNCTIONS, METRICS, ExpressionError
from apps.engine.rules.logic import Logic
from apps.engine.rules.term import Number, Term
from apps.engine.values.errors import suggestion

KEYS = ("formula", "params", "about")
NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")
RESERVED = frozenset(
    (*COLUMNS, *PIVOTS, *METRICS, *FUNCTIONS, "and", "or", "not", "any_of", "all_of", "within", "by")
)
UNKNOWN_METRICS: Mapping[str, Term] = {name: Number(math.nan) for name in METRICS}
"""Stand in where a formula is checked but not yet used."""

Fault = tuple[str, str]
"""A path to a key ("params.t", "[2].any_of[0]"; "" for the thing itself) and what is wrong there."""


@dataclass(frozen=True)
class Condition:
    """`formula` may name its `params`; a profile may set each of them."""

    name: str
    formula: str
    params: Mapping[str, float]

    def logic(self, params: Mapping[str, float], metrics: Mapping[str, Term] | None = None) -> Logic:
        """Return the formula with `params` over the defaults. ExpressionError when one does not fit."""
        parameters = {**self.params, **params}
        return parse(self.formula, condition=self.name, parameters=parameters, metrics=metrics)

    def content(self) -> dict[str, object]:
        """Return everything that decides, in one spelling."""
        return {"formula": canonical_formula(self.formula), "params": dict(self.params)}


def canonical_number(value: float) -> float:
    """Return the one spelling of a number: 70.0 and 70 are the same threshold."""
    return int(value) if float(value).is_integer() else value


def is_free_name(name: object) -> bool:
    """Whether a profile may give this name to something of its own: a word, and no column or function."""
    return isinstance(name, str) and NAME.match(name) is not None and name not in RESERVED


def is_number(value: object) -> bool:
    """Whether a value of YAML is a finite number; True and "1e-6" are not."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    try:
        return math.isfinite(value)
    except OverflowError:
        return False


def number_fault(value: object) -> str:
    """Return what to say of a value that is no number."""
    return f"{str(value)[:80]!r} is not a finite number (write 0.000001 or 1.0e-6, without quotes)"


def read_conditions(content: object) -> tuple[dict[str, Condition], list[Fault]]:
    """Return the conditions of a catalogue's content, the faulty ones left out, and every fault by path."""
    if not isinstance(content, Mapping):
        return {}, [("", "a catalogue is a mapping of names to {formula, params, about}")]
    conditions: dict[str, Condition] = {}
    faults: list[Fault] = []
    for name, entry in content.items():
        entry_faults = _condition_faults(name, entry)
        faults += [(f"{name}{path}", problem) for path, problem in entry_faults]
        if not entry_faults:
            params = {key: canonical_number(value) for key, value in (entry.get("params") or {}).items()}
            conditions[name] = Condition(name, entry["formula"], params)
    return conditions, faults


def _condition_faults(name: object, entry: Any) -> list[Fault]:
    if not is_free_name(name):
        return [("", "a condition's name is letters, digits and _, and no column or function")]
    if not isinstance(entry, Mapping) or "formula" not in entry:
        return [("", "a condition is a mapping with a formula")]
    faults = [(f".{key}", f"unknown key{suggestion(str(key), KEYS)}") for key in entry if key not in KEYS]
    params = entry.get("params") or {}
    if not isinstance(params, Mapping):
        return [*faults, (".params", "params is a mapping of names to numbers")]
    for param, value in params.items():
        if not is_free_name(param):
            faults.append((f".params.{param}", "a parameter's name is a word, and no column or function"))
        elif not is_number(value):
            faults.append((f".params.{param}", number_fault(value)))
    if faults:
        return faults
    try:
        formula = one_line(entry["formula"])
    except ExpressionError as error:
        return [(".formula", str(error))]
    return list(_formula_faults(formula, tuple(params.items())))


@lru_cache(maxsize=1024)  # every profile reads the same catalogue
def _formula_faults(formula: str, params: tuple[tuple[str, float], ...]) -> tuple[Fault, ...]:
    try:
        _, used = parse_with_used(formula, parameters=dict(params), metrics=UNKNOWN_METRICS)
    except ExpressionError as error:
        return ((".formula", str(error)),)
    return tuple(
        (f".params.{param}", "the formula does not use it") for param, _ in params if param not in used
    )
