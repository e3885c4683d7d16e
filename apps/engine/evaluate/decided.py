"""From the timeframes' outcomes to a side and a timeframe to enter on; one row's Verdict on demand.

The one place where this is decided: for all symbols at one moment (Judgement), and for all moments of one
symbol (History).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from apps.engine.evaluate.codes import NO_REASON, SIDES, Codes, Objects, Outcome, reasons
from apps.engine.evaluate.context import agree
from apps.engine.evaluate.explain import known, moment, timeframe_verdict
from apps.engine.evaluate.selection import NONE_CHOSEN, select
from apps.engine.evaluate.timeframe import TimeframeJudgement, share
from apps.engine.evaluate.verdict import Readiness, Verdict
from apps.engine.frame import Bools, Floats, Ints
from apps.engine.profile import Mode, Phase, Profile
from apps.engine.values.side import Side

Value = TypeVar("Value", bound=np.generic)


@dataclass(frozen=True, eq=False)
class Decided:
    """Arrays over rows (R,). `side`: +1 long, -1 short, 0 none agreed.

    `execution_index` points into `execution`, -1 where not ready. `timeframes` are context, then execution,
    each slowest first.
    """

    profile: Profile
    timeframes: tuple[TimeframeJudgement, ...]
    side: Codes
    reason_code: Codes
    execution_index: Ints

    @property
    def context(self) -> tuple[TimeframeJudgement, ...]:
        return in_phase(self.timeframes, Phase.CONTEXT)

    @property
    def execution(self) -> tuple[TimeframeJudgement, ...]:
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
        return share(held, total)

    def on_rows(self, one: TimeframeJudgement, values: NDArray[Value]) -> NDArray[Value]:
        """What `one` says at each row, from an array over its own rows."""
        return values

    def place(self, one: TimeframeJudgement, row: int) -> int:
        """The row of `one` whose candle decides at `row`."""
        return row

    def _count(self, one: TimeframeJudgement, side: Side, asked: Bools, held: Floats, total: Floats) -> None:
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
            outcome=Readiness.READY if deciding is not None else Readiness.INVALID,
            side=SIDES.get(Outcome(self.side[row])),
            execution_timeframe=deciding.timeframe if deciding is not None else None,
            candle_open_at=self._opened_at(deciding, row) if deciding is not None else None,
            reason=self.reason[row],
            score=known(self.score[row]),
            timeframes=tuple(timeframe_verdict(one, self.place(one, row)) for one in self.timeframes),
        )

    def _opened_at(self, one: TimeframeJudgement, row: int) -> datetime:
        return moment(int(one.candle_open_ms[self.place(one, row)]))


OnRows = Callable[[TimeframeJudgement, NDArray[Any]], NDArray[Any]]
"""What a timeframe says at each row, from an array over its own rows."""


def decide(
    timeframes: Sequence[TimeframeJudgement], mode: Mode, count: int, on_rows: OnRows
) -> tuple[Codes, Codes, Ints]:
    """`side`, `reason_code` and `execution_index` of `count` rows; `timeframes` as in Decided."""
    execution = in_phase(timeframes, Phase.EXECUTION)
    context = [on_rows(one, one.outcome) for one in in_phase(timeframes, Phase.CONTEXT)]
    side, disagreed = agree(context, mode, count)
    dropped = [one.dropped if one.dropped is None else on_rows(one, one.dropped) for one in execution]
    chosen, refused = select([on_rows(one, one.outcome) for one in execution], side, dropped)
    return side, np.where(disagreed != NO_REASON, disagreed, refused).astype(np.int8), chosen


def in_phase(timeframes: Sequence[TimeframeJudgement], phase: Phase) -> tuple[TimeframeJudgement, ...]:
    return tuple(one for one in timeframes if one.phase == phase)
