"""The parts of a profile's file, as frozen models that refuse what they do not know."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, ValidationInfo

from apps.engine.profile.faults import RuleFaults
from apps.engine.rules.rule import Compiler, Rule
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


def _compiled(items: Any, info: ValidationInfo) -> Rule:
    """The items of a side as a Rule; the catalogue is the validation's context."""
    compiler = Compiler(info.context or {})
    rule = compiler.rule(items)
    if compiler.faults:
        raise RuleFaults(compiler.faults)
    return rule


def _judged(timeframe: Timeframe) -> Timeframe:
    if timeframe not in VALIDATION:
        raise ValueError(f"{timeframe} takes no part in validation")
    return timeframe


def _slowest_first(timeframes: tuple[Timeframe, ...]) -> tuple[Timeframe, ...]:
    if len(set(timeframes)) != len(timeframes):
        raise ValueError("a timeframe is named twice")
    return tuple(sorted(timeframes, key=lambda timeframe: -timeframe.seconds))


Items = Annotated[Rule, BeforeValidator(_compiled)]
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


@dataclass(frozen=True, eq=False)
class Judged:
    """What judges one timeframe in one phase. An absent side never holds; an absent filter never blocks."""

    timeframe: Timeframe
    phase: Phase
    long: Rule | None
    short: Rule | None
    long_filters: Rule | None
    short_filters: Rule | None

    def rules(self) -> tuple[tuple[Side, str, Rule], ...]:
        """Every rule present with its side and its role, "rule" or "filter"."""
        every = (
            (Side.LONG, "rule", self.long),
            (Side.LONG, "filter", self.long_filters),
            (Side.SHORT, "rule", self.short),
            (Side.SHORT, "filter", self.short_filters),
        )
        return tuple((side, role, rule) for side, role, rule in every if rule is not None)
