"""manage.py stream: the feed's process."""

from __future__ import annotations

import signal
import threading
from datetime import UTC, datetime
from typing import Any

import structlog
from django.core.management.base import BaseCommand, CommandError, CommandParser
from rich.console import Console
from rich.table import Table

from apps.db.advisory_lock import AlreadyRunning, single_process
from apps.exchange import venue
from apps.feed.announcement import redis_client
from apps.feed.gap_filler import GapFiller
from apps.feed.models import StreamHealth
from apps.feed.stream import Stream
from apps.feed.universe import streamed_symbols, sync_contracts
from apps.market import store
from apps.profiles import store as profiles

log = structlog.get_logger("feed")

STALE_S = 10.0
"""A running stream writes its pulse each second: older than this, it hangs or is gone."""


class Command(BaseCommand):
    help = (
        "Watch the venue's public pushes: store every closed 1m candle, roll up 5m to 1d, fetch history and "
        "holes, announce each minute. Runs until stopped; only one can run at a time."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--status", action="store_true", help="show the pulse; exit code 1 when it is not well"
        )

    def handle(self, *args: Any, status: bool, **options: Any) -> None:
        if status:
            self._status()
            return
        try:
            with single_process("stream"):
                self._run()
        except AlreadyRunning as fault:
            raise CommandError(str(fault)) from fault

    def _run(self) -> None:
        stop = threading.Event()
        history, streams = venue.current().history, venue.current().streams()

        def end(*_: object) -> None:
            stop.set()
            streams.close()

        signal.signal(signal.SIGTERM, end)
        signal.signal(signal.SIGINT, end)
        store.stamp_venue(venue.name())
        sync_contracts(history, _now())
        symbols = streamed_symbols(venue.account(), _now())
        if not symbols:
            raise CommandError("no contract passes the universe's filters: nothing to watch")
        log.info("stream_started", venue=venue.name(), symbols=len(symbols))
        filler = GapFiller(
            history,
            symbols,
            profiles.configured_profiles(),
            page_size=venue.candles_per_request(),
            clock=_now,
        )
        filler.start()
        try:
            Stream(streams, filler, redis_client(), symbols, clock=_now).run(stop)
        finally:
            streams.close()
            filler.stop()
        log.info("stream_stopped")

    def _status(self) -> None:
        pulse = StreamHealth.objects.first()
        if pulse is None:
            raise CommandError("no stream has ever run against this database")
        table = Table("what", "value", title="stream")
        for name in ("connected", "symbols", "last_message_at", "last_candle_at", "reconnects", "fetched"):
            table.add_row(name, str(getattr(pulse, name)))
        table.add_row("history", str(pulse.history))
        age_s = (_now() - pulse.updated_at).total_seconds()
        table.add_row("pulse", f"{age_s:.1f} s ago")
        Console().print(table)
        if age_s > STALE_S or not pulse.connected:
            raise CommandError(
                f"the stream is not well: pulse {age_s:.0f} s ago, connected {pulse.connected}"
            )


def _now() -> datetime:
    return datetime.now(UTC)
