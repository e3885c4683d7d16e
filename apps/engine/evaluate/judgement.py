"""From the timeframes' outcomes to a side and a timeframe to enter on; one row's Verdict on demand.

The one place where this is decided: for every symbol at one minute (`evaluate`), and for one symbol at every
minute of its past (`replay`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from apps.engine.evaluate.agreement import NONE_CHOSEN, agreed_side, selected_index
from apps.engine.evaluate.outcome import NO_REASON, SIDES, Codes, Objects, Outcome, reasons
from apps.engine.evaluate.timeframe import TimeframeOutcome, candle_outcomes, held_share, newest_outcome
from apps.engine.evaluate.verdict import Verdict, number_or_none, timeframe_verdict, utc_from_ms
from apps.engine.frame import Bools, Floats, Frames, Ints
from apps.engine.profile import Phase, Profile
from apps.engine.rules.rule_input import RuleInput
from apps.engine.values.timeframe import Timeframe

Value = TypeVar("Value", bound=np.generic)

UNDECIDED = -1
"""The deciding candle's open where nothing is ready."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Judgement:
    """What one profile says in each of R rows: a row is a symbol at one minute, or a minute of one symbol.

    `timeframes` are context, then execution, each slowest first; their arrays run over rows of their own, and
    `rows[timeframe]` (R,) says which of those counts in each row here. `side`: +1 long, -1 short, 0 none
    agreed. `reason_code`: why it is not ready. `execution_index` points into `execution`, -1 where not ready.
    """

    profile: Profile
    timeframes: tuple[TimeframeOutcome, ...]
    rows: Mapping[Timeframe, Ints]
    side: Codes
    reason_code: Codes
    execution_index: Ints

    @property
    def context(self) -> tuple[TimeframeOutcome, ...]:
        return tuple(outcome for outcome in self.timeframes if outcome.phase == Phase.CONTEXT)

    @property
    def execution(self) -> tuple[TimeframeOutcome, ...]:
        return tuple(outcome for outcome in self.timeframes if outcome.phase == Phase.EXECUTION)

    @cached_property
    def ready(self) -> Bools:
        return np.asarray(self.execution_index != NONE_CHOSEN)

    @cached_property
    def reason(self) -> Objects:
        """Reason, or None where ready."""
        return reasons(self.reason_code)

    @cached_property
    def execution_timeframe(self) -> Objects:
        """Timeframe, or None where not ready."""
        names = np.array([*(outcome.timeframe for outcome in self.execution), None], dtype=object)
        return np.asarray(names[self.execution_index], dtype=object)

    @cached_property
    def score(self) -> Floats:
        """Share of the agreed side's leaves that held, over context and chosen timeframe; NaN without."""
        everywhere = np.ones(len(self.side), dtype=bool)
        counted = [(outcome, everywhere) for outcome in self.context]
        counted += [(outcome, self.execution_index == index) for index, outcome in enumerate(self.execution)]
        held, total = np.zeros(len(self.side)), np.zeros(len(self.side))
        for sign, side in SIDES.items():
            for outcome, where in counted:
                of_side = where & (self.side == sign)
                if of_side.any():
                    held_here = self.at_rows(outcome, outcome.leaves.held_of(side, len(outcome.outcome)))
                    held += np.where(of_side, held_here, 0)
                    total += np.where(of_side, outcome.leaves.sides.count(side), 0)
        return held_share(held, total)

    def at_rows(self, outcome: TimeframeOutcome, values: NDArray[Value]) -> NDArray[Value]:
        """Return `values`, an array over the rows of `outcome`, as it counts in each row here."""
        return values[self.rows[outcome.timeframe]]

    def _verdict(self, row: int, symbol: str, at: datetime) -> Verdict:
        """Return everything about one row, every leaf included."""
        chosen = int(self.execution_index[row])
        deciding = self.execution[chosen] if chosen != NONE_CHOSEN else None
        opened_at = None
        if deciding is not None:
            opened_at = utc_from_ms(int(deciding.candle_open_ms[self.rows[deciding.timeframe][row]]))
        return Verdict(
            symbol=symbol,
            profile=self.profile.name,
            digest=self.profile.digest,
            evaluated_at=at,
            is_ready=deciding is not None,
            side=SIDES.get(Outcome(self.side[row])),
            execution_timeframe=None if deciding is None else deciding.timeframe,
            candle_open_at=opened_at,
            reason=self.reason[row],
            score=number_or_none(self.score[row]),
            timeframes=tuple(
                timeframe_verdict(outcome, int(self.rows[outcome.timeframe][row]))
                for outcome in self.timeframes
            ),
        )


