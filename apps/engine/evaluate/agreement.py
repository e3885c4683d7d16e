"""The side on which the context timeframes agree, and the execution timeframe to enter on."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from apps.engine.evaluate.outcome import NO_REASON, Codes, Outcome, code
from apps.engine.frame import Bools, Ints
from apps.engine.profile import Mode, Selection
from apps.engine.rules.logic import TRUE
from apps.engine.rules.rule_input import RuleInput
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

NONE_CHOSEN = -1


def agreed_side(outcomes: Sequence[Codes], mode: Mode, count: int) -> tuple[Codes, Codes]:
    """Return the side agreed (+1, -1, 0 none) and the reason's code where none is, (`count`,) each."""
    if not outcomes:
        return np.zeros(count, np.int8), np.full(count, code(Reason.NO_TIMEFRAMES_IN_CONFIG), np.int8)
    stacked = np.array(outcomes)
    neutral = stacked == Outcome.NEUTRAL
    long, short = (stacked == Outcome.LONG).any(axis=0), (stacked == Outcome.SHORT).any(axis=0)
    undecided = neutral.any(axis=0) if mode == Mode.STRICT else neutral.all(axis=0)
    reason = np.select(
        [(stacked == Outcome.INVALID).any(axis=0), undecided, long & short],
        [code(INVALID[mode]), code(NEUTRAL[mode]), code(CONFLICT[mode])],
        NO_REASON,
    ).astype(np.int8)
    side = np.where(reason != NO_REASON, 0, np.where(long, Outcome.LONG, Outcome.SHORT))
    return side.astype(np.int8), reason


def selected_index(
    outcomes: Sequence[Codes], side: Codes, dropped: Sequence[Bools | None] = ()
) -> tuple[Ints, Codes]:
    """Return the index into `outcomes` (slowest first) of the execution timeframe, and the reason's code.

    It is the slowest that takes `side` and is not dropped; NONE_CHOSEN, with a reason, where there is none.
    One value a symbol, or a moment: any axis will do. `dropped` says of each outcome where it is left for
    the next faster one, None nowhere; empty: all stay. Only meaningful where `side` is +1 or -1; where it is
    0 nothing is chosen and no reason is given.
    """
    count = len(side)
    agreed = side != 0
    if not outcomes:
        reason = np.where(agreed, code(Reason.NO_TIMEFRAME_SELECTED), NO_REASON)
        return np.full(count, NONE_CHOSEN, np.int64), reason.astype(np.int8)
    on_side = (np.array(outcomes) == side) & agreed
    candidates = on_side.copy()
    for candidate, is_left in zip(candidates, dropped, strict=False):
        if is_left is not None:
            candidate &= ~is_left
    is_chosen = candidates.any(axis=0)
    index = np.where(is_chosen, candidates.argmax(axis=0), NONE_CHOSEN)
    reason = np.where(
        on_side.any(axis=0), code(Reason.NO_TIMEFRAME_SELECTED), code(Reason.EXECUTION_SIDE_MISMATCH)
    )
    return index, np.where(agreed & ~is_chosen, reason, NO_REASON).astype(np.int8)


def is_dropped(selection: Selection, view: RuleInput) -> Bools:
    """Whether a timeframe is left for the next faster one, (S, rows) of `view` or broadcastable to it.

    Only what is known drops: an unknown `stay` or `forbid` keeps the timeframe as an unknown `drop` does.
    """
    truth = selection.drop_to_lower_if_any.truth(view)
    for keeps in (selection.stay_on_if, selection.forbid_drop_to_lower_if_any):
        if keeps is not None:
            truth = np.minimum(truth, np.negative(keeps.truth(view)))
    return np.asarray(truth == TRUE)
