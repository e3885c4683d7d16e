"""A decision in one short line, live or replayed: equal lines are equal decisions."""

from __future__ import annotations

from functools import cache

import numpy as np

from apps.audit.store import READY, StandingCause
from apps.engine.evaluate.judgement import PastJudgement
from apps.engine.evaluate.outcome import SIDES, Outcome, reasons
from apps.engine.evaluate.verdict import Verdict


def live_words(row: StandingCause) -> str:
    """The decision of an audit row."""
    return _words(row.cause, row.side, row.timeframe)


def verdict_words(verdict: Verdict) -> str:
    """The decision of a verdict."""
    cause = READY if verdict.reason is None else verdict.reason.value
    return _words(cause, verdict.side and verdict.side.value, verdict.execution_timeframe)


def replay_words(history: PastJudgement) -> list[str]:
    """The decision of each of a history's moments."""
    names = [one.timeframe.value for one in history.execution]
    return [
        _decision(reason, side, names[chosen] if chosen >= 0 else None)
        for reason, side, chosen in zip(
            history.reason_code.tolist(), history.side.tolist(), history.execution_index.tolist(), strict=True
        )
    ]


@cache
def _decision(reason_code: int, side: int, timeframe: str | None) -> str:
    """Few decisions stand for many minutes: each is worded once."""
    [reason] = reasons(np.array([reason_code], dtype=np.int8))
    name = SIDES.get(Outcome(side))
    return _words(READY if reason is None else reason.value, name and name.value, timeframe)


def _words(cause: str, side: str | None, timeframe: str | None) -> str:
    if cause == READY:
        return f"READY {side} on {timeframe}"
    return cause if side is None else f"{cause} ({side})"
