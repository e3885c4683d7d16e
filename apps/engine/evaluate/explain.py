"""One row of a wide judgement, in words and plain numbers."""

from __future__ import annotations

import math
from datetime import UTC, datetime

from apps.engine.evaluate.codes import Outcome
from apps.engine.evaluate.leaves import LeafTable
from apps.engine.evaluate.timeframe import TimeframeJudgement
from apps.engine.evaluate.verdict import Answer, LeafVerdict, TimeframeVerdict
from apps.engine.values.reason import Reason

ANSWERS = {
    Outcome.LONG: Answer.LONG,
    Outcome.SHORT: Answer.SHORT,
    Outcome.NEUTRAL: Answer.NEUTRAL,
    Outcome.INVALID: Answer.INVALID,
}
HELD = {1: True, 0: None, -1: False}


def timeframe_verdict(judgement: TimeframeJudgement, row: int) -> TimeframeVerdict:
    """What one timeframe said in `row`, with every leaf."""
    reason = judgement.reason[row]
    return TimeframeVerdict(
        timeframe=judgement.timeframe,
        phase=judgement.phase,
        outcome=ANSWERS[Outcome(judgement.outcome[row])],
        reason=reason,
        grace=bool(judgement.grace[row]),
        candle_open_at=moment(int(judgement.candle_open_ms[row])),
        score=known(judgement.score[row]),
        missing=judgement.leaves.missing(row) if reason == Reason.MISSING_DATA else (),
        leaves=_leaves(judgement.leaves, row),
    )


def moment(stamp_ms: int) -> datetime:
    """Unix milliseconds as an aware UTC datetime."""
    return datetime.fromtimestamp(stamp_ms / 1000, UTC)


def known(value: float) -> float | None:
    """None for NaN: JSON has no word for it."""
    return None if math.isnan(value) else float(value)


def _leaves(table: LeafTable, row: int) -> tuple[LeafVerdict, ...]:
    entries = zip(table.leaves, table.sides, table.roles, table.left, table.right, table.truth, strict=True)
    return tuple(
        LeafVerdict(
            side,
            role,
            leaf.condition,
            leaf.text,
            known(left.item(row)),
            known(right.item(row)),
            HELD[truth.item(row)],
        )
        for leaf, side, role, left, right, truth in entries
    )
