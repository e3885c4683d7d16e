"""What blocks us most: how often each condition held, and how often it alone was missing.

One profile over many symbols, recomputed from stored candles.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any

import numpy as np
from django.db.models import Count

from apps.audit.models import TradeLifecycleEvent
from apps.audit.store import READY
from apps.engine.evaluate.blocker import blockers, rule_items
from apps.engine.evaluate.judgement import PastJudgement
from apps.engine.evaluate.outcome import Outcome, code, reasons
from apps.engine.evaluate.timeframe import TimeframeOutcome
from apps.engine.events import PlanRefused
from apps.engine.frame import Bools
from apps.engine.profile import Phase, Profile
from apps.engine.rules.logic import TRUE, UNKNOWN
from apps.engine.values.position import Side
from apps.engine.values.timeframe import Timeframe
from apps.insight.replay import past_judgement
from apps.live.cause import NO_DATA

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

    `conditions`: what blocked most first, then what held least.
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
            "conditions": [count.to_json() for count in self.conditions],
            "timeframes": [count.to_json() for count in self.timeframes],
            "decisions": dict(self.decisions.most_common()),
            "unjudged": dict(self.unjudged.most_common()),
            "refusals_after_ready": dict(self.refusals.most_common()),
        }


def condition_report(
    profile: Profile,
    symbols: Sequence[str],
    start: datetime,
    end: datetime,
    *,
    timeframe: Timeframe | None = None,
    by_symbol: bool = False,
    advance: Callable[[str], None] = lambda _: None,
) -> Report:
    """Judge `symbols` by `profile` over the minutes of [start, end), aware UTC, and count what blocked.

    A timeframe's conditions count once for each of its own candles that closed in these minutes, decisions
    once a minute. `timeframe` leaves out the conditions of all others; `by_symbol` keeps symbols apart.
    `advance` is called with each symbol done.
    """
    conditions: list[ConditionCount] = []
    timeframes: list[TimeframeCount] = []
    decisions, unjudged = Counter[str](), Counter[str]()
    for symbol in symbols:
        history = past_judgement(symbol, profile, start, end)
        decisions.update(_decision_counts(history))
        timeframes += _timeframe_counts(history)
        for judged in history.timeframes:
            if timeframe is None or judged.timeframe == timeframe:
                close_ms = judged.candle_open_ms + judged.timeframe.ms
                within = (close_ms >= start.timestamp() * 1000) & (close_ms < end.timestamp() * 1000)
                blind = within & np.isin(judged.reason_code, [code(reason) for reason in NO_DATA])
                conditions += _condition_counts(symbol, judged, within & ~blind)
                unjudged.update(f"{judged.timeframe} {judged.phase} {why}" for why in judged.reason[blind])
        advance(symbol)
    if not by_symbol:
        conditions, timeframes = _conditions_over_symbols(conditions), _timeframes_over_symbols(timeframes)
    return Report(
        profile=profile.name,
        digest=profile.digest,
        start=start,
        end=end,
        symbols=tuple(symbols),
        conditions=tuple(sorted(conditions, key=lambda count: (-count.only_missing, count.held))),
        timeframes=tuple(timeframes),
        decisions=decisions,
        unjudged=unjudged,
        refusals=_refusals_after_ready(profile.name, symbols, start, end),
    )


def _decision_counts(history: PastJudgement) -> dict[str, int]:
    """Return the history's minutes by READY or reason."""
    codes, counts = np.unique(history.reason_code, return_counts=True)
    return {reason or READY: count for reason, count in zip(reasons(codes), counts.tolist(), strict=True)}


def _timeframe_counts(history: PastJudgement) -> list[TimeframeCount]:
    """Return every judged timeframe over the history's minutes."""
    counts = []
    for blocker in blockers(history):
        outcomes = {outcome: int((blocker.outcome == outcome).sum()) for outcome in Outcome}
        counts.append(
            TimeframeCount(
                symbol=history.symbol,
                timeframe=blocker.timeframe,
                phase=blocker.phase,
                minutes=len(blocker.outcome),
                long=outcomes[Outcome.LONG],
                short=outcomes[Outcome.SHORT],
                neutral=outcomes[Outcome.NEUTRAL],
                invalid=outcomes[Outcome.INVALID],
                blocked=int(blocker.blocked.sum()),
                alone=int(blocker.alone.sum()),
            )
        )
    return counts


def _condition_counts(symbol: str, outcome: TimeframeOutcome, judged: Bools) -> list[ConditionCount]:
    """Return every top-level item over the candles `judged`, (R,)."""
    truth = dict(zip(outcome.leaves.leaves, outcome.leaves.truth, strict=True))

    def count(flags: Bools) -> int:
        return int((flags & judged).sum())

    return [
        ConditionCount(
            symbol=symbol,
            timeframe=outcome.timeframe,
            phase=outcome.phase,
            side=item.side,
            role=item.role,
            item=item.text,
            evaluated=int(judged.sum()),
            held=count(item.truth == TRUE),
            unknown=count(item.truth == UNKNOWN),
            only_missing=count(item.only_missing),
            leaves=tuple(
                LeafCount(leaf.text, count(truth[leaf] == TRUE), count(truth[leaf] == UNKNOWN))
                for leaf in item.leaves
            ),
        )
        for item in rule_items(outcome.judged, outcome.views[0])
    ]


def _refusals_after_ready(
    profile: str, symbols: Sequence[str], start: datetime, end: datetime
) -> Counter[str]:
    """Return what was READY and then refused live in [start, end), by reason."""
    events = TradeLifecycleEvent.objects.filter(
        event_type=PlanRefused.name,
        profile=profile,
        symbol__in=list(symbols),
        happened_at__gte=start,
        happened_at__lt=end,
    )
    return Counter(dict(events.order_by().values_list("reason_code").annotate(times=Count("id"))))


def _conditions_over_symbols(counts: Iterable[ConditionCount]) -> list[ConditionCount]:
    """Return the counts of the same item added up over all symbols."""
    sums: dict[tuple[object, ...], ConditionCount] = {}
    for count in counts:
        key = (count.timeframe, count.phase, count.side, count.role, count.item)
        if (other := sums.get(key)) is None:
            sums[key] = replace(count, symbol=EVERY)
            continue
        sums[key] = replace(
            other,
            evaluated=other.evaluated + count.evaluated,
            held=other.held + count.held,
            unknown=other.unknown + count.unknown,
            only_missing=other.only_missing + count.only_missing,
            leaves=tuple(
                LeafCount(a.text, a.held + b.held, a.unknown + b.unknown)
                for a, b in zip(other.leaves, count.leaves, strict=True)
            ),
        )
    return list(sums.values())


def _timeframes_over_symbols(counts: Iterable[TimeframeCount]) -> list[TimeframeCount]:
    """Return the counts of the same timeframe and phase added up over all symbols."""
    names = ("minutes", "long", "short", "neutral", "invalid", "blocked", "alone")
    sums: dict[tuple[object, ...], TimeframeCount] = {}
    for count in counts:
        other = sums.get((count.timeframe, count.phase))
        added = {name: getattr(count, name) + (getattr(other, name) if other else 0) for name in names}
        sums[count.timeframe, count.phase] = replace(count, symbol=EVERY, **added)
    return list(sums.values())
