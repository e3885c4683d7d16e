"""The parts of a profile's file, as frozen models that refuse what they do not know."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, PlainValidator, ValidationInfo

from apps.engine.indicators.extra_kinds import KINDS, Extra, extra_of_kind, parameter_fault
from apps.engine.profile.faults import RuleFaults
from apps.engine.rules.condition import Condition, Fault, is_free_name
from apps.engine.rules.logic import AllOf, AnyOf
from apps.engine.rules.rule import Compiler, Definitions, Rule
from apps.engine.rules.term import Term
from apps.engine.values.errors import suggestion
from apps.engine.values.position import Side
from apps.engine.values.timeframe import VALIDATION, Timeframe

MAX_INDICATORS = 20
"""Each costs a Python computation a symbol and timeframe, every candle."""

SELECTION_KEYS = {
    "stay": "stay_on_if",
    "drop": "drop_to_lower_if_any",
    "forbid": "forbid_drop_to_lower_if_any",
}
"""The role of each rule of a selection, and its key in the file."""


class Phase(StrEnum):
    """Where the side is agreed, and where we enter."""

    CONTEXT = "context"
    EXECUTION = "execution"


class Mode(StrEnum):
    """Whether every context timeframe must take the side, or none may oppose it."""

    STRICT = "strict"
    PRAGMATIC = "pragmatic"


class Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)


@dataclass(frozen=True)
class Vocabulary:
    """What items may name: the context of a profile's validation. `metrics` are for selections only."""

    conditions: Mapping[str, Condition] = field(default_factory=dict)
    definitions: Definitions = field(default_factory=dict)
    metrics: Mapping[str, Term] = field(default_factory=dict)
    extras: Mapping[str, Extra] = field(default_factory=dict)


def compiled_rule(items: Any, vocabulary: Vocabulary, join: type[AllOf | AnyOf] = AllOf) -> Rule:
    """Return the items as a Rule. Raises RuleFaults with all that is wrong with them."""
    compiler = Compiler(vocabulary.conditions, vocabulary.definitions, vocabulary.metrics, vocabulary.extras)
    rule = compiler.rule(items, join)
    if compiler.faults:
        raise RuleFaults(compiler.faults)
    return rule


def side_rule(items: Any, info: ValidationInfo) -> Rule:
    """Return the rule of a side; what an entry would be like is not for it to ask."""
    vocabulary: Vocabulary = info.context or Vocabulary()
    return compiled_rule(items, replace(vocabulary, metrics={}))


def selection_rule(items: Any, info: ValidationInfo) -> Rule:
    """Return the rule of a selection's items: any of them where the key says so, else all."""
    if items == []:
        raise ValueError("empty: name a condition or leave it out")
    vocabulary: Vocabulary = info.context or Vocabulary()
    join = AnyOf if str(info.field_name).endswith("_any") else AllOf
    return compiled_rule(items, vocabulary, join)


def judged_timeframe(timeframe: Timeframe) -> Timeframe:
    if timeframe not in VALIDATION:
        raise ValueError(f"{timeframe} takes no part in validation")
    return timeframe


def slowest_first(timeframes: tuple[Timeframe, ...]) -> tuple[Timeframe, ...]:
    if len(set(timeframes)) != len(timeframes):
        raise ValueError("a timeframe is named twice")
    return tuple(sorted(timeframes, key=lambda timeframe: -timeframe.seconds))


Items = Annotated[Rule, BeforeValidator(side_rule)]
SelectionItems = Annotated[Rule, BeforeValidator(selection_rule)]
JudgedTimeframe = Annotated[Timeframe, AfterValidator(judged_timeframe)]
Timeframes = Annotated[tuple[JudgedTimeframe, ...], AfterValidator(slowest_first)]


class Sides(Part):
    """The rule of each side; absent is None."""

    long: Items | None = None
    short: Items | None = None

    def of(self, side: Side) -> Rule | None:
        return self.long if side == Side.LONG else self.short


class PhasedSides(Sides):
    """Rules of a timeframe; a side given for a phase replaces the timeframe's own there."""

    context: Sides | None = None
    execution: Sides | None = None

    def phase_rule(self, phase: Phase, side: Side) -> Rule | None:
        """Return what the phase says of the side, else what the timeframe does."""
        special = self.context if phase == Phase.CONTEXT else self.execution
        rule = special.of(side) if special is not None else None
        return rule if rule is not None else self.of(side)


