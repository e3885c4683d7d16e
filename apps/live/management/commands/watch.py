"""manage.py watch: the process that follows orders and positions."""

from __future__ import annotations

import os
import signal
import threading
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
import structlog
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import InterfaceError, OperationalError, connection
from rich.console import Console
from rich.table import Table

from apps.db.advisory_lock import AlreadyRunning, single_process
from apps.exchange import venue
from apps.live import watch_state
from apps.live.ledger import AccountLedger
from apps.live.models import WatchState
from apps.live.watch.process import BooksReturned, Watch
from apps.orders import store as orders

log = structlog.get_logger("positions")

PAUSE_S = 1.0
SHOWN = ("started_at", "read_at", "heard_at", "reconciled_at", "position_mode", "drift_ms", "unhealthy")


class Command(BaseCommand):
    help = (
        "Follow every order and position to its end: protection, timeouts, fills, reconciliation. Runs until "
        "stopped; only one can run at a time."
    )
    # What is held waits for this process: no page, address or profile is checked before it is guarded.
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--status", action="store_true", help="show what the running watch knows and exit"
        )

    def handle(self, *args: Any, status: bool, **options: Any) -> None:
        if status:
            self._status()
            return
        # no statement of this process may hold up protection; a server that is halted has its own limits
        connection.settings_dict["OPTIONS"]["options"] = "-c statement_timeout=3000 -c lock_timeout=2000"
        stop, heartbeat = threading.Event(), Heartbeat()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stop.set())
        while not stop.is_set():
            heartbeat()
            self._watch(stop, heartbeat)

    def _watch(self, stop: threading.Event, heartbeat: Heartbeat) -> None:
        """One life: a lost database ends it, and its lock with it; the next one begins from the rows."""
        try:
            with single_process("watch"):
                _run(stop, heartbeat)
        except AlreadyRunning as fault:
            raise CommandError(str(fault)) from fault
        except BooksReturned:
            return
        except (OperationalError, InterfaceError, psycopg.OperationalError) as fault:
            effect = f"nothing is followed; tried again in {PAUSE_S:g} s"
            log.error("books_unreachable", error=str(fault).strip(), effect=effect)
            connection.close()
            stop.wait(PAUSE_S)

    def _status(self) -> None:
        account = venue.account()
        state = WatchState.objects.filter(account=account).first()
        if state is None:
            raise CommandError(f"no watch has ever run for {account} against this database")
        table = Table("what", "value", title=f"watch of {account}")
        for name in SHOWN:
            table.add_row(name, str(getattr(state, name)))
        judged = watch_state.account_health(account, _now())
        table.add_row("entries", "may go" if judged.reconciled and not judged.unhealthy else "are refused")
        table.add_row("symbols", ", ".join(orders.active_symbols(account)) or "none")
        Console().print(table)


class Heartbeat:
    """Touches the file that the supervisor names, at most once a second; without one does nothing."""

    def __init__(self) -> None:
        name = os.environ.get("HEARTBEAT_FILE")
        self._file = Path(name) if name else None
        self._beat_at = float("-inf")

    def __call__(self) -> None:
        now = time.monotonic()
        if self._file is not None and now - self._beat_at >= 1:
            self._beat_at = now
            self._file.touch()


def _run(stop: threading.Event, heartbeat: Heartbeat) -> None:
    account, traded = venue.account(), venue.current()
    streams = traded.account_streams()
    ledger = AccountLedger(account, lambda now: watch_state.account_health(account, now))
    log.info("watch_started", account=account)
    try:
        Watch(
            ledger,
            traded.broker,
            streams,
            constraints=traded.constraints,
            mode=venue.position_mode(),
            adopt_foreign=settings.MTF_ACCOUNT_ADOPT_FOREIGN,
            clock=_now,
            heartbeat=heartbeat,
        ).run(stop)
    finally:
        streams.close()
    log.info("watch_stopped")


def _now() -> datetime:
    return datetime.now(UTC)
