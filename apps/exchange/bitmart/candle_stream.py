"""BitMart's candle pushes: the engine's Streams, over as many connections as the symbols need."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal

import structlog

from apps.engine.ports.market import FormingCandle, Gap
from apps.engine.values.contract import UnknownSymbol
from apps.exchange.bitmart import push_protocol
from apps.exchange.bitmart.json_field import ParseError
from apps.exchange.bitmart.push_protocol import (
    PING,
    PUBLIC_PATH,
    TOPICS_PER_CONNECTION,
    CandlePush,
    candle_topic,
    channel_url,
    subscribe_messages,
)
from apps.exchange.transport.thread_queue import ThreadQueue
from apps.exchange.transport.websocket_session import (
    Ack,
    Channel,
    Push,
    Timings,
    UnreadablePushes,
    WebSocketSession,
)

log = structlog.get_logger("provider")

QUEUE_SIZE = 10_000
"""Ten seconds of 400 symbols. When the consumer falls further behind the sockets wait, and then reconnect."""

Item = FormingCandle | Gap


class CandleStream:
    """One thread per connection of at most 100 topics; all of them feed one bounded queue."""

    def __init__(
        self, base_url: str, contract_size: Callable[[str], Decimal], *, timings: Timings | None = None
    ) -> None:
        """`contract_size` gives the coins of one contract, UnknownSymbol for a symbol that is none."""
        self._url = channel_url(base_url, PUBLIC_PATH)
        self._contract_size = contract_size
        self._timings = timings
        self._queue: ThreadQueue[Item] = ThreadQueue(QUEUE_SIZE)

    def candles(self, symbols: Sequence[str], poll_s: float = 0.1) -> Iterator[Item | None]:
        """See the port. Raises what the first read of the contracts raises, before anything is streamed."""
        sizes: dict[str, Decimal] = {}
        unknown: list[str] = []
        for symbol in dict.fromkeys(symbols):
            try:
                sizes[symbol] = self._contract_size(symbol)
            except UnknownSymbol as fault:
                log.error("topic_refused", symbol=symbol, error=str(fault))
                unknown.append(symbol)
        rest = iter(sizes.items())
        while share := dict(itertools.islice(rest, TOPICS_PER_CONNECTION)):
            connection = CandleConnection(self._url, share, self._queue, self._timings)
            self._queue.start(connection.run, name="bitmart-stream")
        try:
            yield from (Gap((symbol,), "refused: no such contract") for symbol in unknown)
            while not self._queue.stopped.is_set():
                yield self._queue.get(poll_s)
        finally:
            self.close()

    def close(self) -> None:
        self._queue.close()


class CandleConnection:
    """One connection's candles, and what was missed while it was lost.

    For the symbols in `contract_sizes` (coins of one contract).
    """

    def __init__(
        self,
        url: str,
        contract_sizes: Mapping[str, Decimal],
        queue: ThreadQueue[Item],
        timings: Timings | None,
    ) -> None:
        self._contract_sizes = contract_sizes
        self._symbols = {candle_topic(symbol): symbol for symbol in contract_sizes}
        self._queue = queue
        self._refused: set[str] = set()
        self._interrupted = ""
        self._unreadable = UnreadablePushes()
        channel = Channel(
            url=url,
            topics=tuple(self._symbols),
            subscribe=subscribe_messages,
            ping=PING,
            read=self._read_message,
            steady=True,
        )
        self._session = WebSocketSession(channel, self, queue.stopped, timings)

    def run(self) -> None:
        self._session.run()

    def on_push(self, items: Sequence[FormingCandle]) -> None:
        for candle in items:
            self._queue.put(candle)

    def on_subscribed(self) -> None:
        """Only now: what closes from here on is pushed, so a fetch that starts now leaves no hole."""
        log.info("stream_subscribed", topics=len(self._symbols), refused=len(self._refused))
        if self._interrupted:
            self._queue.put(Gap(tuple(self._contract_sizes), self._interrupted))
            self._interrupted = ""

    def on_refused(self, topic: str, error: str) -> None:
        if topic in self._refused:
            return
        self._refused.add(topic)
        symbol = self._symbols.get(topic)
        log.error("topic_refused", topic=topic, symbol=symbol, error=error)
        if symbol:
            self._queue.put(Gap((symbol,), f"refused: {error}"))

    def on_lost(self, reason: str, retry_in_s: float) -> None:
        self._interrupted = reason
        log.warning("stream_lost", reason=reason, topics=len(self._symbols), retry_in_s=retry_in_s)

    def _read_message(self, text: str) -> Ack | Push[FormingCandle] | None:
        try:
            message = push_protocol.candle_message(text, self._contract_sizes, datetime.now(UTC))
        except ParseError as fault:
            self._unreadable.report(fault)
            return None
        if not isinstance(message, CandlePush):
            return message
        for row_fault in message.candles.faults:
            self._unreadable.report(row_fault)
        return Push(message.topic, message.candles.values)
