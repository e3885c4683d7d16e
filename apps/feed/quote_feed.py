"""The quotes of who is wanted, from the venue's pushes to the board. Beside the candles, never before."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from apps.engine.ports.clock import Clock
from apps.engine.ports.market import QuoteStreams
from apps.engine.values.position import Quote
from apps.market import quotes as board

log = structlog.get_logger("feed")

MOST_SYMBOLS = 200
"""Streamed at once, over four connections. A push a second of each takes 3 % of a core, and holds a candle up
for 20 ms at times (measured beside 400 candle topics); a venue that pushes every change sends many more."""
LOOK_EACH = timedelta(seconds=1)
PUT_EACH = timedelta(seconds=0.1)
"""Quotes are shown this often, the newest of each symbol: a busy book is pushed many times a second."""
POLL_S = 0.05
AGAIN_S = 5.0
JOIN_S = 5.0


@dataclass(frozen=True, slots=True)
class QuotePulse:
    """How many symbols are subscribed now, and when the newest quote shown was made."""

    symbols: int = 0
    newest_at: datetime | None = None


class QuoteFeed:
    """A thread of its own. A fault there is logged and ends what it streamed; it begins anew 5 s later."""

    def __init__(self, streams: Callable[[], QuoteStreams], *, clock: Clock) -> None:
        self.pulse = QuotePulse()
        self._open_streams = streams
        self._clock = clock
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="quotes", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """End within about a second."""
        self._stop.set()
        self._thread.join(JOIN_S)

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                self._follow(self._open_streams())
            except Exception:
                log.exception("quotes_broken", effect=f"no pushed quotes for {AGAIN_S:g} s; candles go on")
                self.pulse = QuotePulse()
                self._stop.wait(AGAIN_S)

    def _follow(self, streams: QuoteStreams) -> None:
        """Stream who is wanted until stopped. Raises what the stream raises."""
        newest: dict[str, Quote] = {}
        put_at = looked_at = self._clock() - LOOK_EACH
        try:
            for quote in streams.quotes(POLL_S):
                if self._stop.is_set():
                    return
                now = self._clock()
                if now - looked_at >= LOOK_EACH or now < looked_at:
                    looked_at = now
                    wanted = board.wanted(now, MOST_SYMBOLS)
                    streams.subscribe(wanted)
                    self.pulse = QuotePulse(len(wanted), self.pulse.newest_at)
                if quote is not None:
                    newest[quote.symbol] = quote
                if newest and (now - put_at >= PUT_EACH or now < put_at):
                    put_at = now
                    board.put(newest.values())
                    newest_at = max(quote.at for quote in newest.values())
                    self.pulse = QuotePulse(self.pulse.symbols, newest_at)
                    newest.clear()
        finally:
            streams.close()
