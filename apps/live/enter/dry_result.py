"""What a dry run would have done, kept in its own result."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from pydantic_core import to_jsonable_python

from apps.engine.cycle import EntryResult
from apps.engine.evaluate.verdict import Verdict
from apps.engine.values.order import OrderStatus
from apps.engine.values.reason import Refusal
from apps.live.models import MtfRun

ENTRIES = "entries"


def add_dry_outcome(run: MtfRun, verdict: Verdict, outcome: EntryResult | Refusal) -> None:
    """Add one symbol's outcome."""
    _add(run, {"symbol": verdict.symbol, "side": verdict.side, **_outcome(outcome)})


def add_dry_fault(run: MtfRun, symbol: str, detail: str) -> None:
    """Add that the symbol's entry failed."""
    _add(run, {"symbol": symbol, "side": None, "status": "error", "reason": detail})


@transaction.atomic
def _add(run: MtfRun, entry: dict[str, Any]) -> None:
    """Entries of other symbols may be added at the same time."""
    row = MtfRun.objects.select_for_update().get(pk=run.pk)
    kept = row.result or {}
    row.result = kept | {ENTRIES: [*kept.get(ENTRIES, []), to_jsonable_python(entry)]}
    row.save(update_fields=["result"])


def _outcome(outcome: EntryResult | Refusal) -> dict[str, Any]:
    if isinstance(outcome, Refusal):
        return {"status": "skipped", "reason": outcome.reason, "numbers": dict(outcome.numbers)}
    plan, sent = outcome.plan, outcome.sent
    told = {
        "decision_key": plan.decision_key,
        "client_order_id": plan.client_order_id,
        "order_type": "limit",
        "leverage": plan.leverage,
        "size": plan.size,
        "entry": plan.entry,
        "stop": plan.stop,
        "take_profit": plan.target,
        "plan": plan,
    }
    if sent is None or sent.order.status == OrderStatus.SUBMITTED:
        return {"status": "simulated", **told}
    return {"status": "skipped", "reason": sent.reason, "detail": sent.detail, **told}
