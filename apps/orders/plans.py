"""Plans: rows as the engine's values, and back without loss."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from pydantic import TypeAdapter

from apps.engine.values.order import OrderStatus
from apps.engine.values.plan import OrderPlan as Plan
from apps.orders.models import OrderPlan

_PLAN = TypeAdapter(Plan)
_RISK = ("sizing", "limits", "expected_r_net")
_CONTEXT = ("candle_open_at", "quote", "zone")
_EXECUTION = tuple(name for name in Plan.__dataclass_fields__ if name not in _RISK + _CONTEXT)


@dataclass(frozen=True, slots=True)
class ApprovedPlan:
    """A plan a person approved, with the run it came from and what the reviewer saw beside it."""

    plan: Plan
    run_id: UUID
    context: Mapping[str, Any]


def approved_plans(account: str) -> list[ApprovedPlan]:
    """The plans that were approved and not claimed since, oldest first."""
    rows = OrderPlan.objects.filter(account=account, status=OrderStatus.APPROVED.value).order_by("id")
    return [ApprovedPlan(plan_value(row), row.run_id, row.context_json) for row in rows]


def plan_value(row: OrderPlan) -> Plan:
    """The plan exactly as it was claimed."""
    stored = {name: row.context_json[name] for name in _CONTEXT} | row.risk_json | row.exec_json
    return _PLAN.validate_python(stored)


def plan_columns(plan: Plan, context: Mapping[str, Any]) -> dict[str, Any]:
    """The columns that tell the plan; `context` joins what it looked at."""
    plain = _PLAN.dump_python(plan, mode="json")
    return {
        "symbol": plan.symbol,
        "side": plan.side.value,
        "decision_key": plan.decision_key,
        "client_order_id": plan.client_order_id,
        "plan_time": plan.created_at,
        "profile": plan.profile,
        "digest": plan.digest,
        "timeframe": plan.timeframe.value,
        "entry_price": plan.entry,
        "stop_price": plan.stop,
        "target_price": plan.target,
        "size": plan.size,
        "leverage": plan.leverage,
        "risk_usdt": plan.sizing.risk,
        "margin_usdt": plan.sizing.margin,
        "notional_usdt": plan.sizing.notional,
        "zone_expires_at": plan.zone.expires_at,
        "risk_json": {name: plain[name] for name in _RISK},
        "context_json": {**context, **{name: plain[name] for name in _CONTEXT}},
        "exec_json": {name: plain[name] for name in _EXECUTION},
    }
