"""Fetches what is missing: the start-up history, and holes as they appear. One thread beside the stream."""

from __future__ import annotations

import heapq
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

import structlog
from django.db import close_old_connections, connection

from apps.engine.ports.market import CandleHistory
from apps.engine.profile import Profile
from apps.engine.values.errors import TradingError
from apps.engine.values.timeframe import Timeframe
from apps.feed.backfill import NEEDED, Page, fetch_page, pages_of, window_pages
from apps.feed.rollup import roll_up_changed
from apps.market import store

log = structlog.get_logger("feed")

HEAD = timedelta(minutes=60)
"""How far back the minutely look at the 1m candles reaches; older holes are found at start and on gaps."""
HEAD_AFTER = timedelta(seconds=5)
"""The look comes this long after the minute, when every push has had its time."""
RETRY_S = 2.0


class GapFiller(threading.Thread):
    """Works through pages, the most urgent first. `progress` may be read from any thread.

    `fault` holds what ended it, if anything did: the stream must not go on without it.
    """

    def __init__(
        self,
        history: CandleHistory,
        symbols: Sequence[str],
        profiles: Sequence[Profile],
        *,
        page_size: int,
        clock: Callable[[], datetime],
    ) -> None:
        super().__init__(name="filler", daemon=True)
        self._history = history
        self._symbols = tuple(symbols)
        self._profiles = tuple(profiles)
        self._page_size = page_size - 2  # one more candle on each side confirms holes at the edges
        self._clock = clock
        self._heap: list[Page] = []
        self._gaps: set[str] = set()
        self._wake = threading.Condition()
        self._ending = False
        self._head_looked_at: datetime | None = None
        self._total = 0
        self._planned = False
        self.fetched = 0
        self.fault: BaseException | None = None

    def refill(self, symbols: Sequence[str]) -> None:
        """Look at these symbols' whole windows soon (after an interruption)."""
        with self._wake:
            self._gaps |= set(symbols)
            self._wake.notify()

    def stop(self) -> None:
        with self._wake:
            self._ending = True
            self._wake.notify()

    @property
    def progress(self) -> dict[str, Any]:
        """Return the plan's pages, total and left; whether the profiles' needs, and all, are there."""
        waiting = Counter(page.rank for page in list(self._heap))
        return {
            "pages": self._total,
            "left": waiting.total(),
            "enough": self._planned and waiting[NEEDED] == 0,
            "complete": self._planned and waiting.total() == 0,
        }

    def run(self) -> None:
        """Fetch until `stop`; what ends it before is left in `fault`."""
        try:
            self._plan(
                window_pages(self._symbols, self._profiles, now=self._clock(), page_size=self._page_size)
            )
            self._planned = True
            while not self._ending:
                self._plan_new_holes()
                self._fetch_next_page()
        except Exception as fault:
            self.fault = fault
            log.exception("filler_failed")
        finally:
            connection.close()

    def _fetch_next_page(self) -> None:
        """Fetch and store the most urgent page, or wait for one. A retryable fault leaves it where it is."""
        if not self._heap:
            with self._wake:
                if not self._ending and not self._gaps:
                    self._wake.wait(1.0)
            return
        page = self._heap[0]
        try:
            close_old_connections()
            candles = fetch_page(self._history, page)
            self.fetched += store.save_candles(candles)
            if page.timeframe is Timeframe.M1:
                roll_up_changed(candles, now=self._clock())
        except TradingError as fault:
            log.warning("page_failed", symbol=page.symbol, timeframe=page.timeframe, fault=str(fault))
            if fault.retryable:
                with self._wake:
                    self._wake.wait(RETRY_S)
                return
        heapq.heappop(self._heap)

    def _plan_new_holes(self) -> None:
        """Plan for interrupted symbols, and once a minute for holes among the newest 1m candles."""
        with self._wake:
            gaps, self._gaps = self._gaps, set()
        now = self._clock()
        if gaps:
            self._plan(
                window_pages(sorted(gaps), self._profiles, now=now, page_size=self._page_size, urgent=True)
            )
        minute = Timeframe.M1.floor(now)
        if self._head_looked_at != minute and now - minute >= HEAD_AFTER:
            self._head_looked_at = minute
            missing = store.missing_open_times(self._symbols, Timeframe.M1, minute - HEAD, minute)
            for symbol, opens in missing.items():
                if not self._is_planned(symbol, max(opens)):
                    self._plan(pages_of(symbol, Timeframe.M1, opens, minute, self._page_size))

    def _is_planned(self, symbol: str, open_time: datetime) -> bool:
        return any(
            page.symbol == symbol and page.timeframe is Timeframe.M1 and page.start <= open_time < page.end
            for page in self._heap
        )

    def _plan(self, pages: Sequence[Page]) -> None:
        self._total += len(pages)
        for page in pages:
            heapq.heappush(self._heap, page)
