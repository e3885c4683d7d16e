"""Entries that ended in a fault, or without a word: each is written down as the outcome of its run."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from uuid import UUID

import structlog
from django.db import Error

from apps.audit import trade_events
from apps.db.bookkeeping import bookkeeping
from apps.db.release import release_connection
from apps.engine.cycle import EntryResult
from apps.engine.events import CallFailed
from apps.engine.ports.clock import Clock
from apps.engine.values.order import OrderStatus
from apps.engine.values.reason import Refusal
from apps.exchange import venue
from apps.live.enter.decision import symbols_to_enter
from apps.live.enter.outcome import add_dry_fault, entry_outcomes
from apps.live.models import MtfRun, RunStatus
from apps.market import blacklist
from apps.market.blacklist import FaultKind
from apps.orders import store as orders

log = structlog.get_logger("order_journey")

ANSWERED_WITHIN = timedelta(seconds=75)
"""From a decision to its outcome: it may be entered for 60 s, and the exchange takes its time."""
LONGEST_RUN = timedelta(hours=1)
"""No run takes that long; runs are indexed by their start."""
UNANSWERED = (
    f"no outcome within {ANSWERED_WITHIN.seconds} s of the decision: the entry expired in the queue, or its "
    "worker ended or could not write; the log of worker-exchange says which"
)


@contextmanager
def fault_stored(run_id: UUID, symbol: str, clock: Clock) -> Iterator[None]:
    """Store what the block raises as the outcome of this entry, and let it through."""
    try:
        yield
    except Exception as fault:
        store_fault(run_id, symbol, f"{type(fault).__name__}: {fault}", clock())
        raise


def store_fault(run_id: UUID, symbol: str, detail: str, now: datetime) -> None:
    """Log and store that an entry failed: a dry run's in its own result, any other as a trade event.

    What the database does not take now is written later, by `store_unanswered`.
    """
    log.error("entry_failed", run_id=str(run_id), symbol=symbol, detail=detail)
    release_connection()  # the fault may be that the connection is gone
    try:
        run = MtfRun.objects.filter(run_id=run_id).first()
        if run is not None and run.dry_run:
            add_dry_fault(run, symbol, detail)
        else:
            failed = CallFailed(symbol=symbol, at=now, call="enter", detail=detail)
            trade_events.save_events(venue.account(), [failed], run_id)
    except Error as away:
        log.error("entry_fault_not_stored", run_id=str(run_id), symbol=symbol, fault=str(away))


def note_answer(outcome: EntryResult | Refusal, now: datetime) -> None:
    """Count a final rejection against its symbol, which is blacklisted after several in a row; an order that
    was taken ends the row.

    Where no other symbol's order was taken lately the account may be the reason, and nothing is counted.
    """
    if isinstance(outcome, Refusal) or outcome.sent is None:
        return
    symbol, order = outcome.plan.symbol, outcome.sent.order
    with bookkeeping("entry_answer", symbol=symbol, status=order.status):
        if order.status == OrderStatus.SUBMITTED:
            blacklist.forget_faults(FaultKind.ENTRY, symbols=[symbol])
        elif order.status == OrderStatus.REJECTED and orders.took_another(venue.account(), symbol, now):
            blacklist.count_fault(symbol, FaultKind.ENTRY, outcome.sent.detail, now)


def store_unanswered(after: datetime, until: datetime, now: datetime) -> None:
    """Store a fault for each READY symbol of the runs decided in (after, until] that has no outcome."""
    decided = MtfRun.objects.filter(
        status=RunStatus.DECIDED,
        started_at__gt=after - LONGEST_RUN,
        finished_at__gt=after,
        finished_at__lte=until,
        counts__ready__gt=0,
    )
    for run in decided.order_by("id"):
        answered = {outcome["symbol"] for outcome in entry_outcomes(run)}
        for symbol in symbols_to_enter(run):
            if symbol not in answered:
                store_fault(run.run_id, symbol, UNANSWERED, now)
