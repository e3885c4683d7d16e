"""The parts of a profile's file, as frozen models that refuse what they do not know."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, ValidationInfo

from apps.engine.indicators.declared import Extra
from apps.engine.profile.faults import RuleFaults
from apps.engine.rules.condition import Condition
from apps.engine.rules.logic import All
from apps.engine.rules.logic import Any as AnyOf
from apps.engine.rules.rule import Compiler, Definitions, Rule
from apps.engine.rules.term import Term
from apps.engine.values.side import Side
from apps.engine.values.timeframe import VALIDATION, Timeframe


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


def compiled(items: Any, vocabulary: Vocabulary, join: type[All | AnyOf] = All) -> Rule:
    """The items as a Rule. RuleFaults with all that is wrong with them."""
    compiler = Compiler(vocabulary.conditions, vocabulary.definitions, vocabulary.metrics, vocabulary.extras)
    rule = compiler.rule(items, join)
    if compiler.faults:
        raise RuleFaults(compiler.faults)
    return rule


def _of_side(items: Any, info: ValidationInfo) -> Rule:
    """The items of a side; what an entry would be like is no business of theirs."""
    vocabulary: Vocabulary = info.context or Vocabulary()
    return compiled(items, replace(vocabulary, metrics={}))


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
