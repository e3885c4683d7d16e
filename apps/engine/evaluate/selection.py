"""On which execution timeframe to enter: the slowest that takes the context's side and is not left."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from apps.engine.evaluate.codes import NO_REASON, Codes, code
from apps.engine.frame import Bools, Ints
from apps.engine.profile import Selection
from apps.engine.rules.leaf import TRUE
from apps.engine.rules.view import View
from apps.engine.values.reason import Reason

NONE_CHOSEN = -1


def drops(selection: Selection, view: View) -> Bools:
    """Whether a candidate is left for the next faster one, (S, rows) of `view` or broadcastable to it.

    Only what is known drops: an unknown `stay` or `forbid` keeps the candidate as an unknown `drop` does.
    """
    truth = selection.drop_to_lower_if_any.truth(view)
    for keeps in (selection.stay_on_if, selection.forbid_drop_to_lower_if_any):
        if keeps is not None:
            truth = np.minimum(truth, np.negative(keeps.truth(view)))
    return np.asarray(truth == TRUE)


def select(
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
