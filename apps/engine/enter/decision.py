"""Whether a verdict may become an order at all, and what that decision is called."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from apps.engine.evaluate.verdict import Readiness, Verdict
from apps.engine.profile import Entry, Profile
from apps.engine.values.order import decision_key
from apps.engine.values.reason import Reason, Refusal
from apps.engine.values.side import Side
from apps.engine.values.timeframe import VALIDATION, Timeframe


@dataclass(frozen=True, slots=True)
class Decision:
    """A READY verdict with everything an entry needs of it."""

    key: str
    symbol: str
    side: Side
    timeframe: Timeframe
    timeframes: tuple[Timeframe, ...]
    candle_open_at: datetime
    entry: Entry


def decision(verdict: Verdict, profile: Profile) -> Decision | Refusal:
    """Refused when the verdict is not READY, or the profile does not trade what it says."""
    timeframe = verdict.execution_timeframe
    if verdict.outcome != Readiness.READY:
        return Refusal(Reason.MTF_NOT_READY, {"reason": verdict.reason})
    if timeframe is None or verdict.candle_open_at is None:
        return Refusal(Reason.MISSING_EXECUTION_TF)
    if timeframe not in VALIDATION:
        return Refusal(Reason.UNSUPPORTED_EXECUTION_TF, {"timeframe": str(timeframe)})
    if profile.entry is None or timeframe not in profile.execution_timeframes:
        return Refusal(Reason.EXECUTION_TF_NOT_ALLOWED, {"timeframe": str(timeframe)})
    if verdict.side is None:
        return Refusal(Reason.MISSING_SIGNAL_SIDE)
    key = decision_key(profile.name, verdict.symbol, timeframe, verdict.candle_open_at, verdict.side)
    judged = tuple(dict.fromkeys(one.timeframe for one in profile.judged))
    return Decision(
        key, verdict.symbol, verdict.side, timeframe, judged, verdict.candle_open_at, profile.entry
    )


def too_old(made: Decision, now: datetime) -> Refusal | None:
    """Refused when the deciding candle closed longer ago than the profile trades on."""
    age_s = (now - made.candle_open_at - made.timeframe.duration).total_seconds()
    limit_s = made.entry.signal_age_s(made.timeframe)
    return Refusal(Reason.SIGNAL_TOO_OLD, {"age_s": age_s, "limit_s": limit_s}) if age_s > limit_s else None
