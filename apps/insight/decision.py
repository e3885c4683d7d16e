"""What was decided, minute by minute: live, by the audit row that stood at a run's end, or replayed.

The audit holds changes only, and a row stands until the symbol's next one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np

from apps.audit import store as audit
from apps.audit.store import READY, Cause
from apps.engine.evaluate.judgement import PastJudgement
from apps.engine.evaluate.outcome import SIDES, Outcome, reasons
from apps.engine.evaluate.verdict import Verdict
from apps.live.models import MtfRun, RunStatus, Trigger
from apps.market import store as market


@dataclass(frozen=True)
class LiveDecisions:
    """`runs` are the beat's, by minute, rising; `rows` every audit row that stood at some of their ends,
    by symbol, rising by time."""

    runs: tuple[MtfRun, ...]
    rows: dict[str, list[Cause]]

    @property
    def decided(self) -> list[MtfRun]:
        return [run for run in self.runs if run.status == RunStatus.DECIDED]

    @property
    def judged_symbols(self) -> list[str]:
        """Those of which a row by a version that ran stood at the end of some run."""
        ran = {run.digest for run in self.decided}
        return sorted(
            symbol
            for symbol, rows in self.rows.items()
            if any(row.digest in ran and row.cause != audit.NOT_WATCHED for row in rows)
        )

    def rows_at_end(self, symbol: str, runs: Sequence[MtfRun]) -> list[Cause | None]:
        """Return the row of `symbol` that stood at the end of each of `runs`, None where there was none."""
        rows = self.rows.get(symbol, [])
        ends = [run.finished_at for run in runs if run.finished_at is not None]
        written_us, ended_us = (
            np.array([round(moment.timestamp() * 1_000_000) for moment in moments], dtype=np.int64)
            for moments in ([row.created_at for row in rows], ends)
        )
        newest = np.searchsorted(written_us, ended_us, side="right") - 1
        return [rows[at] if at >= 0 else None for at in newest.tolist()]


def live_decisions(
    profile: str, symbols: Sequence[str] | None, start: datetime, end: datetime
) -> LiveDecisions:
    """Return what `profile` decided in the minutes of [start, end); without `symbols` of every listed one."""
    query = MtfRun.objects.filter(profile=profile, trigger=Trigger.BEAT, minute__gte=start, minute__lt=end)
    runs = tuple(query.defer("result", "options").order_by("minute"))
    ends = [run.finished_at for run in runs if run.status == RunStatus.DECIDED and run.finished_at]
    if not ends:
        return LiveDecisions(runs, {})
    names = [contract.symbol for contract in market.contracts()] if symbols is None else list(symbols)
    rows = {symbol: [row] for symbol, row in audit.newest_causes(profile, names, min(ends)).items()}
    for row in audit.causes_between(profile, names, min(ends), max(ends)):
        rows.setdefault(row.symbol, []).append(row)
    return LiveDecisions(runs, rows)


def run_results(run: MtfRun) -> list[dict[str, Any]]:
    """Return what `run` said about each symbol, by symbol; a run that decided nothing said nothing.

    A dry run wrote it into its result; of others it is what stood at their end under their digest.
    """
    if run.status != RunStatus.DECIDED:
        return []
    if run.result is not None and "results" in run.result:
        return list(run.result["results"])
    symbols = [contract.symbol for contract in market.contracts()]
    rows = audit.newest_rows(run.profile, symbols, run.finished_at)
    judged = (row for row in rows.values() if row.digest == run.digest and row.cause != audit.NOT_WATCHED)
    return [
        {
            "symbol": row.symbol,
            "step": row.step,
            "timeframe": row.timeframe,
            "cause": row.cause,
            "since": row.created_at,
            "changed": row.run_id == run.run_id,
            "details": row.details,
        }
        for row in sorted(judged, key=lambda row: row.symbol)
    ]


def decision_text(cause: str, side: str | None, timeframe: str | None) -> str:
    """Return a decision in one short line: equal lines are equal decisions."""
    if cause == READY:
        return f"READY {side} on {timeframe}"
    return cause if side is None else f"{cause} ({side})"


def row_decision(row: Cause) -> str:
    return decision_text(row.cause, row.side, row.timeframe)


def verdict_decision(verdict: Verdict) -> str:
    cause = verdict.reason or READY
    return decision_text(cause, verdict.side, verdict.execution_timeframe)


def past_decisions(history: PastJudgement) -> list[str]:
    """Return the decision of each of a history's moments; few stand for many minutes, each is worded once."""
    names = [judged.timeframe for judged in history.execution]
    texts: dict[tuple[int, int, int], str] = {}
    columns = (history.reason_code.tolist(), history.side.tolist(), history.execution_index.tolist())
    moments = list(zip(*columns, strict=True))
    for reason_code, side_code, chosen in dict.fromkeys(moments):
        [reason] = reasons(np.array([reason_code], dtype=np.int8))
        side = SIDES.get(Outcome(side_code))
        texts[reason_code, side_code, chosen] = decision_text(
            reason or READY,
            side,
            names[chosen] if chosen >= 0 else None,
        )
    return [texts[moment] for moment in moments]
