"""From the timeframes' outcomes to a side and a timeframe to enter on; one row's Verdict on demand.

The one place where this is decided: for all symbols at one moment (Judgement), and for all moments of one
symbol (History).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from apps.engine.evaluate.agreement import NONE_CHOSEN, agreed_side, selected_index
from apps.engine.evaluate.outcome import NO_REASON, SIDES, Codes, Objects, Outcome, reasons
from apps.engine.evaluate.timeframe import TimeframeOutcome, candle_outcomes, held_share, newest_outcome
from apps.engine.evaluate.verdict import Verdict, number_or_none, timeframe_verdict, utc_from_ms
from apps.engine.frame import Bools, Floats, Frames, Ints
from apps.engine.profile import Mode, Phase, Profile
from apps.engine.rules.view import View
from apps.engine.values.side import Side
from apps.engine.values.timeframe import Timeframe

Value = TypeVar("Value", bound=np.generic)


@dataclass(frozen=True, eq=False)
class Judgement:
    """Arrays over rows (R,). `side`: +1 long, -1 short, 0 none agreed.

    `execution_index` points into `execution`, -1 where not ready. `timeframes` are context, then execution,
    each slowest first.
    """

    profile: Profile
    timeframes: tuple[TimeframeOutcome, ...]
    side: Codes
    reason_code: Codes
    execution_index: Ints

    @property
    def context(self) -> tuple[TimeframeOutcome, ...]:
        return in_phase(self.timeframes, Phase.CONTEXT)

    @property
    def execution(self) -> tuple[TimeframeOutcome, ...]:
        return in_phase(self.timeframes, Phase.EXECUTION)

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
        names = np.array([*(one.timeframe for one in self.execution), None], dtype=object)
        return np.asarray(names[self.execution_index], dtype=object)

    @cached_property
    def score(self) -> Floats:
        """Share of the agreed side's leaves that held, over context and chosen timeframe; NaN without."""
        held, total = np.zeros(len(self.side)), np.zeros(len(self.side))
        for side, sign in ((Side.LONG, Outcome.LONG), (Side.SHORT, Outcome.SHORT)):
            for one in self.context:
                self._count(one, side, self.side == sign, held, total)
            for index, one in enumerate(self.execution):
                self._count(one, side, (self.side == sign) & (self.execution_index == index), held, total)
        return held_share(held, total)

    def on_rows(self, one: TimeframeOutcome, values: NDArray[Value]) -> NDArray[Value]:
        """What `one` says at each row, from an array over its own rows."""
        return values

    def place(self, one: TimeframeOutcome, row: int) -> int:
        """The row of `one` whose candle decides at `row`."""
        return row

    def _count(self, one: TimeframeOutcome, side: Side, asked: Bools, held: Floats, total: Floats) -> None:
        if asked.any():
            of_side = self.on_rows(one, one.leaves.held_by(side, len(one.outcome)))
            held += np.where(asked, of_side, 0)
            total += np.where(asked, one.leaves.sides.count(side), 0)

    def _verdict(self, symbol: str, at: datetime, row: int) -> Verdict:
        chosen = int(self.execution_index[row])
        deciding = self.execution[chosen] if chosen != NONE_CHOSEN else None
        return Verdict(
            symbol=symbol,
            profile=self.profile.name,
            digest=self.profile.digest,
            evaluated_at=at,
            is_ready=deciding is not None,
            side=SIDES.get(Outcome(self.side[row])),
            execution_timeframe=deciding.timeframe if deciding is not None else None,
            candle_open_at=self._opened_at(deciding, row) if deciding is not None else None,
            reason=self.reason[row],
            score=number_or_none(self.score[row]),
            timeframes=tuple(timeframe_verdict(one, self.place(one, row)) for one in self.timeframes),
        )

    def _opened_at(self, one: TimeframeOutcome, row: int) -> datetime:
        return utc_from_ms(int(one.candle_open_ms[self.place(one, row)]))


OnRows = Callable[[TimeframeOutcome, NDArray[Any]], NDArray[Any]]
"""What a timeframe says at each row, from an array over its own rows."""


def decide(
    timeframes: Sequence[TimeframeOutcome], mode: Mode, count: int, on_rows: OnRows
) -> tuple[Codes, Codes, Ints]:
    """`side`, `reason_code` and `execution_index` of `count` rows; `timeframes` as in Decided."""
    execution = in_phase(timeframes, Phase.EXECUTION)
    context = [on_rows(one, one.outcome) for one in in_phase(timeframes, Phase.CONTEXT)]
    side, disagreed = agreed_side(context, mode, count)
    dropped = [one.dropped if one.dropped is None else on_rows(one, one.dropped) for one in execution]
    chosen, refused = selected_index([on_rows(one, one.outcome) for one in execution], side, dropped)
    return side, np.where(disagreed != NO_REASON, disagreed, refused).astype(np.int8), chosen


def in_phase(timeframes: Sequence[TimeframeOutcome], phase: Phase) -> tuple[TimeframeOutcome, ...]:
    return tuple(one for one in timeframes if one.phase == phase)