@dataclass(frozen=True, eq=False, kw_only=True)
class MinuteJudgement(Judgement):
    """The judged symbols at one minute: one row a symbol of `symbols`, in their order."""

    symbols: tuple[str, ...]
    at: datetime

    def verdict(self, symbol: str) -> Verdict:
        """Return everything about one symbol. KeyError for a symbol that was not judged."""
        return self._verdict(self._row_by_symbol[symbol], symbol, self.at)

    @cached_property
    def _row_by_symbol(self) -> dict[str, int]:
        return {symbol: row for row, symbol in enumerate(self.symbols)}


@dataclass(frozen=True, eq=False, kw_only=True)
class PastJudgement(Judgement):
    """One symbol in its past: one row a moment of `closes_ms` (Unix ms, closes of 1m candles, any order).

    `timeframes` are judged at each of their own candles: their arrays run over the axis of the timeframe's
    frame, `frames.frames[timeframe].close_ms`. `rows[timeframe]` says per moment which of them had closed
    last; an outcome stands until the next one.

    The verdict at a moment is the live minute's, on the same candles. What live may see besides: a candle
    that comes too late (grace, `candle_late` until it is there). A candle that is absent here never came: at
    its close, and while the hole lasts, the timeframe is `candle_late`; after the hole `candle_gap` until
    enough candles follow one another again.
    """

    frames: Frames
    closes_ms: Ints

    @property
    def symbol(self) -> str:
        return self.frames.symbols[0]

    @cached_property
    def candle_open_ms(self) -> Ints:
        """Open of the deciding candle, Unix ms; UNDECIDED where not ready."""
        opens = np.full(len(self.closes_ms), UNDECIDED, dtype=np.int64)
        for index, outcome in enumerate(self.execution):
            chosen = self.execution_index == index
            opens[chosen] = outcome.candle_open_ms[self.rows[outcome.timeframe][chosen]]
        return opens

    def verdict(self, row: int) -> Verdict:
        """Return everything about one moment."""
        return self._verdict(row, self.symbol, utc_from_ms(int(self.closes_ms[row])))


def evaluate(
    frames: Frames,
    profiles: Sequence[Profile],
    *,
    at: datetime,
    members: Mapping[str, Sequence[str]] | None = None,
) -> tuple[MinuteJudgement, ...]:
    """Judge by every profile the symbols that `members` has under its name, one judgement a profile.

    Without `members` every symbol of `frames`. Each frame's last row is the timeframe's newest candle that
    closed at or before `at`. LookupError when the frames lack a symbol, timeframe or column that is needed.
    """
    if members is None:
        return tuple(minute_judgement(frames, profile, at) for profile in profiles)
    return tuple(minute_judgement(frames, profile, at, members[profile.name]) for profile in profiles)


