"""Counts of conditions, of timeframes and of refusals; they add up over symbols."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any

from apps.engine.profile import Phase
from apps.engine.values.side import Side
from apps.engine.values.timeframe import Timeframe

EVERY = ""
"""The symbol of a count over all symbols."""


@dataclass(frozen=True, slots=True)
class LeafCount:
    """One comparison inside an item."""

    text: str
    held: int
    unknown: int


@dataclass(frozen=True, slots=True)
class ConditionCount:
    """One top-level item of a side, over the candles of its timeframe that could be judged.

    `evaluated` candles, of which it `held`, was `unknown`, and was `only_missing`: the side did not hold and
    would have, with its mandatory filters, had this item alone been true.
    """

    symbol: str
    timeframe: Timeframe
    phase: Phase
    side: Side
    role: str
    item: str
    evaluated: int
    held: int
    unknown: int
    only_missing: int
    leaves: tuple[LeafCount, ...]

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True, slots=True)
class TimeframeCount:
    """One judged timeframe over the minutes: its outcomes, and how often it kept the symbol from a decision.

    `blocked` minutes in which it did not take a side with the others; `alone` of them in which no other
    timeframe was in the way.
    """

    symbol: str
    timeframe: Timeframe
    phase: Phase
    minutes: int
    long: int
    short: int
    neutral: int
    invalid: int
    blocked: int
    alone: int

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True)
class Report:
    """One profile over [start, end). `decisions` counts minutes × symbols by READY or reason.

    `unjudged` counts candles that could not be judged, by `1m execution candle_gap` and the like; `refusals`
    what was refused after READY, by reason, from the trade events.
    """

    profile: str
    digest: str
    start: datetime
    end: datetime
    symbols: tuple[str, ...]
    conditions: tuple[ConditionCount, ...]
    timeframes: tuple[TimeframeCount, ...]
    decisions: Counter[str]
    unjudged: Counter[str]
    refusals: Counter[str]

    def to_json(self) -> dict[str, Any]:
        return {
            "profile": self.profile,
            "digest": self.digest,
            "since": self.start.isoformat(),
            "until": self.end.isoformat(),
            "symbols": list(self.symbols),
            "conditions": [one.to_json() for one in self.conditions],
            "timeframes": [one.to_json() for one in self.timeframes],
            "decisions": dict(self.decisions.most_common()),
            "unjudged": dict(self.unjudged.most_common()),
            "refusals_after_ready": dict(self.refusals.most_common()),
        }


def conditions_added(counts: Iterable[ConditionCount]) -> list[ConditionCount]:
    """The counts of the same item added up over all symbols."""
    found: dict[tuple[object, ...], ConditionCount] = {}
    for one in counts:
        key = (one.timeframe, one.phase, one.side, one.role, one.item)
        before = found.get(key)
        found[key] = replace(one, symbol=EVERY) if before is None else _sum(before, one)
    return list(found.values())


def timeframes_added(counts: Iterable[TimeframeCount]) -> list[TimeframeCount]:
    """The counts of the same timeframe and phase added up over all symbols."""
    names = ("minutes", "long", "short", "neutral", "invalid", "blocked", "alone")
    found: dict[tuple[object, ...], TimeframeCount] = {}
    for one in counts:
        before = found.get((one.timeframe, one.phase))
        added = {name: getattr(one, name) + (getattr(before, name) if before else 0) for name in names}
        found[one.timeframe, one.phase] = replace(one, symbol=EVERY, **added)
    return list(found.values())


def _sum(one: ConditionCount, other: ConditionCount) -> ConditionCount:
    return replace(
        one,
        evaluated=one.evaluated + other.evaluated,
        held=one.held + other.held,
        unknown=one.unknown + other.unknown,
        only_missing=one.only_missing + other.only_missing,
        leaves=tuple(
            LeafCount(a.text, a.held + b.held, a.unknown + b.unknown)
            for a, b in zip(one.leaves, other.leaves, strict=True)
        ),
    )
