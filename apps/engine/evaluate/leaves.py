"""Why: every leaf of a judged timeframe, its values and whether it held, for every symbol."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from apps.engine.evaluate.codes import Codes, Outcome
from apps.engine.frame import Bools, Floats
from apps.engine.profile import Judged
from apps.engine.rules.leaf import Leaf
from apps.engine.rules.term import Read
from apps.engine.rules.view import View
from apps.engine.values.side import Side


@dataclass(frozen=True, eq=False)
class LeafTable:
    """`leaves` in the order they are written, with `sides` and `roles` ("rule", "filter"); per leaf and
    symbol, (L, S): `left`, `right` and `truth` (-1, 0, +1)."""

    leaves: tuple[Leaf, ...]
    sides: tuple[Side, ...]
    roles: tuple[str, ...]
    left: Floats
    right: Floats
    truth: NDArray[np.int8]
    views: tuple[View, View]
    grace: Bools

    def held(self, outcome: Codes) -> tuple[Floats, Floats]:
        """How many leaves of each symbol's side held, and of how many; 0 of 0 where it has no side."""
        long = np.array([side == Side.LONG for side in self.sides], dtype=bool)
        held = self.truth == 1
        by_side = [
            np.where(outcome == Outcome.LONG, of_long, np.where(outcome == Outcome.SHORT, of_short, 0.0))
            for of_long, of_short in (
                (held[long].sum(axis=0), held[~long].sum(axis=0)),
                (float(long.sum()), float((~long).sum())),
            )
        ]
        return by_side[0], by_side[1]

    def missing(self, symbol: int) -> tuple[str, ...]:
        """The columns whose absence makes leaves unknown; all columns of those leaves when none is absent."""
        view = self.views[int(self.grace[symbol])]
        unknown = [self.leaves[index] for index in np.flatnonzero(self.truth[:, symbol] == 0)]
        reads = [read for leaf in unknown for read in leaf.reads()]
        absent = [read for read in reads if _is_missing(read, view, symbol)]
        return tuple(dict.fromkeys(str(read) for read in absent or reads))


def leaf_table(judged: Judged, views: tuple[View, View], grace: Bools) -> LeafTable:
    """The leaves at each symbol's judged candle: the previous one where `grace`."""
    entries = [(leaf, side, role) for side, role, rule in judged.rules() for leaf in rule.leaves()]
    now = [_values(leaf, views[0], len(grace)) for leaf, _, _ in entries]
    shape = (len(entries), len(grace))
    columns = [np.array([row[part] for row in now]).reshape(shape) for part in range(3)]
    if grace.any():
        before = [_values(leaf, views[1], len(grace)) for leaf, _, _ in entries]
        for part, column in enumerate(columns):
            columns[part] = np.where(grace, np.array([row[part] for row in before]).reshape(shape), column)
    left, right, truth = columns
    leaves = tuple(leaf for leaf, _, _ in entries)
    sides, roles = tuple(side for _, side, _ in entries), tuple(role for _, _, role in entries)
    return LeafTable(leaves, sides, roles, left, right, truth.astype(np.int8), views, grace)


def _values(leaf: Leaf, view: View, count: int) -> tuple[Floats, Floats, Codes]:
    with np.errstate(all="ignore"):  # as where the rule itself is judged: not finite is unknown
        left, right = leaf.sides(view)
        truth = leaf.truth(view)
    return (
        np.broadcast_to(left[:, -1], (count,)),
        np.broadcast_to(right[:, -1], (count,)),
        np.broadcast_to(truth[:, -1], (count,)),
    )


def _is_missing(read: Read, view: View, symbol: int) -> bool:
    return bool(np.isnan(read.values(view)[symbol, -1]))
