"""What a side of a timeframe lacked: its top-level items, as they are written in the profile."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from apps.engine.evaluate.blocker import rule_items
from apps.engine.evaluate.timeframe import TimeframeOutcome
from apps.engine.profile import Phase
from apps.engine.rules.leaf import TRUE
from apps.engine.values.side import Side
from apps.engine.values.timeframe import Timeframe


@dataclass(frozen=True, slots=True)
class Missing:
    """One side: how many `items` it has, mandatory filters included, and which do not hold."""

    timeframe: Timeframe
    phase: Phase
    side: Side
    items: int
    missing: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def missing_of(one: TimeframeOutcome) -> list[Missing]:
    """The sides that have rules, of the one symbol judged, at its judged candle."""
    written = rule_items(one.judged, one.views[int(one.grace[0])])
    return [
        Missing(
            one.timeframe,
            one.phase,
            side,
            sum(item.side == side for item in written),
            tuple(item.text for item in written if item.side == side and item.truth[0] != TRUE),
        )
        for side in Side
        if any(item.side == side for item in written)
    ]
