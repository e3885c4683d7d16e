"""What a profile asks of one timeframe in one phase, resolved from its sections."""

from __future__ import annotations

from dataclasses import dataclass

from apps.engine.profile.schema import Phase
from apps.engine.profile.selection import Selection
from apps.engine.rules.rule import Rule
from apps.engine.values.side import Side
from apps.engine.values.timeframe import Timeframe


@dataclass(frozen=True, eq=False)
class Judged:
    """An absent side never holds; an absent filter never blocks; an absent selection never drops."""

    timeframe: Timeframe
    phase: Phase
    long: Rule | None
    short: Rule | None
    long_filters: Rule | None
    short_filters: Rule | None
    selection: Selection | None = None

    def rules(self) -> tuple[tuple[Side, str, Rule], ...]:
        """Every rule present with its side and its role, "rule" or "filter"."""
        every = (
            (Side.LONG, "rule", self.long),
            (Side.LONG, "filter", self.long_filters),
            (Side.SHORT, "rule", self.short),
            (Side.SHORT, "filter", self.short_filters),
        )
        return tuple((side, role, rule) for side, role, rule in every if rule is not None)

    def asked(self) -> tuple[tuple[Side | None, str, Rule], ...]:
        """`rules`, then those of the selection, which have no side, as "stay", "drop" and "forbid"."""
        selection = self.selection.rules() if self.selection is not None else ()
        return self.rules() + tuple((None, role, rule) for role, rule in selection)
