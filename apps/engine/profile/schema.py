"""The parts of a profile's file, as frozen models that refuse what they do not know."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, PlainValidator, ValidationInfo

from apps.engine.indicators.extra_kinds import KINDS, Extra, extra_of_kind, parameter_fault
from apps.engine.profile.faults import RuleFaults
from apps.engine.rules.condition import NAME, RESERVED, Condition, Fault
from apps.engine.rules.logic import AllOf
from apps.engine.rules.logic import AnyOf as AnyOf
from apps.engine.rules.rule import Compiler, Definitions, Rule
from apps.engine.rules.term import Term
from apps.engine.values.errors import suggestion
from apps.engine.values.position import Side
from apps.engine.values.timeframe import VALIDATION, Timeframe

MAX_INDICATORS = 20
"""Each costs a Python computation a symbol and timeframe, every candle."""


def read_indicators(content: object) -> tuple[dict[str, Extra], list[Fault]]:
    """The extra indicators of a section's content, and every fault by path. A faulty one is left out."""
    if not isinstance(content, Mapping):
        return {}, [("", "indicators is a mapping of names to {kind, …}; leave it out when there are none")]
    if len(content) > MAX_INDICATORS:
        return {}, [("", f"{len(content)} indicators; at most {MAX_INDICATORS}")]
    extras: dict[str, Extra] = {}
    faults: list[Fault] = []
    for name, entry in content.items():
        found = _faults(name, entry)
        faults += [(f".{str(name)[:80]}{path}", problem) for path, problem in found]
        if not found:
            params = {key: value for key, value in entry.items() if key != "kind"}
            extras[name] = extra_of_kind(entry["kind"], params)
    return extras, faults


def _faults(name: object, entry: object) -> list[Fault]:
    if not isinstance(name, str) or not NAME.match(name) or name in RESERVED:
        return [("", "an indicator's name is letters, digits and _, and no column or function")]
    if not isinstance(entry, Mapping) or "kind" not in entry:
        return [("", "an indicator is a mapping with a kind, as {kind: supertrend, length: 10}")]
    chosen = entry["kind"]
    kind = KINDS.get(chosen) if isinstance(chosen, str) else None
    if kind is None:
        return [(".kind", f"unknown kind {str(chosen)[:80]!r}{suggestion(str(chosen), KINDS)}")]
    faults = []
    for key, value in entry.items():
        if key == "kind":
            continue
        if key not in kind.params:
            listed = ", ".join(kind.params) or "no parameters"
            known = f"{suggestion(str(key), kind.params)}; {chosen} takes {listed}"
            faults.append((f".{str(key)[:80]}", f"unknown parameter{known}"))
        elif problem := parameter_fault(kind, key, value):
            faults.append((f".{key}", problem))
    return faults


def _read(content: Any) -> dict[str, Extra]:
    extras, faults = read_indicators(content)
    if faults:
        raise RuleFaults(faults)
    return extras


Indicators = Annotated[dict[str, Extra], PlainValidator(_read)]


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
    """What items may name; the context of a profile's validation. `metrics` only where a selection asks."""

    conditions: Mapping[str, Condition] = field(default_factory=dict)
    definitions: Definitions = field(default_factory=dict)
    metrics: Mapping[str, Term] = field(default_factory=dict)
    extras: Mapping[str, Extra] = field(default_factory=dict)


def rule_of_items(items: Any, vocabulary: Vocabulary, join: type[AllOf | AnyOf] = AllOf) -> Rule:
    """The items as a Rule. RuleFaults with all that is wrong with them."""
    compiler = Compiler(vocabulary.conditions, vocabulary.definitions, vocabulary.metrics, vocabulary.extras)
    rule = compiler.rule(items, join)
    if compiler.faults:
        raise RuleFaults(compiler.faults)
    return rule


