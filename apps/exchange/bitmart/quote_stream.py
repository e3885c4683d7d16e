"""BitMart's pushed quotes: the engine's QuoteStreams. Two topics a symbol, joined where they arrive."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from datetime import UTC, datetime
from threading import Lock

import structlog

from apps.engine.values.errors import TradingError
from apps.engine.values.position import Quote
from apps.exchange.bitmart import push_protocol
from apps.exchange.bitmart.push_protocol import (
    PING,
    PUBLIC_PATH,
    TOPICS_PER_CONNECTION,
    BookPush,
    MarkPush,
    QuotePart,
    channel_url,
    quote_topics,
    subscribe_messages,
    unsubscribe_messages,
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
SYMBOLS_PER_CONNECTION = TOPICS_PER_CONNECTION // len(quote_topics(""))


class QuoteStream:
    """One thread per connection of at most 50 symbols; all of them feed one bounded queue.

    A symbol has both of its topics on one connection: when that lags, no part of a quote looks young.
    """

    def __init__(
        self, base_url: str, server_time: Callable[[], datetime], *, timings: Timings | None = None
    ) -> None:
        """`server_time` gives the exchange's clock; what it raises of ours costs the push that needed it."""
        self._url = channel_url(base_url, PUBLIC_PATH)
        self._server_time = server_time
        self._timings = timings
        self._queue: ThreadQueue[Quote] = ThreadQueue(QUEUE_SIZE)
        self._connections: list[QuoteConnection] = []
        self._lock = Lock()

    def subscribe(self, symbols: Collection[str]) -> None:
        """See the port. Who stays keeps its connection; a new symbol takes a place that is free."""
        with self._lock:
            wanted = set(symbols)
            shares = [[each for each in link.symbols if each in wanted] for link in self._connections]
            streamed = {symbol for share in shares for symbol in share}
            new = sorted(wanted - streamed)
            while len(streamed) + len(new) > SYMBOLS_PER_CONNECTION * len(shares):
                shares.append([])
                self._connections.append(
                    QuoteConnection(self._url, self._server_time, self._queue, self._timings)
                )
                self._queue.start(self._connections[-1].run, name="bitmart-quotes")
            for link, share in zip(self._connections, shares, strict=True):
                room = SYMBOLS_PER_CONNECTION - len(share)
                link.follow([*share, *new[:room]])
                new = new[room:]

    def quotes(self, poll_s: float = 0.1) -> Iterator[Quote | None]:
        """See the port."""
        try:
            while not self._queue.stopped.is_set():
                yield self._queue.get(poll_s)
        finally:
            self.close()

    def close(self) -> None:
        self._queue.close()


class QuoteConnection:
    """One connection's quotes. `symbols` are those it follows now; without any it is not connected."""

    def __init__(
        self,
        url: str,
        server_time: Callable[[], datetime],
        queue: ThreadQueue[Quote],
        timings: Timings | None,
    ) -> None:
        self.symbols: tuple[str, ...] = ()
        self._server_time = server_time
        self._queue = queue
        self._books: dict[str, BookPush] = {}
        self._marks: dict[str, MarkPush] = {}
        self._refused: set[str] = set()
        self._unreadable = UnreadablePushes()
        channel = Channel(
            url=url,
            topics=(),
            subscribe=subscribe_messages,
            unsubscribe=unsubscribe_messages,
            ping=PING,
            read=self._read_message,
            steady=True,
        )
        self._session = WebSocketSession(channel, self, queue.stopped, timings)

    def run(self) -> None:
        self._session.run()

    def follow(self, symbols: Sequence[str]) -> None:
        """Stream these symbols and no others; from any thread."""
        if tuple(symbols) != self.symbols:
            self.symbols = tuple(symbols)
            self._session.follow(topic for symbol in symbols for topic in quote_topics(symbol))

    def on_push(self, items: Sequence[QuotePart]) -> None:
        for part in items:
            if part.symbol not in self.symbols:
                continue  # it was on its way when we unsubscribed
            if isinstance(part, MarkPush):
                self._marks[part.symbol] = part
            elif part.symbol not in self._books or self._books[part.symbol].stamp <= part.stamp:
                self._books[part.symbol] = part  # and one that was overtaken on its way is not
            book, mark = self._books.get(part.symbol), self._marks.get(part.symbol)
            if book is None or mark is None:
                continue
            try:
                quote = Quote(part.symbol, book.bid, book.ask, mark.mark, mark.last, min(book.at, mark.at))
            except ValueError as fault:
                self._unreadable.report(fault)
            else:
                self._queue.put(quote)

    def on_subscribed(self) -> None:
        log.info("quotes_subscribed", symbols=len(self.symbols))

    def on_refused(self, topic: str, error: str) -> None:
        if topic not in self._refused:
            self._refused.add(topic)
            log.error("topic_refused", topic=topic, error=error)

    def on_lost(self, reason: str, retry_in_s: float) -> None:
        log.warning("quotes_lost", reason=reason, symbols=len(self.symbols), retry_in_s=retry_in_s)

    def _read_message(self, text: str) -> Ack | Push[QuotePart] | None:
        try:
            return push_protocol.quote_message(text, datetime.now(UTC), self._server_time)
        except TradingError as fault:  # the exchange's clock may be what cannot be read
            self._unreadable.report(fault)
            return None
