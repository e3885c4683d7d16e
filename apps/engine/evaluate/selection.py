"""On which execution timeframe to enter: the slowest that takes the context's side."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from apps.engine.evaluate.codes import NO_REASON, Codes, code
from apps.engine.frame import Ints
from apps.engine.values.reason import Reason

NONE_CHOSEN = -1


def select(outcomes: Sequence[Codes], side: Codes) -> tuple[Ints, Codes]:
    """Index into `outcomes` (slowest first) of the chosen timeframe; NONE_CHOSEN and a reason's code if none.

    Only meaningful where `side` is +1 or -1; where it is 0 nothing is chosen and no reason is given.
    """
    count = len(side)
    agreed = side != 0
    if not outcomes:
        reason = np.where(agreed, code(Reason.NO_TIMEFRAME_SELECTED), NO_REASON)
        return np.full(count, NONE_CHOSEN, np.int64), reason.astype(np.int8)
    candidate = (np.array(outcomes) == side) & agreed
    found = candidate.any(axis=0)
    chosen = np.where(found, candidate.argmax(axis=0), NONE_CHOSEN)
    reason = np.where(agreed & ~found, code(Reason.EXECUTION_SIDE_MISMATCH), NO_REASON)
    return chosen, reason.astype(np.int8)
