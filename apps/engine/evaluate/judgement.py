"""What one profile says of every symbol at one moment, wide; one symbol's Verdict on demand."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from apps.engine.evaluate.decided import Decided, decide
from apps.engine.evaluate.timeframe import judge
from apps.engine.evaluate.verdict import Verdict
from apps.engine.frame import Frames
from apps.engine.profile import Profile


@dataclass(frozen=True, eq=False, kw_only=True)
class Judgement(Decided):
    """One row a symbol of `symbols`."""

    symbols: tuple[str, ...]
    at: datetime

    def verdict(self, symbol: str) -> Verdict:
        """Everything about one symbol, every leaf included. KeyError for a symbol that was not judged."""
        return self._verdict(symbol, self.at, self._rows[symbol])

    @cached_property
    def _rows(self) -> dict[str, int]:
        return {symbol: row for row, symbol in enumerate(self.symbols)}


def judge_all(frames: Frames, profile: Profile, at: datetime) -> Judgement:
    """One profile over every symbol of `frames`, whose last rows are the newest candles closed at `at`."""
    timeframes = tuple(
        judge(frames, judged, minimum=profile.minimum(judged.timeframe), grace_s=profile.grace_s, at=at)
        for judged in profile.judged
    )
    mode, count = profile.validation_mode, len(frames.symbols)
    side, reason_code, chosen = decide(timeframes, mode, count, lambda _, values: values)
    return Judgement(
        profile=profile,
        timeframes=timeframes,
        side=side,
        reason_code=reason_code,
        execution_index=chosen,
        symbols=frames.symbols,
        at=at,
    )
