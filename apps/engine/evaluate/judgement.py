"""What one profile says of every symbol at one moment, wide; one symbol's Verdict on demand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

import numpy as np

from apps.engine.evaluate.codes import NO_REASON, SIDES, Codes, Objects, Outcome, reasons
from apps.engine.evaluate.context import agree
from apps.engine.evaluate.explain import known, moment, timeframe_verdict
from apps.engine.evaluate.selection import NONE_CHOSEN, select
from apps.engine.evaluate.timeframe import TimeframeJudgement, judge, share
from apps.engine.evaluate.verdict import Readiness, Verdict
from apps.engine.frame import Bools, Floats, Frames, Ints
from apps.engine.profile import Phase, Profile


@dataclass(frozen=True, eq=False)
class Judgement:
    """Arrays over `symbols`, (S,). `side`: +1 long, -1 short, 0 none agreed.

    `execution_index` points into `execution`, -1 where not ready. `timeframes` are context, then execution,
    each slowest first.
    """

    symbols: tuple[str, ...]
    at: datetime
    profile: Profile
    timeframes: tuple[TimeframeJudgement, ...]
    side: Codes
    reason_code: Codes
    execution_index: Ints

    @property
    def execution(self) -> tuple[TimeframeJudgement, ...]:
        return _in_phase(self.timeframes, Phase.EXECUTION)

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
        held, total = np.zeros(len(self.symbols)), np.zeros(len(self.symbols))
        for asked, one in self._asked():
            of_side = one.leaves.held(np.where(asked, self.side, Outcome.NEUTRAL).astype(np.int8))
            held, total = held + of_side[0], total + of_side[1]
        return share(held, total)

    def verdict(self, symbol: str) -> Verdict:
        """Everything about one symbol, every leaf included. KeyError for a symbol that was not judged."""
        row = self._rows[symbol]
        chosen = int(self.execution_index[row])
        deciding = self.execution[chosen] if chosen != NONE_CHOSEN else None
        return Verdict(
            symbol=symbol,
            profile=self.profile.name,
            digest=self.profile.digest,
            evaluated_at=self.at,
            outcome=Readiness.READY if deciding is not None else Readiness.INVALID,
            side=SIDES.get(Outcome(self.side[row])),
            execution_timeframe=deciding.timeframe if deciding is not None else None,
            candle_open_at=moment(deciding.candle_open_ms[row]) if deciding is not None else None,
            reason=self.reason[row],
            score=known(self.score[row]),
            timeframes=tuple(timeframe_verdict(one, row) for one in self.timeframes),
        )

    @cached_property
    def _rows(self) -> dict[str, int]:
        return {symbol: row for row, symbol in enumerate(self.symbols)}

    def _asked(self) -> list[tuple[Bools, TimeframeJudgement]]:
        """The timeframes a symbol's side rests on: all of the context, and the one chosen."""
        context = _in_phase(self.timeframes, Phase.CONTEXT)
        everyone = np.ones(len(self.symbols), dtype=bool)
        return [(everyone, one) for one in context] + [
            (self.execution_index == index, one) for index, one in enumerate(self.execution)
        ]


def judge_all(frames: Frames, profile: Profile, at: datetime) -> Judgement:
    """One profile over every symbol of `frames`, whose last rows are the newest candles closed at `at`."""
    timeframes = tuple(
        judge(frames, judged, minimum=profile.minimum(judged.timeframe), grace_s=profile.grace_s, at=at)
        for judged in profile.judged
    )
    context = [one.outcome for one in _in_phase(timeframes, Phase.CONTEXT)]
    side, disagreed = agree(context, profile.validation_mode, len(frames.symbols))
    chosen, refused = select([one.outcome for one in _in_phase(timeframes, Phase.EXECUTION)], side)
    reason = np.where(disagreed != NO_REASON, disagreed, refused).astype(np.int8)
    return Judgement(frames.symbols, at, profile, timeframes, side, reason, chosen)


def _in_phase(timeframes: Sequence[TimeframeJudgement], phase: Phase) -> tuple[TimeframeJudgement, ...]:
    return tuple(one for one in timeframes if one.phase == phase)
