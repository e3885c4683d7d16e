"""One symbol's verdict with every reason and number; to JSON and back without loss."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from apps.engine.evaluate.outcome import Outcome
from apps.engine.evaluate.timeframe import TimeframeOutcome
from apps.engine.profile import Phase
from apps.engine.values.position import Side
from apps.engine.values.reason import Reason
from apps.engine.values.timeframe import Timeframe

READY = "READY"
NOT_READY = "INVALID"


@dataclass(frozen=True, slots=True)
class LeafVerdict:
    """One leaf: its condition ("" for a formula written in place), its text with parameters by value.

    `left`, `right` and `held` are None where unknown. `role` is "rule" or "filter" of a side; or without one
    "stay", "drop" or "forbid": whether an execution timeframe is left for a faster one.
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
            "side": _optional(str, self.side),
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
    outcome: Outcome
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
            "outcome": self.outcome.word,
            "reason": _optional(str, self.reason),
            "grace": self.grace,
            "candle_open_at": self.candle_open_at.isoformat(),
            "score": self.score,
            "missing": list(self.missing),
            "leaves": [leaf.to_json() for leaf in self.leaves],
        }

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> TimeframeVerdict:
        """Read what `to_json` gave. KeyError, TypeError or ValueError when it did not."""
        leaves = (
            LeafVerdict(**{**leaf, "side": _optional(Side, leaf["side"])}) for leaf in content["leaves"]
        )
        return cls(
            **{
                **content,
                "timeframe": Timeframe(content["timeframe"]),
                "phase": Phase(content["phase"]),
                "outcome": Outcome[content["outcome"].upper()],
                "reason": _optional(Reason, content["reason"]),
                "candle_open_at": datetime.fromisoformat(content["candle_open_at"]),
                "missing": tuple(content["missing"]),
                "leaves": tuple(leaves),
            }
        )


@dataclass(frozen=True, slots=True)
class Verdict:
    """Ready with a side, an execution timeframe and its deciding candle; or not, with a reason.

    `side` is the context's; a verdict that is not ready has one when only the execution failed. `score` is
    the share of leaves that held on that side, over the context and the chosen timeframe.
    """

    symbol: str
    profile: str
    digest: str
    evaluated_at: datetime
    is_ready: bool
    side: Side | None
    execution_timeframe: Timeframe | None
    candle_open_at: datetime | None
    reason: Reason | None
    score: float | None
    timeframes: tuple[TimeframeVerdict, ...]

    @property
    def status(self) -> str:
        """READY or INVALID: the word in JSON and for people."""
        return READY if self.is_ready else NOT_READY

    def to_json(self) -> dict[str, Any]:
        """A dict of plain JSON values; times as ISO 8601."""
        return {
            "symbol": self.symbol,
            "profile": self.profile,
            "digest": self.digest,
            "evaluated_at": self.evaluated_at.isoformat(),
            "outcome": self.status,
            "side": _optional(str, self.side),
            "execution_timeframe": _optional(str, self.execution_timeframe),
            "candle_open_at": _optional(datetime.isoformat, self.candle_open_at),
            "reason": _optional(str, self.reason),
            "score": self.score,
            "timeframes": [timeframe.to_json() for timeframe in self.timeframes],
        }

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Verdict:
        """Read what `to_json` gave. KeyError, TypeError or ValueError when it did not."""
        values = {key: value for key, value in content.items() if key != "outcome"}
        if content["outcome"] not in (READY, NOT_READY):
            raise ValueError(f"a verdict's outcome is {READY} or {NOT_READY}, not {content['outcome']!r}")
        return cls(
            **{
                **values,
                "evaluated_at": datetime.fromisoformat(content["evaluated_at"]),
                "is_ready": content["outcome"] == READY,
                "side": _optional(Side, content["side"]),
                "execution_timeframe": _optional(Timeframe, content["execution_timeframe"]),
                "candle_open_at": _optional(datetime.fromisoformat, content["candle_open_at"]),
                "reason": _optional(Reason, content["reason"]),
                "timeframes": tuple(
                    TimeframeVerdict.from_json(timeframe) for timeframe in content["timeframes"]
                ),
            }
        )


def timeframe_verdict(outcome: TimeframeOutcome, row: int) -> TimeframeVerdict:
    """Return what one timeframe says in `row` (of its own rows), with every leaf."""
    reason, table = outcome.reason[row], outcome.leaves
    columns = zip(table.leaves, table.sides, table.roles, table.left, table.right, table.truth, strict=True)
    return TimeframeVerdict(
        timeframe=outcome.timeframe,
        phase=outcome.phase,
        outcome=Outcome(outcome.outcome[row]),
        reason=reason,
        grace=bool(outcome.grace[row]),
        candle_open_at=utc_from_ms(int(outcome.candle_open_ms[row])),
        score=number_or_none(outcome.score[row]),
        missing=table.missing(row) if reason == Reason.MISSING_DATA else (),
        leaves=tuple(
            LeafVerdict(
                side=side,
                role=role,
                condition=leaf.condition,
                text=leaf.text,
                left=number_or_none(left.item(row)),
                right=number_or_none(right.item(row)),
                held={1: True, 0: None, -1: False}[truth.item(row)],
            )
            for leaf, side, role, left, right, truth in columns
        ),
    )


def utc_from_ms(stamp_ms: int) -> datetime:
    """Unix milliseconds as an aware UTC datetime."""
    return datetime.fromtimestamp(stamp_ms / 1000, UTC)


def number_or_none(value: float) -> float | None:
    """None for NaN: JSON has no word for it."""
    return None if math.isnan(value) else float(value)


def _optional(convert: Any, value: Any) -> Any:
    return None if value is None else convert(value)
