"""The wide step: every symbol by every profile."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from apps.engine.evaluate.judgement import Judgement, judge_all
from apps.engine.frame import Frames
from apps.engine.profile import Profile


def evaluate(frames: Frames, profiles: Sequence[Profile], *, at: datetime) -> tuple[Judgement, ...]:
    """Judge every symbol by every profile, one Judgement a profile, in their order.

    Each frame's last row is the timeframe's newest candle that closed at or before `at`. LookupError when the
    frames lack a timeframe or column that a profile reads.
    """
    return tuple(judge_all(frames, profile, at) for profile in profiles)
