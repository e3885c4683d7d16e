"""Why: every leaf of a judged timeframe, its values and whether it held, for every row."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from apps.engine.evaluate.outcome import Codes, Outcome
from apps.engine.frame import Bools, Floats
from apps.engine.profile import TimeframeRules
from apps.engine.rules.logic import TRUE, Leaf
from apps.engine.rules.rule_input import RuleInput
from apps.engine.values.position import Side

LeafValues = tuple[Floats, Floats, Codes]
"""Left, right and truth of one leaf, (R,) each."""


@dataclass(frozen=True, eq=False)
class LeafTable:
    """`leaves` in the order they are written, with `sides` and `roles`: a side's "rule" and "filter", then
    without a side the selection's "stay", "drop" and "forbid".

    `left`, `right` and `truth` (-1, 0, +1) hold one array (R,) a leaf; a row is a symbol at one moment, or a
    candle of one symbol.
    """

    leaves: tuple[Leaf, ...]
    sides: tuple[Side | None, ...]
    roles: tuple[str, ...]
    left: tuple[Floats, ...]
    right: tuple[Floats, ...]
    truth: tuple[Codes, ...]
    views: tuple[RuleInput, RuleInput]
    grace: Bools

    def held(self, outcome: Codes) -> tuple[Floats, Floats]:
        """How many leaves of each row's side held, and of how many; 0 of 0 where it has no side."""
        long, short = (self.held_of(side, len(outcome)) for side in (Side.LONG, Side.SHORT))
        held = np.where(outcome == Outcome.LONG, long, np.where(outcome == Outcome.SHORT, short, 0))
        of_long, of_short = self.sides.count(Side.LONG), self.sides.count(Side.SHORT)
        total = np.where(outcome == Outcome.LONG, of_long, np.where(outcome == Outcome.SHORT, of_short, 0))
        return held.astype(np.float64), total.astype(np.float64)

    def held_of(self, side: Side, count: int) -> NDArray[np.int16]:
        """How many leaves of `side` held in each of `count` rows."""
        total = np.zeros(count, dtype=np.int16)
        for of_side, truth in zip(self.sides, self.truth, strict=True):
            if of_side == side:
                total += truth == TRUE
        return total

    def missing(self, row: int) -> tuple[str, ...]:
        """The columns whose absence makes a side's leaves unknown; all they read when none is absent."""
        view = self.views[int(self.grace[row])]
        unknown = [
            leaf
            for leaf, side, truth in zip(self.leaves, self.sides, self.truth, strict=True)
            if side is not None and truth[row] == 0
        ]
        reads = [read for leaf in unknown for read in leaf.reads()]
        absent = [read for read in reads if np.isnan(view.flat(read.values(view))[row])]
        return tuple(dict.fromkeys(str(read) for read in absent or reads))


def leaf_table(judged: TimeframeRules, views: tuple[RuleInput, RuleInput], grace: Bools) -> LeafTable:
    """Return the leaves at each row's judged candle: of `views[1]`, the previous one, where `grace`."""
    written = [(leaf, side, role) for side, role, rule in judged.all_rules() for leaf in rule.leaves()]
    values = [_leaf_values(leaf, views[0]) for leaf, _, _ in written]
    if grace.any():
        previous = [_leaf_values(leaf, views[1]) for leaf, _, _ in written]
        values = [
            (
                np.where(grace, before[0], now[0]),
                np.where(grace, before[1], now[1]),
                np.where(grace, before[2], now[2]),
            )
            for before, now in zip(previous, values, strict=True)
        ]
    return LeafTable(
        leaves=tuple(leaf for leaf, _, _ in written),
        sides=tuple(side for _, side, _ in written),
        roles=tuple(role for _, _, role in written),
        left=tuple(left for left, _, _ in values),
        right=tuple(right for _, right, _ in values),
        truth=tuple(truth for _, _, truth in values),
        views=views,
        grace=grace,
    )


def _leaf_values(leaf: Leaf, view: RuleInput) -> LeafValues:
    with np.errstate(all="ignore"):  # as where the rule itself is judged: not finite is unknown
        left, right = leaf.sides(view)
        truth = leaf.truth(view)
    return view.flat(left), view.flat(right), view.flat(truth)