class Selection(Part):
    """When a candidate for the entry is left for the next faster one: rules at its own timeframe.

    They may name the metrics of an entry too.
    """

    stay_on_if: SelectionItems | None = None
    drop_to_lower_if_any: SelectionItems
    forbid_drop_to_lower_if_any: SelectionItems | None = None

    def rules(self) -> tuple[tuple[str, Rule], ...]:
        """Return every rule present with its role: "stay", "drop", "forbid"."""
        rules = [(role, getattr(self, key)) for role, key in SELECTION_KEYS.items()]
        return tuple((role, rule) for role, rule in rules if rule is not None)

    def content(self) -> dict[str, list[Any]]:
        """Return the section, loadable again, in one spelling."""
        return {SELECTION_KEYS[role]: list(rule.content) for role, rule in self.rules()}


@dataclass(frozen=True, eq=False)
class TimeframeRules:
    """What a profile asks of one timeframe in one phase, resolved from its sections.

    An absent side never holds; an absent filter never blocks; an absent selection never drops.
    """

    timeframe: Timeframe
    phase: Phase
    long: Rule | None
    short: Rule | None
    long_filters: Rule | None
    short_filters: Rule | None
    selection: Selection | None = None

    def side_rules(self) -> tuple[tuple[Side, str, Rule], ...]:
        """Return every rule present with its side and its role, "rule" or "filter"."""
        rules = (
            (Side.LONG, "rule", self.long),
            (Side.LONG, "filter", self.long_filters),
            (Side.SHORT, "rule", self.short),
            (Side.SHORT, "filter", self.short_filters),
        )
        return tuple((side, role, rule) for side, role, rule in rules if rule is not None)

    def all_rules(self) -> tuple[tuple[Side | None, str, Rule], ...]:
        """Return `side_rules`, then those of the selection, which have no side: "stay", "drop", "forbid"."""
        selection = self.selection.rules() if self.selection is not None else ()
        return self.side_rules() + tuple((None, role, rule) for role, rule in selection)


def read_indicators(content: object) -> tuple[dict[str, Extra], list[Fault]]:
    """Return the extra indicators of a section, the faulty ones left out, and every fault by path."""
    if not isinstance(content, Mapping):
        return {}, [("", "indicators is a mapping of names to {kind, …}; leave it out when there are none")]
    if len(content) > MAX_INDICATORS:
        return {}, [("", f"{len(content)} indicators; at most {MAX_INDICATORS}")]
    extras: dict[str, Extra] = {}
    faults: list[Fault] = []
    for name, declaration in content.items():
        of_declaration = _declaration_faults(name, declaration)
        faults += [(f".{str(name)[:80]}{path}", problem) for path, problem in of_declaration]
        if not of_declaration:
            params = {key: value for key, value in declaration.items() if key != "kind"}
            extras[name] = extra_of_kind(declaration["kind"], params)
    return extras, faults


def valid_indicators(content: Any) -> dict[str, Extra]:
    extras, faults = read_indicators(content)
    if faults:
        raise RuleFaults(faults)
    return extras


Indicators = Annotated[dict[str, Extra], PlainValidator(valid_indicators)]


def _declaration_faults(name: object, declaration: object) -> list[Fault]:
    if not is_free_name(name):
        return [("", "an indicator's name is letters, digits and _, and no column or function")]
    if not isinstance(declaration, Mapping) or "kind" not in declaration:
        return [("", "an indicator is a mapping with a kind, as {kind: supertrend, length: 10}")]
    kind_name = declaration["kind"]
    kind = KINDS.get(kind_name) if isinstance(kind_name, str) else None
    if kind is None:
        return [(".kind", f"unknown kind {str(kind_name)[:80]!r}{suggestion(str(kind_name), KINDS)}")]
    faults = []
    for key, value in declaration.items():
        if key == "kind":
            continue
        if key not in kind.params:
            listed = ", ".join(kind.params) or "no parameters"
            known = f"{suggestion(str(key), kind.params)}; {kind_name} takes {listed}"
            faults.append((f".{str(key)[:80]}", f"unknown parameter{known}"))
        elif problem := parameter_fault(kind, key, value):
            faults.append((f".{key}", problem))
    return faults
