"""What was decided live of a symbol, as the tables tell it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db.models import Q

from apps.audit.models import MtfAudit
from apps.engine.values.timeframe import VALIDATION
from apps.insight.export.rows import plain, row, rows
from apps.live.models import MtfRun, Trigger
from apps.signals.models import MtfState, Signal


def runs(symbol: str, start: datetime, end: datetime) -> list[dict[str, Any]]:
    """Runs of the minutes in [start, end), rising; of a result only what it says of `symbol`."""
    found = MtfRun.objects.filter(minute__gte=start, minute__lt=end).order_by("minute", "id")
    return [row(run, without=["result"]) | {"result": _own(run, symbol)} for run in found]


def audit(symbol: str, start: datetime, end: datetime) -> list[dict[str, Any]]:
    """Rows written in [start, end) or by a run of its minutes, and of each profile the one before them."""
    of_symbol = MtfAudit.objects.filter(symbol=symbol)
    run_ids = MtfRun.objects.filter(minute__gte=start, minute__lt=end).values("run_id")
    within = of_symbol.filter(Q(created_at__gte=start, created_at__lt=end) | Q(run_id__in=run_ids))
    before = of_symbol.filter(created_at__lt=start).order_by("profile", "-created_at", "-id")
    kept = of_symbol.filter(Q(pk__in=within.values("pk")) | Q(pk__in=before.distinct("profile").values("pk")))
    return rows(kept.order_by("created_at", "id"))


def signals(symbol: str, start: datetime, end: datetime) -> list[dict[str, Any]]:
    """Signals of the candles that were judged in [start, end), rising by candle."""
    judged = Q()
    for timeframe in VALIDATION:
        first = timeframe.newest_open(start)
        judged |= Q(timeframe=timeframe, kline_time__gte=first, kline_time__lt=end)
    return rows(Signal.objects.filter(judged, symbol=symbol).order_by("kline_time", "id"))


def standing_outcomes(symbol: str) -> list[dict[str, Any]]:
    """What stands per profile version, timeframe and phase now: the table keeps no older state."""
    return rows(MtfState.objects.filter(symbol=symbol).order_by("profile", "digest", "timeframe", "phase"))


def _own(run: MtfRun, symbol: str) -> dict[str, Any] | None:
    """What the result of a run that was asked for says of the symbol; None for a minute's run."""
    if run.trigger == Trigger.BEAT and run.result is None:
        return None
    lists = ((key, (run.result or {}).get(key) or []) for key in ("results", "entries", "errors"))
    return {key: plain([one for one in found if one.get("symbol") == symbol]) for key, found in lists}
