"""Whether the context timeframes agree on a side."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from apps.engine.evaluate.codes import NO_REASON, Codes, Outcome, code
from apps.engine.profile import Mode
from apps.engine.values.reason import Reason

INVALID = {
    Mode.STRICT: Reason.STRICT_CONTEXT_HAS_INVALID_TIMEFRAMES,
    Mode.PRAGMATIC: Reason.PRAGMATIC_CONTEXT_HAS_INVALID_TIMEFRAMES,
}
NEUTRAL = {
    Mode.STRICT: Reason.STRICT_CONTEXT_REQUIRES_NON_NEUTRAL_ALL,
    Mode.PRAGMATIC: Reason.PRAGMATIC_CONTEXT_ALL_NEUTRAL,
}
CONFLICT = {
    Mode.STRICT: Reason.STRICT_CONTEXT_SIDE_CONFLICT,
    Mode.PRAGMATIC: Reason.PRAGMATIC_CONTEXT_SIDE_CONFLICT,
}


def agree(outcomes: Sequence[Codes], mode: Mode, count: int) -> tuple[Codes, Codes]:
    """The side agreed (+1, -1, 0 none) and the reason's code where none is, (S,) each."""
    if not outcomes:
        return np.zeros(count, np.int8), np.full(count, code(Reason.NO_TIMEFRAMES_IN_CONFIG), np.int8)
    stacked = np.array(outcomes)
    neutral = stacked == Outcome.NEUTRAL
    long, short = (stacked == Outcome.LONG).any(axis=0), (stacked == Outcome.SHORT).any(axis=0)
    blocked = neutral.any(axis=0) if mode == Mode.STRICT else neutral.all(axis=0)
    reason = np.select(
        [(stacked == Outcome.INVALID).any(axis=0), blocked, long & short],
        [code(INVALID[mode]), code(NEUTRAL[mode]), code(CONFLICT[mode])],
        NO_REASON,
    ).astype(np.int8)
    side = np.where(reason != NO_REASON, 0, np.where(long, Outcome.LONG, Outcome.SHORT))
    return side.astype(np.int8), reason
