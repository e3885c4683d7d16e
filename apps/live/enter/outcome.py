"""What became of the entries of a run: read from its plans and trade events, or a dry run's own result."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from django.db import transaction
from pydantic_core import to_jsonable_python

from apps.admin_base.format import plain
from apps.audit.models import TradeLifecycleEvent
from apps.engine.cycle import EntryResult
from apps.engine.evaluate.verdict import Verdict
from apps.engine.events import CallFailed, PlanRefused
from apps.engine.values.book import TrackedOrder
from apps.engine.values.order import OrderStatus
from apps.engine.values.reason import Reason, Refusal
from apps.live.models import MtfRun
from apps.orders.models import OrderPlan

ENTRIES = "entries"
"""The key of a run's result under which its entries stand."""
STATUS_WORDS = {
    OrderStatus.PENDING_REVIEW: "waiting",
    OrderStatus.APPROVED: "waiting",
    OrderStatus.PLANNED: "sending",
    OrderStatus.SUBMITTING: "sending",
    OrderStatus.UNKNOWN: "error",
    OrderStatus.NEVER_ARRIVED: "error",
    OrderStatus.REJECTED: "error",
    OrderStatus.DENIED: "skipped",
}
"""Of a plan's status; whatever is not here was submitted."""
WITHOUT_PLAN = (PlanRefused.name, CallFailed.name)
"""What ends an entry that came to no plan."""


def entry_outcomes(run: MtfRun) -> list[dict[str, Any]]:
    """Return one a symbol that came to an end: submitted, simulated, waiting, skipped or error, and why."""
    if run.dry_run:
        return list((run.result or {}).get(ENTRIES, []))
    plans = OrderPlan.objects.filter(run_id=run.run_id).prefetch_related("orders").order_by("id")
    outcomes = [_plan_outcome(plan) for plan in plans]
    planned = {outcome["symbol"] for outcome in outcomes}
    events = TradeLifecycleEvent.objects.filter(run_id=run.run_id, event_type__in=WITHOUT_PLAN)
    for event in events.order_by("id"):
        if event.symbol not in planned:
            refused = event.event_type == PlanRefused.name
            outcomes.append(
                {
                    "symbol": event.symbol,
                    "side": event.side,
                    "status": "skipped" if refused else "error",
                    "reason": event.reason_code if refused else event.extra.get("detail"),
                    "numbers": event.extra,
                }
            )
    untried: dict[str, Any] = {
        "side": None,
        "status": "skipped",
        "reason": Reason.NO_ROOM_THIS_MINUTE.value,
        "numbers": {},
    }
    return outcomes + [{"symbol": symbol} | untried for symbol in run.no_room]


def result_with_entries(run: MtfRun) -> dict[str, Any]:
    """Return the result of a run that was asked for, with its entries as they are now."""
    outcomes = entry_outcomes(run)
    placed = [outcome for outcome in outcomes if outcome["status"] == "submitted"]
    return {**(run.result or {}), ENTRIES: outcomes, "orders_placed": placed}


def symbols_under_way(run: MtfRun) -> list[str]:
    """Return what a run that was asked for sent to be entered, and what has come to no end yet."""
    entering = (run.result or {}).get("entering", [])
    if not entering:
        return []
    ended = {outcome["symbol"] for outcome in entry_outcomes(run) if outcome["status"] != "sending"}
    return [symbol for symbol in entering if symbol not in ended]


def outcome_counts(runs: Sequence[MtfRun]) -> dict[UUID, Counter[str]]:
    """Return run_id → how many entries ended how; refusals count by reason, as `refused: reason`.

    A fault is an `error` where the symbol came to no plan.
    """
    live = [run.run_id for run in runs if not run.dry_run]
    counts: dict[UUID, Counter[str]] = {run.run_id: Counter() for run in runs}
    planned = set()
    for plan in OrderPlan.objects.filter(run_id__in=live).only("run_id", "symbol", "status"):
        counts[plan.run_id][_status_word(plan)] += 1
        planned.add((plan.run_id, plan.symbol))
    events = TradeLifecycleEvent.objects.filter(run_id__in=live, event_type__in=WITHOUT_PLAN)
    for event in events.only("run_id", "symbol", "event_type", "reason_code"):
        assert event.run_id is not None
        if event.event_type == PlanRefused.name:
            counts[event.run_id][f"refused: {event.reason_code}"] += 1
        elif (event.run_id, event.symbol) not in planned:
            counts[event.run_id]["error"] += 1
    for run in runs:
        if run.no_room:
            counts[run.run_id][f"refused: {Reason.NO_ROOM_THIS_MINUTE}"] += len(run.no_room)
    dry = [run.run_id for run in runs if run.dry_run]
    for run in MtfRun.objects.filter(run_id__in=dry, result__has_key=ENTRIES):
        for outcome in entry_outcomes(run):
            refused = outcome["status"] == "skipped"
            counts[run.run_id][f"refused: {outcome['reason']}" if refused else outcome["status"]] += 1
    return counts


