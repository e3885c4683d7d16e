"""and, or, not over leaves, three-valued."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from apps.engine.rules.leaf import Comparison, Crossing, Leaf, Trend, Truth, every, some
from apps.engine.rules.view import View


@dataclass(frozen=True, eq=False)
class All:
    """`definition` names the profile's own list that stands here written out; "" for any other."""

    parts: tuple[Logic, ...]
    definition: str = ""

    def truth(self, view: View) -> Truth:
        return every([part.truth(view) for part in self.parts])

    def leaves(self) -> Iterator[Leaf]:
        for part in self.parts:
            yield from leaves(part)


@dataclass(frozen=True, eq=False)
class Any:
    parts: tuple[Logic, ...]

    def truth(self, view: View) -> Truth:
        return some([part.truth(view) for part in self.parts])

    def leaves(self) -> Iterator[Leaf]:
        for part in self.parts:
            yield from leaves(part)


@dataclass(frozen=True, eq=False)
class Not:
    part: Logic

    def truth(self, view: View) -> Truth:
        return np.negative(self.part.truth(view))

    def leaves(self) -> Iterator[Leaf]:
        yield from leaves(self.part)


Logic = All | Any | Not | Leaf


def leaves(logic: Logic) -> Iterator[Leaf]:
    """Every leaf, in the order it is written."""
    if isinstance(logic, Comparison | Trend | Crossing):
        yield logic
    else:
        yield from logic.leaves()
