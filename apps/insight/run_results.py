"""What a run said about each symbol: written in a dry result, or standing in the audit."""

from __future__ import annotations

from typing import Any

from apps.audit import store as audit
from apps.audit.models import MtfAudit
from apps.live.models import MtfRun, RunStatus
from apps.market import store as market


def results(run: MtfRun) -> list[dict[str, Any]]:
    """One entry a symbol, by symbol. A run that decided nothing has none.

    The audit holds changes only, a row stands until the symbol's next: what stood at the run's end under its
    digest is what the run said.
    """
    if run.status != RunStatus.DECIDED:
        return []
    if run.result is not None and "results" in run.result:
        return list(run.result["results"])
    symbols = [contract.symbol for contract in market.contracts()]
    rows = audit.standing(run.profile, symbols, run.finished_at)
    judged = (row for row in rows.values() if row.digest == run.digest and row.cause != audit.NOT_WATCHED)
    return [_entry(row, run) for row in sorted(judged, key=lambda row: row.symbol)]


def _entry(row: MtfAudit, run: MtfRun) -> dict[str, Any]:
    return {
        "symbol": row.symbol,
        "step": row.step,
        "timeframe": row.timeframe,
        "cause": row.cause,
        "since": row.created_at,
        "changed": row.run_id == run.run_id,
        "details": row.details,
    }