def _of_side(items: Any, info: ValidationInfo) -> Rule:
    """The items of a side; what an entry would be like is no business of theirs."""
    vocabulary: Vocabulary = info.context or Vocabulary()
    return rule_of_items(items, replace(vocabulary, metrics={}))


def _judged(timeframe: Timeframe) -> Timeframe:
    if timeframe not in VALIDATION:
        raise ValueError(f"{timeframe} takes no part in validation")
    return timeframe


def _slowest_first(timeframes: tuple[Timeframe, ...]) -> tuple[Timeframe, ...]:
    if len(set(timeframes)) != len(timeframes):
        raise ValueError("a timeframe is named twice")
    return tuple(sorted(timeframes, key=lambda timeframe: -timeframe.seconds))


Items = Annotated[Rule, BeforeValidator(_of_side)]
JudgedTimeframe = Annotated[Timeframe, AfterValidator(_judged)]
Timeframes = Annotated[tuple[JudgedTimeframe, ...], AfterValidator(_slowest_first)]


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

    def in_phase(self, phase: Phase, side: Side) -> Rule | None:
        special = self.context if phase == Phase.CONTEXT else self.execution
        chosen = special.of(side) if special is not None else None
        return chosen if chosen is not None else self.of(side)


def _all(items: Any, info: ValidationInfo) -> Rule:
    return _compiled(items, info, AllOf)


def _any(items: Any, info: ValidationInfo) -> Rule:
    return _compiled(items, info, AnyOf)


def _compiled(items: Any, info: ValidationInfo, join: type[AllOf | AnyOf]) -> Rule:
    if items == []:
        raise ValueError("empty: name a condition or leave it out")
    vocabulary: Vocabulary = info.context or Vocabulary()
    return rule_of_items(items, vocabulary, join)


class Selection(Part):
    """Asked of a candidate at its own timeframe, the metrics included."""

    stay_on_if: Annotated[Rule, BeforeValidator(_all)] | None = None
    drop_to_lower_if_any: Annotated[Rule, BeforeValidator(_any)]
    forbid_drop_to_lower_if_any: Annotated[Rule, BeforeValidator(_any)] | None = None

    def rules(self) -> tuple[tuple[str, Rule], ...]:
        """Every rule present with its role: "stay", "drop", "forbid"."""
        every = (
            ("stay", self.stay_on_if),
            ("drop", self.drop_to_lower_if_any),
            ("forbid", self.forbid_drop_to_lower_if_any),
        )
        return tuple((role, rule) for role, rule in every if rule is not None)

    def content(self) -> dict[str, list[Any]]:
        """Loadable again, in one spelling."""
        keys = {"stay": "stay_on_if", "drop": "drop_to_lower_if_any", "forbid": "forbid_drop_to_lower_if_any"}
        return {keys[role]: list(rule.content) for role, rule in self.rules()}


@dataclass(frozen=True, eq=False)
class TimeframeRules:
    """An absent side never holds; an absent filter never blocks; an absent selection never drops."""

    timeframe: Timeframe
    phase: Phase
    long: Rule | None
    short: Rule | None
    long_filters: Rule | None
    short_filters: Rule | None
    selection: Selection | None = None

    def side_rules(self) -> tuple[tuple[Side, str, Rule], ...]:
        """Every rule present with its side and its role, "rule" or "filter"."""
        every = (
            (Side.LONG, "rule", self.long),
            (Side.LONG, "filter", self.long_filters),
            (Side.SHORT, "rule", self.short),
            (Side.SHORT, "filter", self.short_filters),
        )
        return tuple((side, role, rule) for side, role, rule in every if rule is not None)

    def all_rules(self) -> tuple[tuple[Side | None, str, Rule], ...]:
        """`side_rules`, then those of the selection, which have no side, as "stay", "drop" and "forbid"."""
        selection = self.selection.rules() if self.selection is not None else ()
        return self.side_rules() + tuple((None, role, rule) for role, rule in selection)
