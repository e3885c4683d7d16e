"""One connection from subscribing to its end: what comes in, what is unanswered, how long it was silent."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from threading import Event

import structlog

from apps.engine.ports import FormingCandle
from apps.engine.values.errors import TradingError
from apps.exchange.bitmart import parse_push
from apps.exchange.bitmart.fields import ParseError
from apps.exchange.bitmart.parse_push import Ack, Push
from apps.exchange.bitmart.subscription import PING, subscribe
from apps.exchange.bitmart.ws import Disconnected, Socket

log = structlog.get_logger("provider")


@dataclass(frozen=True, slots=True)
class Timings:
    """Seconds. The server drops a connection that is silent for 20 s or subscribes to nothing for 5 s."""

    connect_s: float = 5.0
    tick_s: float = 0.25
    ping_s: float = 10.0
    silent_s: float = 20.0
    pushless_s: float = 90.0  # pongs without a push through a whole minute's open: the subscriptions are lost
    ack_s: float = 5.0
    first_pause_s: float = 0.5
    longest_pause_s: float = 30.0


class Session:
    """Runs in its connection's thread; `on_subscribed` is called once, when every topic is answered for."""

    def __init__(
        self,
        socket: Socket,
        topics: Mapping[str, str],
        contract_sizes: Mapping[str, Decimal],
        timings: Timings,
        *,
        on_candle: Callable[[FormingCandle], None],
        on_subscribed: Callable[[], None],
        on_refused: Callable[[str, str], None],
    ) -> None:
        """`topics` → symbol; `on_refused` is given a topic and the exchange's words."""
        self._socket = socket
        self._contract_sizes = contract_sizes
        self._timings = timings
        self._on_candle = on_candle
        self._on_subscribed = on_subscribed
        self._on_refused = on_refused
        self._topics = topics
        self._unanswered = set(topics)
        self._subscribed = False
        self._unreadable = 0
        self._started = self._heard = self._pushed = self._pinged = time.monotonic()

    def run(self, stop: Event) -> None:
        """Until `stop`, or Disconnected."""
        for request in subscribe(list(self._topics)):
            self._socket.send(request)
        while not stop.is_set():
            text = self._socket.receive()
            if text is not None:
                self._heard = time.monotonic()
            if text:
                self._take(text)
            self._keep_alive(time.monotonic())

    def _take(self, text: str) -> None:
        try:
            message = parse_push.message(text, self._contract_sizes, datetime.now(UTC))
        except ParseError as fault:
            self._complain(fault)
            return
        if isinstance(message, Push):
            self._take_push(message)
        elif isinstance(message, Ack):
            self._take_ack(message)

    def _take_push(self, push: Push) -> None:
        self._pushed = self._heard
        self._answered(push.topic)
        for fault in push.candles.faults:
            self._complain(fault)
        for candle in push.candles.values:
            self._on_candle(candle)

    def _take_ack(self, ack: Ack) -> None:
        if not ack.success:
            self._on_refused(ack.topic, ack.error)
        self._answered(ack.topic)

    def _answered(self, topic: str) -> None:
        if self._subscribed:
            return
        self._unanswered.discard(topic)
        if not self._unanswered:
            self._say_subscribed()

    def _say_subscribed(self) -> None:
        self._subscribed = True
        self._on_subscribed()

    def _keep_alive(self, now: float) -> None:
        if not self._subscribed and now - self._started > self._timings.ack_s:
            log.warning("topics_unanswered", count=len(self._unanswered), first=min(self._unanswered))
            self._say_subscribed()
        if now - self._heard > self._timings.silent_s:
            raise Disconnected(f"silent for {now - self._heard:.1f} s")
        if now - self._pushed > self._timings.pushless_s:
            raise Disconnected(f"no push for {now - self._pushed:.1f} s")
        if now - self._pinged >= self._timings.ping_s:
            self._pinged = now
            self._socket.send(PING)

    def _complain(self, fault: TradingError) -> None:
        """At the 1st, 2nd, 4th, 8th … fault: a changed format must not fill the disk."""
        self._unreadable += 1
        if self._unreadable & (self._unreadable - 1) == 0:
            log.error("push_unreadable", count=self._unreadable, error=str(fault))
