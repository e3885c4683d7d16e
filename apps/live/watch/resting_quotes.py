"""The quotes of symbols where an entry rests that is taken back by where the market goes."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator, Mapping
from datetime import datetime, timedelta
from functools import partial

import structlog

from apps.engine.cycle.view import BROKER_FAULTS
from apps.engine.follow.fallback import known_quote
from apps.engine.ports.account import Broker
from apps.engine.ports.clock import Clock
from apps.engine.values.position import Quote
from apps.live.watch.side_thread import SideThread, StillReading

log = structlog.get_logger("positions")

READ_EACH = timedelta(seconds=5)
"""A symbol whose quote is not pushed has it read so often, and first so long after an entry was seen resting:
that one was sent by a quote just read, while others that are being sent wait for theirs."""
PushedQuotes = Callable[[Collection[str]], Mapping[str, Quote]]
"""The newest pushed quotes of symbols, as far as there are any; whatever it raises, nothing depends on it."""


class RestingQuotes:
    """Takes each symbol's quote as it was pushed, else reads it of `broker`: not too often, and while there
    is time."""

    def __init__(self, broker: Broker, clock: Clock, pushed: PushedQuotes, side: SideThread) -> None:
        self._broker = broker
        self._clock = clock
        self._pushed = pushed
        self._side = side
        self._read_at: dict[str, datetime] = {}

    def get(self, symbols: Collection[str], until: float) -> Iterator[Quote]:
        """Yield the quotes of `symbols` that are known or can be read, those not read for longest first.

        None is waited for after `until`, monotonic seconds. Without its quote an entry goes on resting.
        """
        seen_at = self._clock()
        self._read_at = {symbol: self._read_at.get(symbol, seen_at) for symbol in symbols}
        if not symbols:
            return
        try:
            pushed = self._pushed(symbols)
        except Exception:  # where quotes come from is no matter of what is watched here
            log.exception("quotes_unreadable", symbols=len(symbols))
            pushed = {}
        for symbol in sorted(symbols, key=self._read_at.__getitem__):
            now = self._clock()
            quote = known_quote(pushed.get(symbol), now)
            if quote is not None:
                yield quote
            elif time.monotonic() < until and now - self._read_at[symbol] >= READ_EACH:
                try:
                    quote = self._side.read(
                        f"{symbol} quote", partial(self._broker.quote, symbol), until - time.monotonic()
                    )
                except StillReading:
                    continue
                except BROKER_FAULTS as fault:
                    log.warning("quote_unreadable", symbol=symbol, error=str(fault))
                self._read_at[symbol] = now
                if quote is not None and known_quote(quote, self._clock()) is not None:
                    yield quote
