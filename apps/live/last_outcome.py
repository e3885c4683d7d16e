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
from apps.signals import store as signals
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
        """What the tables say: sides are read, outcomes are written anew."""
        return cls(profile, symbols, sides=signals.newest_signals(profile))

    def changed(self, one: TimeframeOutcome) -> list[int]:
        """Rows whose candle, outcome or reason differs from what was last written."""
        now = fingerprint(one)
        before = self.written.get((one.timeframe, one.phase))
        if before is None:
            return list(range(len(self.symbols)))
        return [int(row) for row in np.flatnonzero((now != before).any(axis=0))]

    def remember(self, one: TimeframeOutcome, rows: Sequence[SignalRow]) -> None:
        """Take over what was committed."""
        self.written[(one.timeframe, one.phase)] = fingerprint(one)
        for row in rows:
            self.sides[(row.symbol, row.timeframe, row.phase)] = row.side


def fingerprint(one: TimeframeOutcome) -> Ints:
    """What identifies an outcome: candle (Unix ms), outcome, reason; (3, S)."""
    return np.array([one.candle_open_ms, one.outcome, one.reason_code], dtype=np.int64)


def outcome_rows(
    judgement: MinuteJudgement, one: TimeframeOutcome, rows: Sequence[int]
) -> Iterator[OutcomeRow]:
    """The standing outcomes of these symbols, valid until the timeframe's next candle closes."""
    expires_at = one.timeframe.floor(judgement.at) + one.timeframe.duration
    for row in rows:
        outcome = Outcome(one.outcome[row])
        yield OutcomeRow(
            digest=judgement.profile.digest,
            profile=judgement.profile.name,
            symbol=judgement.symbols[row],
            timeframe=one.timeframe,
            phase=one.phase,
            kline_time=candle_open_at(one, row),
            side=SIDE.get(outcome, SignalSide.NONE),
            outcome=outcome.word,
            reason=one.reason[row],
            expires_at=expires_at,
            details={"grace": bool(one.grace[row])},
        )


def signal_rows(
    standing: LastOutcomes,
    judgement: MinuteJudgement,
    one: TimeframeOutcome,
    rows: Sequence[int],
    run_id: UUID,
) -> list[SignalRow]:
    """LONG and SHORT of these symbols, and the NONE that ends one which stood."""
    found: list[SignalRow] = []
    for row in rows:
        symbol = judgement.symbols[row]
        side = SIDE.get(Outcome(one.outcome[row]), SignalSide.NONE)
        before = standing.sides.get((symbol, one.timeframe, one.phase), SignalSide.NONE)
        if side is SignalSide.NONE and before is SignalSide.NONE:
            continue
        found.append(
            SignalRow(
                profile=judgement.profile.name,
                symbol=symbol,
                timeframe=one.timeframe,
                phase=one.phase,
                kline_time=candle_open_at(one, row),
                side=side,
                digest=judgement.profile.digest,
                run_id=run_id,
                score=None if side is SignalSide.NONE else round(float(one.score[row]), 4),
            )
        )
    return found


def candle_open_at(one: TimeframeOutcome, row: int) -> datetime:
    return datetime.fromtimestamp(int(one.candle_open_ms[row]) / 1000, UTC)
