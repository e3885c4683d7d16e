"""BitMart's pushes: the engine's Streams, over as many connections as the symbols need."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from decimal import Decimal
from threading import Event, Thread

import structlog

from apps.engine.ports import FormingCandle, Gap
from apps.exchange.bitmart.connection import TOPICS_PER_CONNECTION, Connection
from apps.exchange.bitmart.errors import BadSymbol
from apps.exchange.bitmart.handover import Handover
from apps.exchange.bitmart.session import Timings
from apps.exchange.bitmart.ws import public_url

log = structlog.get_logger("provider")

QUEUE_SIZE = 10_000
"""Ten seconds of 400 symbols. When the consumer falls further behind the sockets wait, and then reconnect."""
JOIN_S = 2.0

Item = FormingCandle | Gap


class Streams:
    """One thread per connection of at most 100 topics; all of them feed one bounded queue."""

    def __init__(
        self, base_url: str, contract_size: Callable[[str], Decimal], *, timings: Timings | None = None
    ) -> None:
        """`contract_size` gives the coins of one contract, BadSymbol for a symbol that is none."""
        self._url = public_url(base_url)
        self._contract_size = contract_size
        self._timings = timings or Timings()
        self._stop = Event()
        self._handover: Handover[Item] = Handover(QUEUE_SIZE, self._stop)
        self._threads: list[Thread] = []

    def candles(self, symbols: Sequence[str], poll_s: float = 0.1) -> Iterator[Item | None]:
        """See the port. Raises what the first read of the contracts raises, before anything is streamed."""
        sizes, unknown = self._sizes(symbols)
        self._start(sizes)
        try:
            yield from (Gap((symbol,), "refused: no such contract") for symbol in unknown)
            while not self._stop.is_set():
                yield self._handover.take(poll_s)
        finally:
            self.close()

    def close(self) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(JOIN_S)

    def _sizes(self, symbols: Sequence[str]) -> tuple[dict[str, Decimal], list[str]]:
        sizes: dict[str, Decimal] = {}
        unknown: list[str] = []
        for symbol in dict.fromkeys(symbols):
            try:
                sizes[symbol] = self._contract_size(symbol)
            except BadSymbol as fault:
                log.error("topic_refused", symbol=symbol, error=str(fault))
                unknown.append(symbol)
        return sizes, unknown

    def _start(self, sizes: Mapping[str, Decimal]) -> None:
        rest = iter(sizes.items())
        while share := dict(itertools.islice(rest, TOPICS_PER_CONNECTION)):
            connection = Connection(self._url, share, self._handover.give, self._stop, self._timings)
            thread = Thread(
                target=self._handover.guard, args=(connection.run,), name="bitmart-stream", daemon=True
            )
            self._threads.append(thread)
            thread.start()
