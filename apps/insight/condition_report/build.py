"""The report of one profile over many symbols, recomputed from stored candles."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime

from django.db.models import Count

from apps.audit.models import TradeLifecycleEvent
from apps.engine.events import PlanRefused
from apps.engine.profile import Profile
from apps.engine.values.timeframe import Timeframe
from apps.insight.condition_report.count import candles_in, conditions, decisions, timeframes, unjudged
from apps.insight.condition_report.report import (
    ConditionCount,
    Report,
    TimeframeCount,
    conditions_added,
    timeframes_added,
)
from apps.insight.past_verdicts import past


def condition_report(
    profile: Profile,
    symbols: Sequence[str],
    start: datetime,
    end: datetime,
    *,
    timeframe: Timeframe | None = None,
    by_symbol: bool = False,
    tell: Callable[[str], None] = lambda _: None,
) -> Report:
    """Judge `symbols` by `profile` over the minutes of [start, end), aware UTC, and count what blocked.

    A timeframe's conditions count once for each of its own candles that closed in the stretch, decisions
    once a minute. `timeframe` leaves out the conditions of all others; `by_symbol` keeps symbols apart.
    `tell` is called with each symbol done.
    """
    items: list[ConditionCount] = []
    judged: list[TimeframeCount] = []
    decided: Counter[str] = Counter()
    blind: Counter[str] = Counter()
    for symbol in symbols:
        history = past(symbol, profile, start, end)
        decided += decisions(history)
        judged += timeframes(history)
        for one in history.timeframes:
            if timeframe is None or one.timeframe == timeframe:
                within = candles_in(one, start, end)
                items += conditions(symbol, one, within)
                blind += unjudged(one, within)
        tell(symbol)
    return Report(
        profile=profile.name,
        digest=profile.digest,
        start=start,
        end=end,
        symbols=tuple(symbols),
        conditions=_sorted(items if by_symbol else conditions_added(items)),
        timeframes=tuple(judged if by_symbol else timeframes_added(judged)),
        decisions=decided,
        unjudged=blind,
        refusals=refusals(profile.name, symbols, start, end),
    )


def refusals(profile: str, symbols: Sequence[str], start: datetime, end: datetime) -> Counter[str]:
    """What was READY and then refused live in [start, end), by reason."""
    events = TradeLifecycleEvent.objects.filter(
        event_type=PlanRefused.name,
        profile=profile,
        symbol__in=list(symbols),
        happened_at__gte=start,
        happened_at__lt=end,
    )
    counted = events.order_by().values_list("reason_code").annotate(times=Count("id"))
    return Counter(dict(counted))


def _sorted(found: Sequence[ConditionCount]) -> tuple[ConditionCount, ...]:
    """What blocked most first; then what held least."""
    return tuple(sorted(found, key=lambda one: (-one.only_missing, one.held)))
