"""Numbers in a formula: constants, columns and arithmetic on them, over all rows at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from apps.engine.frame import Floats
from apps.engine.rules.rule_input import RuleInput, finite
from apps.engine.values.timeframe import Timeframe


@dataclass(frozen=True)
class Read:
    """One column as a rule reads it; `timeframe` None is the timeframe being judged.

    `lag` counts candles of the column's timeframe, `back` candles of the judged one.
    """

    timeframe: Timeframe | None
    name: str
    lag: int
    back: int

    def values(self, inputs: RuleInput) -> Floats:
        if self.timeframe is None:
            return inputs.column(self.name, self.lag, self.back)
        return inputs.other_column(self.timeframe, self.name, self.lag, self.back)

    def __str__(self) -> str:
        return self.name if self.timeframe is None else f'on("{self.timeframe}", {self.name})'


@dataclass(frozen=True)
class Number:
    value: float

    def values(self, inputs: RuleInput, back: int) -> Floats:
        return np.array([[self.value]])

    def reads(self, back: int) -> Iterator[Read]:
        return iter(())


@dataclass(frozen=True)
class Column:
    """`name[lag]`, of `timeframe` when written inside on(…)."""

    name: str
    lag: int = 0
    timeframe: Timeframe | None = None

    def values(self, inputs: RuleInput, back: int) -> Floats:
        return Read(self.timeframe, self.name, self.lag, back).values(inputs)

    def reads(self, back: int) -> Iterator[Read]:
        yield Read(self.timeframe, self.name, self.lag, back)


@dataclass(frozen=True)
class Apply:
    """Arithmetic. A result that is not finite is missing: x / 0 never becomes a number."""

    function: Callable[..., Any]
    terms: tuple[Term, ...]

    def values(self, inputs: RuleInput, back: int) -> Floats:
        return inputs.once(
            (self, back), lambda: finite(self.function(*(term.values(inputs, back) for term in self.terms)))
        )

    def reads(self, back: int) -> Iterator[Read]:
        for term in self.terms:
            yield from term.reads(back)


@dataclass(frozen=True)
class OptionalColumn:
    """What is known besides candles: a column of the judged timeframe's frame, unknown without it."""

    name: str

    def values(self, inputs: RuleInput, back: int) -> Floats:
        return inputs.optional_column(self.name, back)

    def reads(self, back: int) -> Iterator[Read]:
        return iter(())


Term = Number | Column | Apply | OptionalColumn
