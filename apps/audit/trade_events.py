"""Events of trading, appended as rows and never changed."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from apps.audit.models import TradeLifecycleEvent, TradeZoneEvent
from apps.engine import events


def save_events(account: str, happened: Sequence[events.Event], run_id: UUID | None) -> None:
    """Append a row for each event, and a zone row for each refusal by a zone."""
    TradeLifecycleEvent.objects.bulk_create(
        TradeLifecycleEvent(
            account=account,
            run_id=run_id,
            happened_at=event.at,
            symbol=event.symbol,
            event_type=event.name,
            **_columns(event),
        )
        for event in happened
    )
    TradeZoneEvent.objects.bulk_create(
        TradeZoneEvent(
            account=account,
            run_id=run_id,
            happened_at=event.at,
            symbol=event.symbol,
            profile=event.profile,
            timeframe=event.timeframe,
            decision_key=event.decision_key,
            side=event.side,
            reason_code=event.reason,
            category=event.category,
            zone_low=event.zone.low,
            zone_high=event.zone.high,
            anchor=event.zone.anchor,
            candidate=event.candidate,
            deviation_pct=event.deviation_pct,
            limit_pct=event.limit_pct,
            atr=event.zone.atr,
            spread_bps=event.spread_bps,
            volume_ratio=event.volume_ratio,
        )
        for event in happened
        if isinstance(event, events.ZoneSkipped)
    )


def _columns(event: events.Event) -> dict[str, Any]:
    match event:
        case events.PlanMade() | events.PlanClaimed():
            return _plan_columns(event)
        case events.PlanRefused() | events.ZoneSkipped():
            return _refusal_columns(event)
        case events.OrderEvent():
            return _order_columns(event)
        case events.FillSeen():
            fill = event.fill
            extra = {"fee": fill.fee, "realised": fill.realised, "opens": fill.opens, "at": fill.at}
            return {
                "exchange_order_id": fill.exchange_order_id,
                "trade_id": fill.trade_id,
                "side": fill.side,
                "quantity": fill.size,
                "price": fill.price,
                "extra": _plain(extra),
            }
        case events.PositionEvent():
            return _position_columns(event)
        case events.CloseRequestDone():
            return {"side": event.side, "extra": {"detail": event.detail}}
        case events.CallFailed():
            return {"extra": {"call": event.call, "detail": event.detail}}
        case events.CooldownSet():
            until = {"until": event.until.isoformat()}
            return _decision_columns(event.decision_key) | {"reason_code": event.because, "extra": until}
        case events.SymbolReleased():
            return _decision_columns(event.decision_key)
    raise TypeError(f"{type(event).__name__} has no place among the trade events")


def _decision_columns(key: str) -> dict[str, Any]:
    """Return its columns: a decision key begins with its profile."""
    return {"decision_key": key, "profile": key.partition("|")[0]}


def _plan_columns(event: events.PlanMade | events.PlanClaimed) -> dict[str, Any]:
    plan = event.plan
    extra: dict[str, Any] = {
        "stop": plan.stop,
        "target": plan.target,
        "leverage": plan.leverage,
        "risk": plan.sizing.risk,
        "zone": [plan.zone.low, plan.zone.high],
    }
    if plan.scaled:
        extra["tranches"] = [{"price": each.price, "size": each.size} for each in plan.scaled]
    if isinstance(event, events.PlanClaimed):
        extra["status"] = event.status
    return _decision_columns(plan.decision_key) | {
        "client_order_id": plan.client_order_id,
        "side": plan.side,
        "quantity": plan.size,
        "price": plan.entry,
        "extra": _plain(extra),
    }


def _refusal_columns(event: events.PlanRefused | events.ZoneSkipped) -> dict[str, Any]:
    columns = {
        "profile": event.profile,
        "decision_key": event.decision_key,
        "side": event.side,
        "reason_code": event.reason,
    }
    if isinstance(event, events.PlanRefused):
        return columns | {"extra": _plain(event.numbers)}
    extra = {"deviation_pct": event.deviation_pct, "limit_pct": event.limit_pct, "category": event.category}
    return columns | {"price": event.candidate, "extra": _plain(extra)}


def _order_columns(event: events.OrderEvent) -> dict[str, Any]:
    order = event.order
    extra: dict[str, Any] = {"status": order.status, "filled": order.filled, "detail": event.detail}
    if order.part:
        extra["tranche"] = order.part
    columns: dict[str, Any] = {
        "profile": order.profile,
        "decision_key": order.decision_key,
        "client_order_id": order.client_order_id,
        "exchange_order_id": order.exchange_order_id,
        "side": order.side,
        "quantity": order.size,
        "price": order.average_price if order.filled else order.price,
    }
    if isinstance(event, events.OrderDenied | events.FallbackRefused):
        columns["reason_code"] = event.reason
    return columns | {"extra": _plain(extra)}


def _position_columns(event: events.PositionEvent) -> dict[str, Any]:
    position = event.position
    columns: dict[str, Any] = _decision_columns(position.decision_key) | {
        "side": position.side,
        "quantity": position.size,
        "price": position.entry_price,
    }
    extra = {
        "status": position.status,
        "stop": position.stop,
        "target": position.target,
        "detail": event.detail,
    }
    if isinstance(event, events.ProtectionAsked):
        columns["client_order_id"] = event.client_order_id
        extra |= {"kind": event.kind, "trigger_price": event.trigger_price, "size": event.size}
    return columns | {"extra": _plain(extra)}


def _plain(value: Any) -> Any:
    """Return `value` as JSON can hold it: numbers of money as exact text, times as ISO text."""
    match value:
        case Mapping():
            return {str(key): _plain(item) for key, item in value.items()}
        case str():
            return str(value)
        case Iterable():
            return [_plain(item) for item in value]
        case datetime():
            return value.isoformat()
        case None | bool() | int():
            return value
        case float() if math.isfinite(value):
            return value
    return str(value)
