"""BitMart's private pushes: the engine's AccountStreams, over one connection that is kept alive."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

import structlog

from apps.engine.ports.account import AccountNews
from apps.exchange.bitmart import push_protocol, signing
from apps.exchange.bitmart.json_field import ParseError
from apps.exchange.bitmart.push_protocol import (
    ACCOUNT_TOPICS,
    PING,
    PRIVATE_PATH,
    channel_url,
    subscribe_messages,
)
from apps.exchange.bitmart.signing import Credentials
from apps.exchange.transport.thread_queue import ThreadQueue
from apps.exchange.transport.websocket_session import Ack, Channel, Push, Timings, WebSocketSession

log = structlog.get_logger("provider")

QUEUE_SIZE = 1000


class AccountStream:
    """One thread feeds one queue. Whenever its channels open, the first time too, it says `reconnected`."""

    def __init__(self, base_url: str, credentials: Credentials, *, timings: Timings | None = None) -> None:
        self._url = channel_url(base_url, PRIVATE_PATH)
        self._queue: ThreadQueue[AccountNews] = ThreadQueue(QUEUE_SIZE)
        channel = Channel(
            url=self._url,
            topics=ACCOUNT_TOPICS,
            subscribe=subscribe_messages,
            ping=PING,
            read=self._read_message,
            login=lambda: json.dumps(signing.login(credentials, time.time_ns() // 1_000_000)),
            all_or_nothing=True,
        )
        self._session = WebSocketSession(channel, self, self._queue.stopped, timings)

    def account(self, poll_s: float = 0.1) -> Iterator[AccountNews | None]:
        """See the port."""
        self._queue.start(self._session.run, name="bitmart-account")
        try:
            while not self._queue.stopped.is_set():
                yield self._queue.get(poll_s)
        finally:
            self.close()

    def heard_at(self) -> datetime | None:
        """See the port."""
        return self._session.heard_at

    def close(self) -> None:
        self._queue.close()

    def on_push(self, items: Sequence[str | None]) -> None:
        for symbol in items:
            self._queue.put(AccountNews(symbol, datetime.now(UTC)))

    def on_subscribed(self) -> None:
        """Only now: what happens from here on is pushed, so a read that starts now misses nothing."""
        log.info("private_stream_subscribed")
        self._queue.put(AccountNews(None, datetime.now(UTC), reconnected=True))

    def on_refused(self, topic: str, error: str) -> None:
        log.error("private_stream_refused", topic=topic or "login", error=error)

    def on_lost(self, reason: str, retry_in_s: float) -> None:
        log.warning("private_stream_lost", reason=reason, retry_in_s=retry_in_s)

    def _read_message(self, text: str) -> Ack | Push[str | None] | None:
        try:
            return push_protocol.account_message(text)
        except ParseError as fault:
            log.error("private_push_unreadable", error=str(fault))
            return Push("unreadable", (None,))  # what changed is unknown: read everything
