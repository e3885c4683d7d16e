"""One symbol's history as counts."""

from __future__ import annotations

from collections import Counter
from datetime import datetime

import numpy as np

from apps.audit.store import READY
from apps.engine.evaluate.blocker import Blocker, blockers, rule_items
from apps.engine.evaluate.judgement import PastJudgement
from apps.engine.evaluate.outcome import Outcome, code, reasons
from apps.engine.evaluate.timeframe import TimeframeOutcome
from apps.engine.frame import Bools
from apps.engine.rules.leaf import TRUE, UNKNOWN
from apps.insight.condition_report.report import ConditionCount, LeafCount, TimeframeCount
from apps.live.run_answer import NO_DATA


def candles_in(one: TimeframeOutcome, start: datetime, end: datetime) -> Bools:
    """Which of the timeframe's candles closed in [start, end), (R,)."""
    close_ms = one.candle_open_ms + one.timeframe.ms
    return np.asarray((close_ms >= start.timestamp() * 1000) & (close_ms < end.timestamp() * 1000))


def conditions(symbol: str, one: TimeframeOutcome, within: Bools) -> list[ConditionCount]:
    """Every top-level item over the candles `within` that could be judged."""
    judged = within & ~_unjudged(one)
    table = dict(zip(one.leaves.leaves, one.leaves.truth, strict=True))
    evaluated = int(judged.sum())
    return [
        ConditionCount(
            symbol=symbol,
            timeframe=one.timeframe,
            phase=one.phase,
            side=item.side,
            role=item.role,
            item=item.text,
            evaluated=evaluated,
            held=_count(item.truth == TRUE, judged),
            unknown=_count(item.truth == UNKNOWN, judged),
            only_missing=_count(item.only_missing, judged),
            leaves=tuple(
                LeafCount(
                    leaf.text, _count(table[leaf] == TRUE, judged), _count(table[leaf] == UNKNOWN, judged)
                )
                for leaf in item.leaves
            ),
        )
        for item in rule_items(one.judged, one.views[0])
    ]


def unjudged(one: TimeframeOutcome, within: Bools) -> Counter[str]:
    """The candles `within` that could not be judged, by why not."""
    return Counter(f"{one.timeframe} {one.phase} {reason}" for reason in one.reason[within & _unjudged(one)])


def timeframes(history: PastJudgement) -> list[TimeframeCount]:
    """Every judged timeframe over the history's minutes."""
    return [_timeframe(history.symbol, one) for one in blockers(history)]


def decisions(history: PastJudgement) -> Counter[str]:
    """The minutes by READY or the reason."""
    codes, counts = np.unique(history.reason_code, return_counts=True)
    names = [READY if reason is None else reason.value for reason in reasons(codes)]
    return Counter(dict(zip(names, counts.tolist(), strict=True)))


def _timeframe(symbol: str, found: Blocker) -> TimeframeCount:
    outcomes = {one: int((found.outcome == one).sum()) for one in Outcome}
    return TimeframeCount(
        symbol=symbol,
        timeframe=found.timeframe,
        phase=found.phase,
        minutes=len(found.outcome),
        long=outcomes[Outcome.LONG],
        short=outcomes[Outcome.SHORT],
        neutral=outcomes[Outcome.NEUTRAL],
        invalid=outcomes[Outcome.INVALID],
        blocked=int(found.blocked.sum()),
        alone=int(found.alone.sum()),
    )


def _unjudged(one: TimeframeOutcome) -> Bools:
    return np.isin(one.reason_code, [code(reason) for reason in NO_DATA])


def _count(flags: Bools, judged: Bools) -> int:
    return int((flags & judged).sum())
