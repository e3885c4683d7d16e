"""Whether the context timeframes agree on a side."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from apps.engine.evaluate.outcome import NO_REASON, Codes, Outcome, code
from apps.engine.frame import Bools, Ints
from apps.engine.profile import Mode, Selection
from apps.engine.rules.leaf import TRUE
from apps.engine.rules.view import View
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


def agreed_side(outcomes: Sequence[Codes], mode: Mode, count: int) -> tuple[Codes, Codes]:
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


NONE_CHOSEN = -1


def is_dropped(selection: Selection, view: View) -> Bools:
    """Whether a candidate is left for the next faster one, (S, rows) of `view` or broadcastable to it.

    Only what is known drops: an unknown `stay` or `forbid` keeps the candidate as an unknown `drop` does.
    """
    truth = selection.drop_to_lower_if_any.truth(view)
    for keeps in (selection.stay_on_if, selection.forbid_drop_to_lower_if_any):
        if keeps is not None:
            truth = np.minimum(truth, np.negative(keeps.truth(view)))
    return np.asarray(truth == TRUE)


def selected_index(
    outcomes: Sequence[Codes], side: Codes, dropped: Sequence[Bools | None] = ()
) -> tuple[Ints, Codes]:
    """Index into `outcomes` (slowest first) of the chosen timeframe; NONE_CHOSEN and a reason's code if none.

    One value a symbol, or a moment: any axis will do. `dropped` says of each outcome where it is left for
    the next faster one, None nowhere; empty: all stay. Only meaningful where `side` is +1 or -1; where it is
    0 nothing is chosen and no reason is given.
    """
    count = len(side)
    agreed = side != 0
    if not outcomes:
        reason = np.where(agreed, code(Reason.NO_TIMEFRAME_SELECTED), NO_REASON)
        return np.full(count, NONE_CHOSEN, np.int64), reason.astype(np.int8)
    candidate = (np.array(outcomes) == side) & agreed
    kept = candidate.copy()
    for row, left in zip(kept, dropped, strict=False):
        if left is not None:
            row &= ~left
    found = kept.any(axis=0)
    chosen = np.where(found, kept.argmax(axis=0), NONE_CHOSEN)
    why = np.where(
        candidate.any(axis=0), code(Reason.NO_TIMEFRAME_SELECTED), code(Reason.EXECUTION_SIDE_MISMATCH)
    )
    return chosen, np.where(agreed & ~found, why, NO_REASON).astype(np.int8)
