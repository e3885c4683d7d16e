"""The stream process: pushes in, closed candles stored and rolled up, the minute announced. One loop."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

import redis
import structlog
from django.db import transaction

from apps.engine.ports.market import FormingCandle, Gap, Streams
from apps.engine.values.candle import Candle
from apps.engine.values.timeframe import Timeframe
from apps.feed.announcement import announce
from apps.feed.candle_closer import CandleCloser
from apps.feed.gap_filler import GapFiller
from apps.feed.models import StreamHealth
from apps.feed.quote_feed import QuotePulse
from apps.feed.rollup import roll_up_changed
from apps.market import store

log = structlog.get_logger("feed")

ANNOUNCE_AFTER = timedelta(seconds=1.5)
"""The minute is announced this long after its end at the latest, whoever is still silent."""
BATCH = timedelta(seconds=0.15)
"""Closed candles wait this long at most for others, so that a minute is a few writes and not hundreds."""
ACT_EACH = timedelta(seconds=0.02)
"""Storing and announcing are looked at this often; a push alone costs microseconds."""
FOLLOW_AFTER = timedelta(seconds=20)
"""So long after each minute, when nothing is due, it is asked what else is to be streamed."""
HEALTH_EACH = timedelta(seconds=1)
NAME = "public"


class Stream:
    """Owns the closing of candles. Everything it needs comes in.

    `wanted` says which symbols are to be streamed by now; a stream never takes up more than it began with.
    `quotes` is what goes on beside it, for the pulse.
    """

    def __init__(
        self,
        streams: Streams,
        filler: GapFiller,
        client: redis.Redis,
        symbols: Sequence[str],
        *,
        clock: Callable[[], datetime],
        wanted: Callable[[], Sequence[str]],
        quotes: Callable[[], QuotePulse],
    ) -> None:
        self._streams = streams
        self._filler = filler
        self._redis = client
        self._symbols = tuple(symbols)
        self._clock = clock
        self._wanted = wanted
        self._quotes = quotes
        self._closer = CandleCloser()
        self._batch: list[Candle] = []
        self._batch_since = clock()
        self._started_at = self._acted_at = self._health_at = clock()
        self._announced = self._followed = Timeframe.M1.floor(self._started_at)
        self._misses_some = False
        self._message_at: datetime | None = None
        self._candle_at: datetime | None = None
        self._reconnects = 0

    def run(self, stop: threading.Event) -> bool:
        """Take pushes until `stop`, or until a symbol is wanted that is not streamed here: return whether so.

        Raises what the filler or the database raised.
        """
        for value in self._streams.candles(self._symbols):
            now = self._clock()
            if isinstance(value, FormingCandle):
                self._message_at = now
                self._collect(self._closer.push(value), now)
            elif isinstance(value, Gap):
                self._handle_gap(value)
            if now - self._acted_at >= ACT_EACH:
                self._acted_at = now
                self._store_and_announce(now)
            if stop.is_set() or self._misses_some:
                break
        return self._misses_some

    def _collect(self, closed: list[Candle], now: datetime) -> None:
        if closed and not self._batch:
            self._batch_since = now
        self._batch += closed

    def _store_and_announce(self, now: datetime) -> None:
        if self._filler.fault is not None:
            raise self._filler.fault
        self._collect(self._closer.close_due(now), now)
        minute = Timeframe.M1.floor(now)
        waiting = frozenset() if self._announced >= minute else self._closer.pending_symbols(minute)
        if self._batch and (not waiting or now - self._batch_since >= BATCH):
            self._flush()
        if self._announced < minute and (not waiting or now - minute >= ANNOUNCE_AFTER):
            self._flush()
            announce(self._redis, minute, waiting)
            self._announced = minute
            log.info("minute_announced", at=minute.isoformat(), missing=len(waiting))
        if self._followed < minute and now - minute >= FOLLOW_AFTER:
            self._followed = minute
            missing = set(self._wanted()).difference(self._symbols)
            self._misses_some = bool(missing)
            if missing:
                log.info("stream_misses", symbols=sorted(missing))
        if now - self._health_at >= HEALTH_EACH:
            self._health_at = now
            self._save_health(now)

    def _flush(self) -> None:
        batch, self._batch = self._batch, []
        if not batch:
            return
        with transaction.atomic():
            store.save_candles(batch)
            roll_up_changed(batch, now=self._clock())
        self._candle_at = max(c.close_time for c in batch)

    def _handle_gap(self, gap: Gap) -> None:
        log.warning("stream_gap", symbols=len(gap.symbols), reason=gap.reason)
        self._reconnects += 1
        self._closer.forget(gap.symbols)
        self._filler.refill(gap.symbols)

    def _save_health(self, now: datetime) -> None:
        fresh = self._message_at is not None and now - self._message_at < timedelta(seconds=20)
        quotes = self._quotes()
        StreamHealth.objects.update_or_create(
            name=NAME,
            defaults={
                "connected": fresh,
                "symbols": len(self._symbols),
                "last_message_at": self._message_at,
                "last_candle_at": self._candle_at,
                "quote_symbols": quotes.symbols,
                "last_quote_at": quotes.newest_at,
                "reconnects": self._reconnects,
                "fetched": self._filler.fetched,
                "history": self._filler.progress,
                "started_at": self._started_at,
                "updated_at": now,
            },
        )
