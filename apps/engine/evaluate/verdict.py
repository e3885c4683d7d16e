"""One symbol's answer with every reason and number; JSON and back without loss."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from apps.engine.profile import Phase
from apps.engine.values.reason import Reason
from apps.engine.values.side import Side
from apps.engine.values.timeframe import Timeframe


class Readiness(StrEnum):
    READY = "READY"
    INVALID = "INVALID"


class Answer(StrEnum):
    """One timeframe's outcome in words."""

    LONG = "long"
    SHORT = "short"
    NEUTRAL = "neutral"
    INVALID = "invalid"


@dataclass(frozen=True, slots=True)
class LeafVerdict:
    """One leaf: its condition ("" for a formula written in place), its text with parameters by value.

    `left`, `right` and `held` are None where unknown. `role` is "rule" or "filter" of a side; or without one
    "stay", "drop" or "forbid": whether a candidate of the execution was left for a faster one.
    """

    side: Side | None
    role: str
    condition: str
    text: str
    left: float | None
    right: float | None
    held: bool | None

    def to_json(self) -> dict[str, Any]:
        return {
            "side": _maybe(str, self.side),
            "role": self.role,
            "condition": self.condition,
            "text": self.text,
            "left": self.left,
            "right": self.right,
            "held": self.held,
        }


@dataclass(frozen=True, slots=True)
class TimeframeVerdict:
    """One timeframe in one phase, by the candle that opened at `candle_open_at` (the previous if `grace`).

    `score` is the share of its side's leaves that held, 0…1; None without a side. `missing` names columns.
    """

    timeframe: Timeframe
    phase: Phase
    outcome: Answer
    reason: Reason | None
    grace: bool
    candle_open_at: datetime
    score: float | None
    missing: tuple[str, ...]
    leaves: tuple[LeafVerdict, ...]

    def to_json(self) -> dict[str, Any]:
        return {
            "timeframe": str(self.timeframe),
            "phase": str(self.phase),
            "outcome": str(self.outcome),
            "reason": _maybe(str, self.reason),
            "grace": self.grace,
            "candle_open_at": self.candle_open_at.isoformat(),
            "score": self.score,
            "missing": list(self.missing),
            "leaves": [leaf.to_json() for leaf in self.leaves],
        }


@dataclass(frozen=True, slots=True)
class Verdict:
    """READY with a side, an execution timeframe and its deciding candle; or INVALID with a reason.

    `side` is the context's; an INVALID verdict has one when only the execution failed. `score` is the share
    of leaves that held on that side, over the context and the chosen timeframe.
    """

    symbol: str
    profile: str
    digest: str
    evaluated_at: datetime
    outcome: Readiness
    side: Side | None
    execution_timeframe: Timeframe | None
    candle_open_at: datetime | None
    reason: Reason | None
    score: float | None
    timeframes: tuple[TimeframeVerdict, ...]

    def to_json(self) -> dict[str, Any]:
        """A dict of plain JSON values; times as ISO 8601."""
        return {
            "symbol": self.symbol,
            "profile": self.profile,
            "digest": self.digest,
            "evaluated_at": self.evaluated_at.isoformat(),
            "outcome": str(self.outcome),
            "side": _maybe(str, self.side),
            "execution_timeframe": _maybe(str, self.execution_timeframe),
            "candle_open_at": _maybe(datetime.isoformat, self.candle_open_at),
            "reason": _maybe(str, self.reason),
            "score": self.score,
            "timeframes": [timeframe.to_json() for timeframe in self.timeframes],
        }

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Verdict:
        """What `to_json` gave. KeyError, TypeError or ValueError when it did not."""
        return cls(
            **{
                **content,
                "evaluated_at": datetime.fromisoformat(content["evaluated_at"]),
                "outcome": Readiness(content["outcome"]),
                "side": _maybe(Side, content["side"]),
                "execution_timeframe": _maybe(Timeframe, content["execution_timeframe"]),
                "candle_open_at": _maybe(datetime.fromisoformat, content["candle_open_at"]),
                "reason": _maybe(Reason, content["reason"]),
                "timeframes": tuple(_timeframe(entry) for entry in content["timeframes"]),
            }
        )


def _timeframe(content: Mapping[str, Any]) -> TimeframeVerdict:
    return TimeframeVerdict(
        **{
            **content,
            "timeframe": Timeframe(content["timeframe"]),
            "phase": Phase(content["phase"]),
            "outcome": Answer(content["outcome"]),
            "reason": _maybe(Reason, content["reason"]),
            "candle_open_at": datetime.fromisoformat(content["candle_open_at"]),
            "missing": tuple(content["missing"]),
            "leaves": tuple(
                LeafVerdict(**{**leaf, "side": _maybe(Side, leaf["side"])}) for leaf in content["leaves"]
            ),
        }
    )


def _maybe(read: Any, value: Any) -> Any:
    return None if value is None else read(value)
