"""One private connection from its login to its end."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from threading import Event

import structlog

from apps.exchange.bitmart import parse_news, signing
from apps.exchange.bitmart.fields import ParseError
from apps.exchange.bitmart.parse_news import TOPICS, Answer, Changed
from apps.exchange.bitmart.session import Timings
from apps.exchange.bitmart.signing import Credentials
from apps.exchange.bitmart.subscription import PING, subscribe
from apps.exchange.bitmart.ws import Disconnected, Socket

log = structlog.get_logger("provider")

EVERYTHING = (None,)


class AccountSession:
    """Runs in the stream's thread. `on_subscribed` is called once, when every channel is open; from then on
    `on_heard` at each sign of life."""

    def __init__(
        self,
        socket: Socket,
        credentials: Credentials,
        timings: Timings,
        *,
        on_subscribed: Callable[[], None],
        on_changed: Callable[[Sequence[str | None]], None],
        on_heard: Callable[[], None],
    ) -> None:
        self._socket = socket
        self._credentials = credentials
        self._timings = timings
        self._on_subscribed = on_subscribed
        self._on_changed = on_changed
        self._on_heard = on_heard
        self._unanswered: set[str] = {"", *TOPICS}  # the login is answered without a topic
        self._started = self._heard = self._pinged = time.monotonic()

    def run(self, stop: Event) -> None:
        """Until `stop`, or Disconnected."""
        self._socket.send(json.dumps(signing.login(self._credentials, time.time_ns() // 1_000_000)))
        while not stop.is_set():
            text = self._socket.receive()
            if text is not None:
                self._heard = time.monotonic()
            if text:
                self._take(text)
            if text is not None and not self._unanswered:
                self._on_heard()
            self._keep_alive(time.monotonic())

    def _take(self, text: str) -> None:
        try:
            message = parse_news.message(text)
        except ParseError as fault:
            log.error("private_push_unreadable", error=str(fault))
            message = Changed(EVERYTHING)  # what changed is unknown: read everything
        if isinstance(message, Answer):
            self._take_answer(message)
        elif isinstance(message, Changed):
            self._on_changed(message.symbols)

    def _take_answer(self, answer: Answer) -> None:
        if not answer.success:
            log.error("private_stream_refused", topic=answer.topic or "login", error=answer.error)
            raise Disconnected(f"{answer.topic or 'login'} refused: {answer.error}")
        if answer.topic not in self._unanswered:
            return
        self._unanswered.discard(answer.topic)
        if not answer.topic:
            self._subscribe()
        elif not self._unanswered:
            self._on_subscribed()

    def _subscribe(self) -> None:
        for request in subscribe(TOPICS):
            self._socket.send(request)

    def _keep_alive(self, now: float) -> None:
        if self._unanswered and now - self._started > self._timings.ack_s:
            raise Disconnected(f"unanswered for {self._timings.ack_s:g} s: {sorted(self._unanswered)}")
        if now - self._heard > self._timings.silent_s:
            raise Disconnected(f"silent for {now - self._heard:.1f} s")
        if now - self._pinged >= self._timings.ping_s:
            self._pinged = now
            self._socket.send(PING)
