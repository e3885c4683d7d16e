"""The wide step: every symbol by every profile at one moment, or one symbol at every moment of its past."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from apps.engine.evaluate.history import History, judge_history
from apps.engine.evaluate.judgement import Judgement, judge_all
from apps.engine.frame import Frames, Ints
from apps.engine.profile import Profile


def evaluate(frames: Frames, profiles: Sequence[Profile], *, at: datetime) -> tuple[Judgement, ...]:
    """Judge every symbol by every profile, one Judgement a profile, in their order.

    Each frame's last row is the timeframe's newest candle that closed at or before `at`. LookupError when the
    frames lack a timeframe or column that a profile reads.
    """
    return tuple(judge_all(frames, profile, at) for profile in profiles)


def replay(frames: Frames, profile: Profile, closes_ms: Ints) -> History:
    """Judge the one symbol of `frames` at each of `closes_ms` (Unix ms): what `evaluate` said then.

    `frames` are those of `apps.engine.indicators.history` over the stretch and its warm-up, with at least
    `profile.columns`. LookupError when they lack a timeframe or column that the profile reads; ValueError
    when they hold several symbols, or a moment lies outside of one of them.
    """
    return judge_history(frames, profile, closes_ms)
