"""One timeframe in one phase: long, short, neutral or invalid, for all rows at once.

Live a row is a symbol at one moment; over a history it is a candle of one symbol.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

import numpy as np

from apps.engine.evaluate.agreement import is_dropped
from apps.engine.evaluate.leaf_table import LeafTable, leaf_table
from apps.engine.evaluate.outcome import NO_REASON, Codes, Objects, Outcome, code, reasons
from apps.engine.frame import Bools, Floats, Frames, Ints
from apps.engine.indicators.extra_kinds import extras_of_columns
from apps.engine.profile import Phase, TimeframeRules
from apps.engine.rules.logic import FALSE, TRUE, UNKNOWN
from apps.engine.rules.rule import Rule
from apps.engine.rules.rule_input import RuleInput
from apps.engine.values.reason import Reason
from apps.engine.values.timeframe import Timeframe

GRACE_FROM = Timeframe.M15


@dataclass(frozen=True, eq=False)
class TimeframeOutcome:
    """What one timeframe says in one phase. Arrays over rows (R,).

    `outcome` as Outcome, `reason` as Reason or None, `candle_open_ms` (Unix ms) the candle judged, `grace`
    where that is the previous one because the newest is late. `views`: the newest candles, the previous ones.
    """

    judged: TimeframeRules
    outcome: Codes
    reason_code: Codes
    grace: Bools
    candle_open_ms: Ints
    views: tuple[RuleInput, RuleInput]

    @property
    def timeframe(self) -> Timeframe:
        return self.judged.timeframe

    @property
    def phase(self) -> Phase:
        return self.judged.phase

    @cached_property
    def reason(self) -> Objects:
        return reasons(self.reason_code)

    @cached_property
    def leaves(self) -> LeafTable:
        """Every leaf with its values for every row, computed when first asked for."""
        return leaf_table(self.judged, self.views, self.grace)

    @cached_property
    def dropped(self) -> Bools | None:
        """Where it is left for the next faster execution timeframe; None: nowhere."""
        selection, view = self.judged.selection, self.views[0]
        return view.flat(is_dropped(selection, view)) if selection is not None else None

    @cached_property
    def score(self) -> Floats:
        """Share of the leaves of the row's side that held, NaN where it has no side."""
        return held_share(*self.leaves.held(self.outcome))


def held_share(held: Floats, total: Floats) -> Floats:
    """Return held / total, NaN for nothing of nothing."""
    return np.asarray(np.divide(held, total, out=np.full(len(held), np.nan), where=total > 0))


def newest_outcome(
    frames: Frames, judged: TimeframeRules, *, minimum: int, grace_s: int, at: datetime
) -> TimeframeOutcome:
    """Judge every symbol at its newest candle of the timeframe closed at `at` (the frame's last row).

    In grace the previous outcome stands a little longer: one candle late, slow enough, and not for long.
    """
    timeframe = judged.timeframe
    newest_close_ms = frames.frames[timeframe].close_ms[-1]
    has_grace = (
        judged.phase == Phase.CONTEXT
        and timeframe.seconds >= GRACE_FROM.seconds
        and at.timestamp() - newest_close_ms / 1000 <= grace_s
        and grace_s > 0
    )
    grace = np.asarray((frames.late[timeframe] == 1) & (frames.length[timeframe] > 0) & has_grace)
    views = (RuleInput(frames.frames, timeframe), RuleInput(frames.frames, timeframe, lag=1))
    open_ms = newest_close_ms - timeframe.ms - grace * timeframe.ms
    return _timeframe_outcome(frames, judged, views, minimum, grace, open_ms)


def candle_outcomes(
    frames: Frames, judged: TimeframeRules, view: RuleInput, *, minimum: int
) -> TimeframeOutcome:
    """Judge the one symbol at every candle of the timeframe; `view` shows all of them.

    There is no grace: it waits for a candle that is on its way, and what a past lacks never came.
    """
    open_ms = frames.frames[judged.timeframe].close_ms - judged.timeframe.ms
    no_grace = np.zeros(len(open_ms), dtype=bool)
    return _timeframe_outcome(frames, judged, (view, view), minimum, no_grace, open_ms)


