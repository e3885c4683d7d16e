"""What became of what a run found READY: read from its plans and trade events, or from a dry run's result."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from apps.admin_base.format import plain
from apps.audit.models import TradeLifecycleEvent
from apps.engine.events import CallFailed, PlanRefused
from apps.engine.values.order import OrderStatus
from apps.live.enter.dry_result import ENTRIES
from apps.live.models import MtfRun
from apps.orders.models import OrderPlan

WAITING = (OrderStatus.PENDING_REVIEW.value, OrderStatus.APPROVED.value)
SENDING = (OrderStatus.PLANNED.value, OrderStatus.SUBMITTING.value)
DOUBTFUL = (OrderStatus.UNKNOWN.value, OrderStatus.NEVER_ARRIVED.value, OrderStatus.REJECTED.value)
ENDED = (PlanRefused.name, CallFailed.name)
"""What ends an entry that came to no plan."""
DENIED = (OrderStatus.DENIED.value,)


def entry_outcomes(run: MtfRun) -> list[dict[str, Any]]:
    """One for each symbol that came to an end: submitted, simulated, waiting, skipped or error, and why."""
    if run.dry_run:
        return list((run.result or {}).get(ENTRIES, []))
    plans = OrderPlan.objects.filter(run_id=run.run_id).prefetch_related("orders").order_by("id")
    found = [_of_plan(plan) for plan in plans]
    planned = {one["symbol"] for one in found}
    return found + [_of_event(event) for event in _ended(run.run_id) if event.symbol not in planned]


def result_with_entries(run: MtfRun) -> dict[str, Any]:
    """The result of a run that was asked for, with its entries as they are now."""
    found = entry_outcomes(run)
    placed = [one for one in found if one["status"] == "submitted"]
    return {**(run.result or {}), ENTRIES: found, "orders_placed": placed}


def all_ended(run: MtfRun) -> bool:
    """Whether everything the run wanted to enter came to an end."""
    wanted = set((run.result or {}).get("entering", ()))
    if not wanted:
        return True
    return wanted <= {one["symbol"] for one in entry_outcomes(run) if one["status"] != "sending"}


def outcome_counts(runs: Sequence[MtfRun]) -> dict[UUID, Counter[str]]:
    """run_id → how many entries ended how, `refused` by reason beside it as `refused: reason`.

    A fault is an `error` where the symbol came to no plan.
    """
    live = [run.run_id for run in runs if not run.dry_run]
    found: dict[UUID, Counter[str]] = {run.run_id: Counter() for run in runs}
    planned = set()
    for plan in OrderPlan.objects.filter(run_id__in=live).only("run_id", "symbol", "status"):
        found[plan.run_id][_status(plan.status)] += 1
        planned.add((plan.run_id, plan.symbol))
    ended = TradeLifecycleEvent.objects.filter(run_id__in=live, event_type__in=ENDED)
    for event in ended.only("run_id", "symbol", "event_type", "reason_code"):
        assert event.run_id is not None
        if event.event_type == PlanRefused.name:
            found[event.run_id][f"refused: {event.reason_code}"] += 1
        elif (event.run_id, event.symbol) not in planned:
            found[event.run_id]["error"] += 1
    dry = [run.run_id for run in runs if run.dry_run]
    for run in MtfRun.objects.filter(run_id__in=dry, result__has_key=ENTRIES):
        for one in entry_outcomes(run):
            refused = one["status"] == "skipped"
            found[run.run_id][f"refused: {one['reason']}" if refused else one["status"]] += 1
    return found


def counts_text(counts: Counter[str]) -> str:
    """`2 submitted, 1 refused: cooldown_active`; empty when nothing was ready."""
    return ", ".join(f"{count} {what}" for what, count in counts.most_common())


def _of_plan(plan: OrderPlan) -> dict[str, Any]:
    order = max(plan.orders.all(), key=lambda order: order.attempt, default=None)
    return {
        "symbol": plan.symbol,
        "side": plan.side,
        "status": _status(plan.status),
        "plan_id": plan.pk,
        "plan_status": plan.status,
        "reason": plan.reason or None,
        "decision_key": plan.decision_key,
        "client_order_id": plan.client_order_id if order is None else order.client_order_id,
        "exchange_order_id": "" if order is None else order.exchange_order_id,
        "order_type": "limit",
        "leverage": plan.leverage,
        "size": plain(plan.size),
        "entry": plain(plan.entry_price),
        "stop": plain(plan.stop_price),
        "take_profit": plain(plan.target_price),
    }


def _ended(run_id: UUID) -> list[TradeLifecycleEvent]:
    return list(TradeLifecycleEvent.objects.filter(run_id=run_id, event_type__in=ENDED).order_by("id"))


def _of_event(event: TradeLifecycleEvent) -> dict[str, Any]:
    refused = event.event_type == PlanRefused.name
    return {
        "symbol": event.symbol,
        "side": event.side,
        "status": "skipped" if refused else "error",
        "reason": event.reason_code if refused else event.extra.get("detail"),
        "numbers": event.extra,
    }


def _status(plan: str) -> str:
    for word, statuses in (
        ("waiting", WAITING),
        ("sending", SENDING),
        ("error", DOUBTFUL),
        ("skipped", DENIED),
    ):
        if plan in statuses:
            return word
    return "submitted"
