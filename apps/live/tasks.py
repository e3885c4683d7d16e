"""The Celery tasks: each translates, makes one call, is done.

Queue `mtf` has one solo worker, which holds the windows; queue `exchange` may have many threads, which wait
for the venue. No task has a time limit: only Celery's prefork pool can enforce one. What must not be late
expires in its queue or is refused as too old, and every call that leaves the process has its own timeout.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import structlog
from celery import shared_task
from celery.signals import task_postrun, task_prerun
from kombu.exceptions import OperationalError

from apps.db.release import release_connection
from apps.exchange import venue
from apps.feed import universe
from apps.live.enter import symbol_entry
from apps.live.enter.dispatch import entries_to_send
from apps.live.enter.fallback import enter_waiting_rests
from apps.live.enter.faults import store_fault
from apps.live.minute import closed_minute, run_minute
from apps.live.models import MtfRun
from apps.live.run_request import judge_requested_run
from apps.live.run_state import fail_run
from apps.live.worker import get_worker
from apps.profiles import store as profiles

log = structlog.get_logger("mtf")

ROUTES: dict[str, dict[str, Any]] = {
    "apps.live.tasks.judge_minute": {"queue": "mtf"},
    "apps.live.tasks.run_request": {"queue": "mtf", "priority": 9},  # Redis: 0 goes first, and is the default
    "apps.live.tasks.sync_contracts": {"queue": "exchange"},
    "apps.live.tasks.enter_symbol": {"queue": "exchange"},
    "apps.live.tasks.enter_approved": {"queue": "exchange"},
    "apps.live.tasks.enter_fallbacks": {"queue": "exchange"},
}
ENTER_WITHIN_S = 20
"""An entry that waited longer in the queue is dropped: the next minute decides anew."""


@task_prerun.connect
@task_postrun.connect
def give_up_broken_connection(**_: Any) -> None:
    """Close this thread's database connection if it broke or is too old; else the next task keeps it."""
    release_connection()


@shared_task
def judge_minute(*, at: str | None = None, **_: Any) -> None:
    """Judge the minute just over, or the one that ends at `at` (ISO, aware), and send what is READY on."""
    worker, now = get_worker(), datetime.now(UTC)
    if not worker.warm.symbols:
        worker.follow_universe(now)
    worker.follow_marks(now)
    runs = run_minute(
        closed_minute(now if at is None else datetime.fromisoformat(at)),
        profiles=worker.profiles,
        membership=worker.membership,
        warm=worker.warm,
        recorder=worker.recorder,
        client=worker.redis,
        now=now,
    )
    _send_entries(entries_to_send(runs, worker.profiles, _now()))
    worker.follow_universe(now)
    worker.close_entries(now)


@shared_task
def run_request(*, run_id: str, **_: Any) -> None:
    """Decide a run that the API or a command opened, and send what is READY on."""
    try:
        worker, now = get_worker(), datetime.now(UTC)
        worker.follow_universe(now)
    except Exception as fault:  # before the run is touched: whoever asked is told
        release_connection()
        fail_run(MtfRun.objects.get(run_id=run_id), fault, _now())
        raise
    entering = judge_requested_run(run_id, warm=worker.warm, client=worker.redis, now=now)
    run = MtfRun.objects.get(run_id=run_id)
    profile = profiles.find_version(run.digest)
    if run.dry_run:  # it takes no room
        _send_entries({symbol: [run_id] for symbol in entering})
    elif entering and profile is not None:
        _send_entries(entries_to_send([run], [profile], _now()))


@shared_task
def enter_symbol(*, run_ids: Sequence[str], symbol: str, **_: Any) -> None:
    """Enter what these runs decided of one symbol, in their order; a fault of one is stored, and its own."""
    for run_id in run_ids:
        try:
            symbol_entry.enter_symbol(run_id, symbol, clock=_now)
        except Exception:
            log.exception("enter_failed", run_id=run_id, symbol=symbol)


@shared_task
def enter_approved(**_: Any) -> None:
    """Enter what people approved."""
    symbol_entry.enter_approved_plans(clock=_now)


@shared_task
def enter_fallbacks(**_: Any) -> None:
    """Enter what resting entries left unfilled at the end of their time."""
    enter_waiting_rests(clock=_now)


@shared_task
def sync_contracts(**_: Any) -> int:
    """Fetch the contracts; return how many the venue lists."""
    return universe.sync_contracts(venue.current().history, datetime.now(UTC))


def route(name: str, *_: Any, **__: Any) -> dict[str, Any] | None:
    """Return where a task goes: the router that the settings name. A copy, for Celery takes it apart."""
    return dict(ROUTES[name]) if name in ROUTES else None


def _send_entries(run_ids_by_symbol: Mapping[str, Sequence[str]]) -> None:
    """Send one task a symbol, in this order: the queue keeps it."""
    unsent = dict(run_ids_by_symbol)
    try:
        for symbol, run_ids in run_ids_by_symbol.items():
            wanted = {"run_ids": list(run_ids), "symbol": symbol}
            enter_symbol.apply_async(kwargs=wanted, expires=ENTER_WITHIN_S, retry=False)
            del unsent[symbol]
    except OperationalError as fault:
        for symbol, run_ids in unsent.items():
            for run_id in run_ids:
                store_fault(UUID(run_id), symbol, f"the broker did not take the entry: {fault}", _now())


def _now() -> datetime:
    return datetime.now(UTC)
