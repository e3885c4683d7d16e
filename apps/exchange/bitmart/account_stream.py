"""BitMart's private pushes: the engine's AccountStreams, over one connection that is kept alive."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from threading import Event, Thread

import structlog

from apps.engine.ports import AccountNews
from apps.exchange.bitmart.account_session import AccountSession
from apps.exchange.bitmart.handover import Handover
from apps.exchange.bitmart.retry import pause_s
from apps.exchange.bitmart.session import Timings
from apps.exchange.bitmart.signing import Credentials
from apps.exchange.bitmart.ws import Disconnected, Socket, private_url

log = structlog.get_logger("provider")

QUEUE_SIZE = 1000
JOIN_S = 2.0


class AccountStream:
    """One thread feeds one queue. Whenever its channels open, the first time too, it says `reconnected`."""

    def __init__(self, base_url: str, credentials: Credentials, *, timings: Timings | None = None) -> None:
        self._url = private_url(base_url)
        self._credentials = credentials
        self._timings = timings or Timings()
        self._stop = Event()
        self._handover: Handover[AccountNews] = Handover(QUEUE_SIZE, self._stop)
        self._thread = Thread(
            target=self._handover.guard, args=(self._run,), name="bitmart-account", daemon=True
        )
        self._failures = 0
        self._heard_at: datetime | None = None

    def account(self, poll_s: float = 0.1) -> Iterator[AccountNews | None]:
        """See the port."""
        self._thread.start()
        try:
            while not self._stop.is_set():
                yield self._handover.take(poll_s)
        finally:
            self.close()

    def heard_at(self) -> datetime | None:
        """See the port."""
        return self._heard_at

    def close(self) -> None:
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(JOIN_S)

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                self._session()
            except Disconnected as fault:
                wait_s = pause_s(self._failures, self._timings)
                self._failures += 1
                log.warning("private_stream_lost", reason=str(fault), retry_in_s=wait_s)
                self._stop.wait(wait_s)

    def _session(self) -> None:
        socket = Socket(self._url, connect_s=self._timings.connect_s, tick_s=self._timings.tick_s)
        try:
            AccountSession(
                socket,
                self._credentials,
                self._timings,
                on_subscribed=self._on_subscribed,
                on_changed=self._on_changed,
                on_heard=self._on_heard,
            ).run(self._stop)
        finally:
            socket.close()

    def _on_subscribed(self) -> None:
        """Only now: what happens from here on is pushed, so a read that starts now misses nothing."""
        log.info("private_stream_subscribed")
        self._failures = 0
        self._handover.give(AccountNews(None, datetime.now(UTC), reconnected=True))

    def _on_heard(self) -> None:
        self._heard_at = datetime.now(UTC)

    def _on_changed(self, symbols: Sequence[str | None]) -> None:
        for symbol in symbols:
            self._handover.give(AccountNews(symbol, datetime.now(UTC)))
