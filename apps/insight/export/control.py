"""What people and the house itself stopped."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db.models import Q

from apps.audit.models import OperatorAction
from apps.insight.export.rows import moment, rows
from apps.switches.models import Cooldown, MtfSwitch, SymbolQueue

SWITCHED = ("switch_off", "switch_on", "switch_deleted")


def control(symbol: str, at: datetime, start: datetime, end: datetime) -> dict[str, Any]:
    """What stood against `symbol` at `at`, and what people did in [start, end).

    `switches` and `cooldowns` are the tables' rows as they are now; a cooldown's row is its newest one only.
    """
    covering = _covering("switch_key", symbol)
    marks = SymbolQueue.objects.filter(symbol=symbol, asked_at__gte=start, asked_at__lt=end)
    done = OperatorAction.objects.filter(happened_at__gte=start, happened_at__lt=end)
    return {
        "in_force": in_force(symbol, at),
        "switches": rows(MtfSwitch.objects.filter(covering).order_by("switch_key")),
        "cooldowns": rows(Cooldown.objects.filter(symbol=symbol).order_by("starts_at")),
        "queue_marks": rows(marks.order_by("asked_at")),
        "operator_actions": rows(done.order_by("happened_at", "id")),
    }


def in_force(symbol: str, at: datetime) -> list[dict[str, Any]]:
    """The switches that covered `symbol` and were off at `at`, by the changes: every one is recorded."""
    changes = OperatorAction.objects.filter(
        _covering("target", symbol), action__in=SWITCHED, happened_at__lte=at
    )
    newest = changes.order_by("target", "-happened_at", "-id").distinct("target")
    return [_off(one) for one in newest if one.action == "switch_off" and not _expired(one, at)]


def _covering(column: str, symbol: str) -> Q:
    every = Q((column, "GLOBAL")) | Q((f"{column}__startswith", "PROFILE:"))
    return every | Q((column, f"SYMBOL:{symbol}")) | Q((f"{column}__startswith", f"SYMBOL_TF:{symbol}:"))


def _off(change: OperatorAction) -> dict[str, Any]:
    return {
        "key": change.target,
        "since": moment(change.happened_at),
        "reason": change.reason,
        "by": change.actor,
        "expires_at": change.extra["expires_at"],
    }


def _expired(change: OperatorAction, at: datetime) -> bool:
    expires_at = change.extra["expires_at"]
    return expires_at is not None and datetime.fromisoformat(expires_at) <= at
