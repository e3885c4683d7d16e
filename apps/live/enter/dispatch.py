"""Which READY symbols are entered now: none that the books refuse, in a stated order, while there is room."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

import structlog

from apps.audit import store as audit
from apps.engine import events
from apps.engine.cycle import precheck, refused_event
from apps.engine.evaluate.verdict import Verdict
from apps.engine.profile import Profile
from apps.engine.values.reason import Refusal
from apps.live.enter.context import account_ledger
from apps.live.models import MtfRun

log = structlog.get_logger("order_journey")

TRIES_PER_PLACE = 4
"""Most READY symbols are refused by the market of the moment: so many are tried for each position that is
free."""
MOST_TRIES = 60
"""In the 20 s that an entry may wait the exchange answers few more of them by its limits of 12 in 2 s, which
following shares."""


@dataclass
class ReadyEntry:
    """A symbol, the runs that would enter it in the order of their profiles, and the best of their scores."""

    symbol: str
    rank: int
    score: float
    run_ids: list[str] = field(default_factory=list)


def entries_to_send(
    runs: Sequence[MtfRun], profiles: Sequence[Profile], now: datetime
) -> dict[str, list[str]]:
    """Return symbol → runs to enter it by, those of the first profile first, then the highest scores.

    What our books refuse is recorded without asking the exchange anything; what there is no room for is
    written to its runs. A profile without an `entry` section judges only.
    """
    traded = {profile.digest: (rank, profile) for rank, profile in enumerate(profiles) if profile.entry}
    by_rank = sorted((run for run in runs if run.digest in traded), key=lambda run: traded[run.digest][0])
    ready = [(run, verdict) for run in by_rank for verdict in _ready_verdicts(run)]
    if not ready:
        return {}
    symbols = sorted({verdict.symbol for _, verdict in ready})
    state = account_ledger(by_rank[0].run_id).state(symbols, now)
    refused: dict[UUID, list[events.Event]] = {}
    entries: dict[str, ReadyEntry] = {}
    for run, verdict in ready:
        rank, profile = traded[run.digest]
        decision = precheck(verdict, profile, state, now)
        if isinstance(decision, Refusal):
            event = refused_event(decision, verdict, profile.name, now)
            refused.setdefault(run.run_id, []).append(event)
            continue
        entry = entries.setdefault(verdict.symbol, ReadyEntry(verdict.symbol, rank, verdict.score or 0.0))
        entry.run_ids.append(str(run.run_id))
    for run_id, happened in refused.items():
        account_ledger(run_id).record(happened)

    in_order = sorted(entries.values(), key=lambda entry: (entry.rank, -entry.score, entry.symbol))
    free_places = state.limits.max_positions - len(state.exposures)  # none: every one was refused above
    most = min(MOST_TRIES, TRIES_PER_PLACE * max(0, free_places))
    for run in by_rank:
        left = [entry.symbol for entry in in_order[most:] if str(run.run_id) in entry.run_ids]
        if left:
            MtfRun.objects.filter(pk=run.pk).update(no_room=left)
            log.info("no_room_this_minute", run_id=str(run.run_id), symbols=len(left))
    return {entry.symbol: entry.run_ids for entry in in_order[:most]}


def _ready_verdicts(run: MtfRun) -> list[Verdict]:
    """Return the READY verdicts of a run, from the audit or, of one that was asked for, from its result."""
    if run.result is not None and "entering" in run.result:
        rows = run.result["results"]
        return [Verdict.from_json(row["verdict"]) for row in rows if "verdict" in row]
    return [Verdict.from_json(row.details["verdict"]) for row in audit.ready_rows(run.run_id)]