def _timeframe_outcome(
    frames: Frames,
    judged: TimeframeRules,
    views: tuple[RuleInput, RuleInput],
    minimum: int,
    grace: Bools,
    open_ms: Ints,
) -> TimeframeOutcome:
    outcome, reason = _by_rules(judged, views[0])
    if grace.any():
        previous, previous_reason = _by_rules(judged, views[1])
        outcome, reason = np.where(grace, previous, outcome), np.where(grace, previous_reason, reason)
    data_reason = _data_reason(frames, judged, minimum, grace)
    unusable = data_reason != NO_REASON
    if unusable.any():
        outcome = np.where(unusable, np.int8(Outcome.INVALID), outcome)
        reason = np.where(unusable, data_reason, reason)
    return TimeframeOutcome(judged, outcome, reason, grace, open_ms, views)


def _data_reason(frames: Frames, judged: TimeframeRules, minimum: int, grace: Bools) -> Codes:
    """The reason why candles do not allow an outcome, the first that applies; NO_REASON where they do."""
    timeframe = judged.timeframe
    frame, failed = frames.frames[timeframe], frames.failed.get(timeframe, frozenset())
    if any(frame.raised.values()):  # an extra indicator failed: it matters where the rules read it
        reads = (read for _, _, rule in judged.all_rules() for read in rule.reads())
        extras = extras_of_columns(read.name for read in reads if read.timeframe in (None, timeframe))
        failed = failed.union(*(frame.raised.get(extra.name, ()) for extra in extras))
    has_failed = np.array([symbol in failed for symbol in frames.symbols], dtype=bool)

    late, length, gap = frames.late[timeframe], frames.length[timeframe], frames.gap[timeframe]
    reason = np.full(late.shape, NO_REASON, dtype=np.int8)
    for rows, why in (  # the later line wins
        (np.broadcast_to(has_failed, late.shape), Reason.INDICATOR_ERROR),
        (length < minimum, Reason.NOT_ENOUGH_KLINES),
        ((length < minimum) & gap, Reason.CANDLE_GAP),
        ((late > 0) & ~grace, Reason.CANDLE_LATE),
        (length == 0, Reason.NO_KLINES),
    ):
        reason[rows] = code(why)
    return reason


def _by_rules(judged: TimeframeRules, view: RuleInput) -> tuple[Codes, Codes]:
    """Return outcome and reason by the rules alone."""
    long, short = _truth(judged.long, view, FALSE), _truth(judged.short, view, FALSE)
    holds_long, holds_short = long == TRUE, short == TRUE
    holds_one = holds_long ^ holds_short
    filters = np.where(
        holds_long, _truth(judged.long_filters, view, TRUE), _truth(judged.short_filters, view, TRUE)
    )
    reason = np.full(long.shape, code(Reason.NO_LONG_NO_SHORT), dtype=np.int8)
    for rows, why in (
        ((long == UNKNOWN) | (short == UNKNOWN), code(Reason.MISSING_DATA)),  # unless one side holds:
        (holds_one, NO_REASON),
        (holds_one & (filters == UNKNOWN), code(Reason.MISSING_DATA)),
        (holds_one & (filters == FALSE), code(Reason.FILTERS_MANDATORY_FAILED)),
        (holds_long & holds_short, code(Reason.LONG_AND_SHORT)),
    ):
        reason[rows] = why
    outcome = np.full(long.shape, Outcome.INVALID, dtype=np.int8)
    outcome[reason == code(Reason.NO_LONG_NO_SHORT)] = Outcome.NEUTRAL
    outcome[(reason == NO_REASON) & holds_long] = Outcome.LONG
    outcome[(reason == NO_REASON) & holds_short] = Outcome.SHORT
    return outcome, reason


def _truth(rule: Rule | None, view: RuleInput, absent: int) -> Codes:
    """The rule's three-valued answer in every row, (R,)."""
    return view.flat(np.array([[absent]], dtype=np.int8) if rule is None else rule.truth(view))
