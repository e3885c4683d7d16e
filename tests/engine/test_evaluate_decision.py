"""From timeframes to a decision: context in both modes, then the slowest execution timeframe that agrees."""

from __future__ import annotations

import numpy as np
import pytest

from apps.engine.evaluate.agreement import agreed_side, selected_index
from apps.engine.evaluate.outcome import Outcome, reasons
from apps.engine.profile import Mode
from apps.engine.values.reason import Reason

L, S, N, X = Outcome.LONG, Outcome.SHORT, Outcome.NEUTRAL, Outcome.INVALID

CONTEXT = [
    # outcomes slowest first, strict, pragmatic: a side or a reason
    ((L, L), L, L),
    ((S, S), S, S),
    ((L,), L, L),
    ((L, N), Reason.STRICT_CONTEXT_REQUIRES_NON_NEUTRAL_ALL, L),
    ((N, S), Reason.STRICT_CONTEXT_REQUIRES_NON_NEUTRAL_ALL, S),
    ((N, N), Reason.STRICT_CONTEXT_REQUIRES_NON_NEUTRAL_ALL, Reason.PRAGMATIC_CONTEXT_ALL_NEUTRAL),
    ((L, S), Reason.STRICT_CONTEXT_SIDE_CONFLICT, Reason.PRAGMATIC_CONTEXT_SIDE_CONFLICT),
    ((L, N, S), Reason.STRICT_CONTEXT_REQUIRES_NON_NEUTRAL_ALL, Reason.PRAGMATIC_CONTEXT_SIDE_CONFLICT),
    ((L, X), Reason.STRICT_CONTEXT_HAS_INVALID_TIMEFRAMES, Reason.PRAGMATIC_CONTEXT_HAS_INVALID_TIMEFRAMES),
    (
        (L, S, X),
        Reason.STRICT_CONTEXT_HAS_INVALID_TIMEFRAMES,
        Reason.PRAGMATIC_CONTEXT_HAS_INVALID_TIMEFRAMES,
    ),
    ((N, X), Reason.STRICT_CONTEXT_HAS_INVALID_TIMEFRAMES, Reason.PRAGMATIC_CONTEXT_HAS_INVALID_TIMEFRAMES),
    ((), Reason.NO_TIMEFRAMES_IN_CONFIG, Reason.NO_TIMEFRAMES_IN_CONFIG),
]


@pytest.mark.parametrize(("outcomes", "strict", "pragmatic"), CONTEXT)
def test_the_context_agrees_on_a_side_or_says_why_not(
    outcomes: tuple[Outcome, ...], strict: Outcome | Reason, pragmatic: Outcome | Reason
) -> None:
    for mode, expected in ((Mode.STRICT, strict), (Mode.PRAGMATIC, pragmatic)):
        side, reason = agreed_side([np.array([each], np.int8) for each in outcomes], mode, 1)
        if isinstance(expected, Reason):
            assert (side[0], reasons(reason)[0]) == (0, expected)
        else:
            assert (side[0], reasons(reason)[0]) == (expected, None)


EXECUTION = [
    # outcomes slowest first, the context's side, the index chosen or a reason
    ((L,), L, 0),
    ((S, S), S, 0),
    ((N, L), L, 1),
    ((X, S, L), L, 2),
    ((S,), L, Reason.EXECUTION_SIDE_MISMATCH),
    ((N, X), L, Reason.EXECUTION_SIDE_MISMATCH),
    ((X,), S, Reason.EXECUTION_SIDE_MISMATCH),
    ((), L, Reason.NO_TIMEFRAME_SELECTED),
    ((L,), N, None),
    ((), N, None),
]


@pytest.mark.parametrize(("outcomes", "side", "expected"), EXECUTION)
def test_the_slowest_candidate_wins(
    outcomes: tuple[Outcome, ...], side: Outcome, expected: int | Reason | None
) -> None:
    chosen, reason = selected_index(
        [np.array([each], np.int8) for each in outcomes], np.array([side], np.int8)
    )
    index, why = int(chosen[0]), reasons(reason)[0]
    assert (index, why) == ((expected, None) if isinstance(expected, int) else (-1, expected))
