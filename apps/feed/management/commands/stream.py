"""manage.py stream: the feed's process."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

import structlog
from django.core.management.base import BaseCommand, CommandError, CommandParser
from rich.console import Console
from rich.table import Table

from apps.db.advisory_lock import AlreadyRunning, single_process
from apps.engine.ports.market import Streams
from apps.engine.profile import Profile
from apps.exchange import venue
from apps.feed.announcement import redis_client
from apps.feed.gap_filler import GapFiller
from apps.feed.models import StreamHealth
from apps.feed.quote_feed import QuoteFeed
from apps.feed.stream import Stream
from apps.feed.universe import streamed_symbols, sync_contracts
from apps.market import store
from apps.profiles import store as profiles

log = structlog.get_logger("feed")

STALE_S = 10.0
"""A running stream writes its pulse each second: older than this, it hangs or is gone."""
SHOWN = (
    "connected",
    "symbols",
    "last_message_at",
    "last_candle_at",
    "quote_symbols",
    "last_quote_at",
    "reconnects",
    "fetched",
)


class Command(BaseCommand):
    help = (
        "Watch the venue's public pushes: store every closed 1m candle, roll up 5m to 1d, fetch history and "
        "holes, announce each minute, show the quotes of who is wanted. Runs until stopped; only one can run "
        "at a time."
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
        """Stream until stopped; anew, with all windows fetched, when the universe gained a symbol."""
        stop = threading.Event()
        running: list[Streams] = []

        def end(*_: object) -> None:
            stop.set()
            for streams in running:
                streams.close()

        signal.signal(signal.SIGTERM, end)
        signal.signal(signal.SIGINT, end)
        store.stamp_venue(venue.name())
        sync_contracts(venue.current().history, _now())
        judging = profiles.configured_profiles()

        def wanted() -> list[str]:
            return streamed_symbols(judging, venue.account(), _now())

        quotes = QuoteFeed(venue.current().quote_streams, clock=_now)
        quotes.start()
        try:
            misses_some = True
            while misses_some and not stop.is_set():
                symbols = wanted()
                if not symbols:
                    raise CommandError(
                        "no contract passes the filters of any profile: nothing to watch (manage.py universe)"
                    )
                running[:] = [venue.current().streams()]
                misses_some = _stream(running[0], symbols, judging, wanted, quotes, stop)
        finally:
            quotes.stop()
        log.info("stream_stopped")

    def _status(self) -> None:
        pulse = StreamHealth.objects.first()
        if pulse is None:
            raise CommandError("no stream has ever run against this database")
        table = Table("what", "value", title="stream")
        for name in SHOWN:
            table.add_row(name, str(getattr(pulse, name)))
        table.add_row("history", str(pulse.history))
        age_s = (_now() - pulse.updated_at).total_seconds()
        table.add_row("pulse", f"{age_s:.1f} s ago")
        Console().print(table)
        if age_s > STALE_S or not pulse.connected:
            raise CommandError(
                f"the stream is not well: pulse {age_s:.0f} s ago, connected {pulse.connected}"
            )


def _stream(
    streams: Streams,
    symbols: Sequence[str],
    judging: Sequence[Profile],
    wanted: Callable[[], list[str]],
    quotes: QuoteFeed,
    stop: threading.Event,
) -> bool:
    """Stream `symbols`, with their history fetched beside it; return whether another one is wanted."""
    log.info("stream_started", venue=venue.name(), symbols=len(symbols))
    history, page_size = venue.current().history, venue.candles_per_request()
    filler = GapFiller(history, symbols, judging, page_size=page_size, clock=_now)
    filler.start()
    try:
        return Stream(
            streams,
            filler,
            redis_client(),
            symbols,
            clock=_now,
            wanted=wanted,
            quotes=lambda: quotes.pulse,
        ).run(stop)
    finally:
        streams.close()
        filler.stop()


def _now() -> datetime:
    return datetime.now(UTC)
