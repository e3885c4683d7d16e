"""The admin's first page: is it alive, what does it hold, what did it decide, what is stopped."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.utils import timezone

from apps.audit.models import MtfAudit
from apps.audit.store import READY
from apps.exchange import venue
from apps.feed.models import StreamHealth
from apps.insight.account_summary import holdings
from apps.insight.system_status import board, pulse, waiting_for
from apps.orders.models import OrderPlan
from apps.switches.models import MtfSwitch

READY_WITHIN = timedelta(hours=1)
READY_SHOWN = 30
PLANS_SHOWN = 8
SYMBOLS_SHOWN = 50


def context(_request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """Return `context` with what templates/admin/index.html shows."""
    now, account = timezone.now(), venue.account()
    symbols = board(settings.MTF_PROFILES, now)
    plans = OrderPlan.objects.filter(account=account).order_by("-plan_time", "-id")

    cards = []
    for profile in settings.MTF_PROFILES:
        beat = pulse(profile, now)
        run = beat.last
        card: dict[str, Any] = {"profile": profile, "run": run, "missed": len(beat.missed), "causes": []}
        if run is not None:
            card["age_s"] = round((now - run.minute).total_seconds())
            card["decided_ms"] = run.timings.get("close_to_decided_ms")
            card["causes"] = Counter(run.counts.get("by_cause") or {}).most_common(4)
        cards.append(card)

    return context | {
        "title": "Overview",
        "now": now,
        "profiles": settings.MTF_PROFILES,
        "board": symbols[:SYMBOLS_SHOWN],
        "not_shown": max(0, len(symbols) - SYMBOLS_SHOWN),
        "waiting_for": waiting_for(now),
        "pulses": cards,
        "stopped": [switch for switch in MtfSwitch.objects.filter(is_on=False) if switch.is_in_force],
        "streams": [
            {
                "stream": stream,
                "age_s": round((now - stream.updated_at).total_seconds()),
                "candle_age_s": stream.last_candle_at
                and round((now - stream.last_candle_at).total_seconds()),
                "quote_age_s": stream.last_quote_at and round((now - stream.last_quote_at).total_seconds()),
            }
            for stream in StreamHealth.objects.order_by("name")
        ],
        "held": holdings(account),
        "plans": plans[:PLANS_SHOWN],
        "ready": _recently_ready(now)[:READY_SHOWN],
    }


def _recently_ready(now: datetime) -> list[dict[str, Any]]:
    """Return each symbol and profile that was ready within the hour, its newest time, newest first."""
    ready: dict[tuple[str, str], dict[str, Any]] = {}
    rows = MtfAudit.objects.filter(cause=READY, created_at__gte=now - READY_WITHIN).order_by("-created_at")
    for row in rows.values("symbol", "profile", "timeframe", "created_at", "details__verdict__side"):
        newest = ready.setdefault((row["symbol"], row["profile"]), row | {"times": 0})
        newest["side"] = newest["details__verdict__side"]
        newest["times"] += 1
    return list(ready.values())
