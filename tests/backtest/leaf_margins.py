"""How near a leaf came to its threshold."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from apps.engine.evaluate.judgement import PastJudgement
from apps.engine.evaluate.timeframe import TimeframeOutcome
from apps.engine.evaluate.verdict import utc_from_ms
from apps.engine.frame import Bools, Floats
from apps.engine.rules.logic import Comparison, Crossing, Leaf
from apps.engine.rules.rule_input import RuleInput

NEAR = 1e-4
"""Relative: as exact as a live window's columns are, measured against the whole past."""


def margin(leaf: Leaf, view: RuleInput) -> Floats:
    """The smallest relative distance of what the leaf compares, at every row; infinite where unknown."""
    with np.errstate(all="ignore"):  # a leaf of nothing is unknown, not a warning
        pairs = _compared(leaf, view)
        distances = [np.abs(left - right) / np.maximum(np.abs(left), np.abs(right)) for left, right in pairs]
    least = np.min(np.broadcast_arrays(*(view.flat(distance) for distance in distances)), axis=0)
    return np.where(np.isnan(least), np.inf, least)


def _compared(leaf: Leaf, view: RuleInput) -> list[tuple[Floats, Floats]]:
    if isinstance(leaf, Comparison):
        return [leaf.sides(view)]
    if isinstance(leaf, Crossing):
        return [
            (leaf.left.values(view, back), leaf.right.values(view, back)) for back in range(leaf.within + 1)
        ]
    pairs = []
    for back in range(leaf.steps):
        by = 0.0 if leaf.by is None else leaf.by.values(view, back)
        before = leaf.term.values(view, back + 1)
        pairs.append((leaf.term.values(view, back), before + by if leaf.sign == ">" else before - by))
    return pairs


@dataclass(frozen=True)
class Differences:
    """`near`: leaves that flipped NEAR their threshold; `unexplained`: everything else that differs."""

    near: list[str]
    unexplained: list[str]


def differences(past: PastJudgement, other: PastJudgement) -> Differences:
    """Return what two histories that judge the same moments say differently from the first moment on.

    `other` may know more candles before. An outcome may differ only where a leaf flipped NEAR its threshold.
    """
    near: list[str] = []
    unexplained: list[str] = []
    for ours, theirs in zip(past.timeframes, other.timeframes, strict=True):
        first = int(past.rows[ours.timeframe][0])
        lead = len(theirs.outcome) - len(ours.outcome)
        excused = np.zeros(len(ours.outcome), dtype=bool)
        for place, leaf in enumerate(ours.leaves.leaves):
            flipped = ours.leaves.truth[place] != theirs.leaves.truth[place][lead:]
            by_a_hair = margin(leaf, ours.leaves.views[0]) <= NEAR
            excused |= flipped & by_a_hair
            near += _listed(ours, leaf.text, flipped & by_a_hair, first)
            unexplained += _listed(ours, leaf.text, flipped & ~by_a_hair, first)
        unexplained += _listed(ours, "outcome", (ours.outcome != theirs.outcome[lead:]) & ~excused, first)
    return Differences(near, unexplained)


def _listed(of: TimeframeOutcome, what: str, rows: Bools, first: int) -> list[str]:
    opened = of.candle_open_ms[first:][rows[first:]].tolist()
    return [f"{of.timeframe} {of.phase} {utc_from_ms(stamp):%Y-%m-%d %H:%M} {what}" for stamp in opened]