@dataclass(frozen=True, eq=False, kw_only=True)
class MinuteJudgement(Judgement):
    """One row a symbol of `symbols`."""

    symbols: tuple[str, ...]
    at: datetime

    def verdict(self, symbol: str) -> Verdict:
        """Everything about one symbol, every leaf included. KeyError for a symbol that was not judged."""
        return self._verdict(symbol, self.at, self._rows[symbol])

    @cached_property
    def _rows(self) -> dict[str, int]:
        return {symbol: row for row, symbol in enumerate(self.symbols)}


def minute_judgement(frames: Frames, profile: Profile, at: datetime) -> MinuteJudgement:
    """One profile over every symbol of `frames`, whose last rows are the newest candles closed at `at`."""
    timeframes = tuple(
        newest_outcome(
            frames, judged, minimum=profile.minimum(judged.timeframe), grace_s=profile.grace_s, at=at
        )
        for judged in profile.judged
    )
    mode, count = profile.validation_mode, len(frames.symbols)
    side, reason_code, chosen = decide(timeframes, mode, count, lambda _, values: values)
    return MinuteJudgement(
        profile=profile,
        timeframes=timeframes,
        side=side,
        reason_code=reason_code,
        execution_index=chosen,
        symbols=frames.symbols,
        at=at,
    )


UNDECIDED = -1
"""The deciding candle's open where nothing is ready."""


@dataclass(frozen=True, eq=False, kw_only=True)
class PastJudgement(Judgement):
    """One row a moment of `closes_ms` (Unix ms, closes of 1m candles, any order).

    `timeframes` are judged at each of their own candles: their arrays run over the axis of the timeframe's
    frame, `frames.frames[timeframe].close_ms`. `rows[timeframe]` says per moment which of them had closed
    last; an outcome stands until the next one.

    The answer at a moment is the live minute's, on the same candles. What live may see besides: a candle that
    comes too late (grace, `candle_late` until it is there). A candle that is absent here never came: at its
    close, and while the hole lasts, the timeframe is `candle_late`; after the hole `candle_gap` until enough
    candles follow one another again.
    """

    frames: Frames
    closes_ms: Ints
    rows: Mapping[Timeframe, Ints]

    @property
    def symbol(self) -> str:
        return self.frames.symbols[0]

    @cached_property
    def candle_open_ms(self) -> Ints:
        """Open of the deciding candle, Unix ms; UNDECIDED where not ready."""
        found = np.full(len(self.closes_ms), UNDECIDED, dtype=np.int64)
        for index, one in enumerate(self.execution):
            chosen = self.execution_index == index
            found[chosen] = one.candle_open_ms[self.rows[one.timeframe][chosen]]
        return found

    def verdict(self, row: int) -> Verdict:
        """Everything about one moment, every leaf included."""
        return self._verdict(self.symbol, utc_from_ms(int(self.closes_ms[row])), row)

    def on_rows(self, one: TimeframeOutcome, values: NDArray[Value]) -> NDArray[Value]:
        return values[self.rows[one.timeframe]]

    def place(self, one: TimeframeOutcome, row: int) -> int:
        return int(self.rows[one.timeframe][row])


def judge_history(frames: Frames, profile: Profile, closes_ms: Ints) -> PastJudgement:
    """Judge the one symbol of `frames` (as `indicators.history` makes them) at each of `closes_ms`.

    LookupError when the frames lack a timeframe or column that the profile reads; ValueError when they hold
    more than one symbol, or a moment lies outside of one of them.
    """
    if len(frames.symbols) != 1:
        raise ValueError(f"a history is of one symbol, not of {len(frames.symbols)}")
    rows = {
        timeframe: _rows(frame.close_ms, timeframe, closes_ms) for timeframe, frame in frames.frames.items()
    }
    views = {
        timeframe: View(frames.frames, timeframe, rows=len(frame.close_ms))
        for timeframe, frame in frames.frames.items()
    }
    timeframes = tuple(
        candle_outcomes(frames, judged, views[judged.timeframe], minimum=profile.minimum(judged.timeframe))
        for judged in profile.judged
    )
    side, reason_code, chosen = decide(
        timeframes, profile.validation_mode, len(closes_ms), lambda one, values: values[rows[one.timeframe]]
    )
    return PastJudgement(
        profile=profile,
        timeframes=timeframes,
        side=side,
        reason_code=reason_code,
        execution_index=chosen,
        frames=frames,
        closes_ms=closes_ms,
        rows=rows,
    )


def _rows(axis_ms: Ints, timeframe: Timeframe, closes_ms: Ints) -> Ints:
    """Index of the newest of `axis_ms` closed at each moment."""
    rows: Ints = (closes_ms - axis_ms[0]) // timeframe.ms
    if len(rows) and not 0 <= rows.min() <= rows.max() < len(axis_ms):
        wrong = closes_ms[((rows < 0) | (rows >= len(axis_ms))).argmax()]
        raise ValueError(
            f"at {utc_from_ms(int(wrong))} no {timeframe} candle is at hand: the frame's close from "
            f"{utc_from_ms(int(axis_ms[0]))} to {utc_from_ms(int(axis_ms[-1]))}"
        )
    return rows