def minute_judgement(
    frames: Frames, profile: Profile, at: datetime, symbols: Sequence[str] | None = None
) -> MinuteJudgement:
    """Return what one profile says of `symbols` (None: all of `frames`) at `at`, as `evaluate` has it.

    The timeframes are judged over every row of the frames, whose columns need no copy then; of them the rows
    of `symbols` count.
    """
    timeframes = tuple(
        newest_outcome(
            frames, judged, minimum=profile.min_candles(judged.timeframe), grace_s=profile.grace_s, at=at
        )
        for judged in profile.timeframe_rules
    )
    judged_symbols = frames.symbols if symbols is None else tuple(symbols)
    if judged_symbols == frames.symbols:
        counted = np.arange(len(frames.symbols))
    else:
        row_of = {symbol: row for row, symbol in enumerate(frames.symbols)}
        counted = np.array([row_of[symbol] for symbol in judged_symbols], dtype=np.int64)
    rows = dict.fromkeys((outcome.timeframe for outcome in timeframes), counted)
    side, reason_code, execution_index = _decision(profile, timeframes, rows, len(counted))
    return MinuteJudgement(
        profile=profile,
        timeframes=timeframes,
        rows=rows,
        side=side,
        reason_code=reason_code,
        execution_index=execution_index,
        symbols=judged_symbols,
        at=at,
    )


def replay(frames: Frames, profile: Profile, closes_ms: Ints) -> PastJudgement:
    """Judge the one symbol of `frames` at each of `closes_ms` (Unix ms): what `evaluate` said then.

    `frames` are those of `apps.engine.indicators.history` over the stretch and its warm-up, with at least
    `profile.columns`. LookupError when they lack a timeframe or column that the profile reads; ValueError
    when they hold several symbols, or a moment lies outside of one of them.
    """
    if len(frames.symbols) != 1:
        raise ValueError(f"a history is of one symbol, not of {len(frames.symbols)}")
    rows: dict[Timeframe, Ints] = {}
    for timeframe, frame in frames.frames.items():
        axis_ms = frame.close_ms
        closed_last = rows[timeframe] = (closes_ms - axis_ms[0]) // timeframe.ms
        if len(closed_last) and not 0 <= closed_last.min() <= closed_last.max() < len(axis_ms):
            outside = closes_ms[((closed_last < 0) | (closed_last >= len(axis_ms))).argmax()]
            raise ValueError(
                f"at {utc_from_ms(int(outside))} no {timeframe} candle is at hand: the frame's close from "
                f"{utc_from_ms(int(axis_ms[0]))} to {utc_from_ms(int(axis_ms[-1]))}"
            )

    views = {
        timeframe: RuleInput(frames.frames, timeframe, rows=len(frame.close_ms))
        for timeframe, frame in frames.frames.items()
    }
    timeframes = tuple(
        candle_outcomes(
            frames, judged, views[judged.timeframe], minimum=profile.min_candles(judged.timeframe)
        )
        for judged in profile.timeframe_rules
    )
    side, reason_code, execution_index = _decision(profile, timeframes, rows, len(closes_ms))
    return PastJudgement(
        profile=profile,
        timeframes=timeframes,
        rows=rows,
        side=side,
        reason_code=reason_code,
        execution_index=execution_index,
        frames=frames,
        closes_ms=closes_ms,
    )


def _decision(
    profile: Profile, timeframes: Sequence[TimeframeOutcome], rows: Mapping[Timeframe, Ints], count: int
) -> tuple[Codes, Codes, Ints]:
    """Return `side`, `reason_code` and `execution_index` of `count` rows, as Judgement has them."""
    context = [
        outcome.outcome[rows[outcome.timeframe]] for outcome in timeframes if outcome.phase == Phase.CONTEXT
    ]
    side, context_reason = agreed_side(context, profile.validation_mode, count)
    execution = [outcome for outcome in timeframes if outcome.phase == Phase.EXECUTION]
    execution_index, execution_reason = selected_index(
        [outcome.outcome[rows[outcome.timeframe]] for outcome in execution],
        side,
        [
            None if outcome.dropped is None else outcome.dropped[rows[outcome.timeframe]]
            for outcome in execution
        ],
    )
    reason_code = np.where(context_reason != NO_REASON, context_reason, execution_reason)
    return side, reason_code.astype(np.int8), execution_index