def counts_text(counts: Counter[str]) -> str:
    """Return `2 submitted, 1 refused: cooldown_active`; empty when nothing was ready."""
    return ", ".join(f"{count} {word}" for word, count in counts.most_common())


def _plan_outcome(plan: OrderPlan) -> dict[str, Any]:
    # of each tranche the newest attempt
    orders = {order.tranche: order for order in sorted(plan.orders.all(), key=lambda each: each.attempt)}
    order = orders.get(0)
    sent = plan if order is None else order
    return {
        "symbol": plan.symbol,
        "side": plan.side,
        "status": _status_word(plan),
        "plan_id": plan.pk,
        "plan_status": plan.status,
        "reason": plan.reason or None,
        "decision_key": plan.decision_key,
        "client_order_id": plan.client_order_id if order is None else order.client_order_id,
        "exchange_order_id": "" if order is None else order.exchange_order_id,
        "order_type": sent.order_type,
        "time_in_force": sent.time_in_force,
        "leverage": plan.leverage,
        "size": plain(plan.size),
        "entry": plain(plan.entry_price),
        "stop": plain(plan.stop_price),
        "take_profit": plain(plan.target_price),
        "tranches": [
            {
                "part": each["part"],
                "price": plain(each["price"]),
                "size": plain(each["size"]),
                "status": str(orders[number].status) if number in orders else None,
                "client_order_id": orders[number].client_order_id if number in orders else None,
            }
            for number, each in enumerate(plan.tranches)
        ],
    }


def _status_word(plan: OrderPlan) -> str:
    return STATUS_WORDS.get(plan.status, "submitted")


def add_dry_outcome(run: MtfRun, verdict: Verdict, outcome: EntryResult | Refusal) -> None:
    """Add to a dry run's own result what one symbol's entry would have done."""
    entry: dict[str, Any] = {"symbol": verdict.symbol, "side": verdict.side}
    if isinstance(outcome, Refusal):
        entry |= {"status": "skipped", "reason": outcome.reason, "numbers": dict(outcome.numbers)}
        _add_to_result(run, entry)
        return
    plan, sent = outcome.plan, outcome.sent
    results = () if sent is None else (sent, *sent.further)
    ended = {result.order.tranche: result.order.status for result in results}
    if sent is None or sent.order.status == OrderStatus.SUBMITTED:
        entry |= {"status": "simulated"}
    else:
        entry |= {"status": "skipped", "reason": sent.reason, "detail": sent.detail}
    entry |= {
        "decision_key": plan.decision_key,
        "client_order_id": plan.client_order_id,
        "order_type": plan.entry_rules.order_type,
        "time_in_force": plan.entry_rules.time_in_force,
        "leverage": plan.leverage,
        "size": plan.size,
        "entry": plan.entry,
        "stop": plan.stop,
        "take_profit": plan.target,
        "tranches": [
            {
                "part": order.part,
                "price": order.price,
                "size": order.size,
                "status": ended.get(order.tranche),
                "client_order_id": order.client_order_id,
            }
            for order in (TrackedOrder.all_of(plan) if plan.scaled else ())
        ],
        "plan": plan,
    }
    _add_to_result(run, entry)


def add_dry_fault(run: MtfRun, symbol: str, detail: str) -> None:
    """Add to a dry run's own result that the symbol's entry failed."""
    _add_to_result(run, {"symbol": symbol, "side": None, "status": "error", "reason": detail})


@transaction.atomic
def _add_to_result(run: MtfRun, entry: Mapping[str, Any]) -> None:
    """The row is locked meanwhile: entries of other symbols may be added at the same time."""
    row = MtfRun.objects.select_for_update().get(pk=run.pk)
    result = row.result or {}
    row.result = result | {ENTRIES: [*result.get(ENTRIES, []), to_jsonable_python(entry)]}
    row.save(update_fields=["result"])
