"""What the rooms hold of one profile now, so that only what changes is written."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from uuid import UUID

import numpy as np

from apps.engine.evaluate.judgement import MinuteJudgement
from apps.engine.evaluate.outcome import Outcome
from apps.engine.evaluate.timeframe import TimeframeOutcome
from apps.engine.frame import Ints
from apps.engine.profile import Phase
from apps.engine.values.timeframe import Timeframe
from apps.signals import store as signal_store
from apps.signals.models import SignalSide
from apps.signals.store import OutcomeRow, SignalRow

SIDE = {Outcome.LONG: SignalSide.LONG, Outcome.SHORT: SignalSide.SHORT}

Key = tuple[Timeframe, Phase]


@dataclass
class LastOutcomes:
    """One profile's outcomes as last written, by timeframe and phase; rows follow `symbols`."""

    profile: str
    symbols: tuple[str, ...]
    written: dict[Key, Ints] = field(default_factory=dict)
    sides: dict[tuple[str, Timeframe, Phase], SignalSide] = field(default_factory=dict)

    @classmethod
    def stored(cls, profile: str, symbols: tuple[str, ...]) -> LastOutcomes:
        """Return what the tables say: sides are read, outcomes are written anew."""
        return cls(profile, symbols, sides=signal_store.newest_signals(profile))

    def changed_rows(self, judgement: MinuteJudgement, outcome: TimeframeOutcome) -> list[int]:
        """Return the rows of `judgement` whose candle, outcome or reason differs from what was written."""
        now = fingerprint(judgement, outcome)
        before = self.written.get((outcome.timeframe, outcome.phase))
        if before is None:
            return list(range(len(self.symbols)))
        return [int(row) for row in np.flatnonzero((now != before).any(axis=0))]

    def remember(
        self, judgement: MinuteJudgement, outcome: TimeframeOutcome, rows: Sequence[SignalRow]
    ) -> None:
        """Take over what was committed."""
        self.written[(outcome.timeframe, outcome.phase)] = fingerprint(judgement, outcome)
        for row in rows:
            self.sides[(row.symbol, row.timeframe, row.phase)] = row.side


def fingerprint(judgement: MinuteJudgement, outcome: TimeframeOutcome) -> Ints:
    """Return what identifies the outcome of each row of `judgement`: candle (Unix ms), outcome, reason."""
    values = (outcome.candle_open_ms, outcome.outcome, outcome.reason_code)
    return np.array([judgement.at_rows(outcome, each) for each in values], dtype=np.int64)


def outcome_rows(
    judgement: MinuteJudgement, of_timeframe: TimeframeOutcome, rows: Sequence[int]
) -> Iterator[OutcomeRow]:
    """Yield the outcomes of these rows of `judgement`, valid until the timeframe's next candle closes."""
    expires_at = of_timeframe.timeframe.floor(judgement.at) + of_timeframe.timeframe.duration
    for row in rows:
        of_frame = int(judgement.rows[of_timeframe.timeframe][row])
        outcome = Outcome(of_timeframe.outcome[of_frame])
        yield OutcomeRow(
            digest=judgement.profile.digest,
            profile=judgement.profile.name,
            symbol=judgement.symbols[row],
            timeframe=of_timeframe.timeframe,
            phase=of_timeframe.phase,
            kline_time=candle_open_at(of_timeframe, of_frame),
            side=SIDE.get(outcome, SignalSide.NONE),
            outcome=outcome.word,
            reason=of_timeframe.reason[of_frame],
            expires_at=expires_at,
            details={"grace": bool(of_timeframe.grace[of_frame])},
        )


def signal_rows(
    last: LastOutcomes,
    judgement: MinuteJudgement,
    of_timeframe: TimeframeOutcome,
    rows: Sequence[int],
    run_id: UUID,
) -> list[SignalRow]:
    """Return LONG and SHORT of these rows of `judgement`, and the NONE that ends one which stood."""
    signals: list[SignalRow] = []
    timeframe, phase = of_timeframe.timeframe, of_timeframe.phase
    for row in rows:
        symbol, of_frame = judgement.symbols[row], int(judgement.rows[timeframe][row])
        side = SIDE.get(Outcome(of_timeframe.outcome[of_frame]), SignalSide.NONE)
        before = last.sides.get((symbol, timeframe, phase), SignalSide.NONE)
        if side is SignalSide.NONE and before is SignalSide.NONE:
            continue
        signals.append(
            SignalRow(
                profile=judgement.profile.name,
                symbol=symbol,
                timeframe=timeframe,
                phase=phase,
                kline_time=candle_open_at(of_timeframe, of_frame),
                side=side,
                digest=judgement.profile.digest,
                run_id=run_id,
                score=None if side is SignalSide.NONE else round(float(of_timeframe.score[of_frame]), 4),
            )
        )
    return signals


def candle_open_at(outcome: TimeframeOutcome, row: int) -> datetime:
    """Return the open time of the candle that a row of the outcome's own was judged on."""
    return datetime.fromtimestamp(int(outcome.candle_open_ms[row]) / 1000, UTC)
