"""Keeps one connection of at most 100 topics alive: subscribes, reconnects, says what was missed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from threading import Event

import structlog

from apps.engine.ports import FormingCandle, Gap
from apps.exchange.bitmart.parse_push import topic_of
from apps.exchange.bitmart.retry import pause_s
from apps.exchange.bitmart.session import Session, Timings
from apps.exchange.bitmart.ws import Disconnected, Socket

log = structlog.get_logger("provider")

TOPICS_PER_CONNECTION = 100


class Connection:
    """The candles of the symbols in `contract_sizes` (coins of one contract), given to `deliver` in turn."""

    def __init__(
        self,
        url: str,
        contract_sizes: Mapping[str, Decimal],
        deliver: Callable[[FormingCandle | Gap], None],
        stop: Event,
        timings: Timings,
    ) -> None:
        self._url = url
        self._contract_sizes = contract_sizes
        self._topics = {topic_of(symbol): symbol for symbol in contract_sizes}
        self._deliver = deliver
        self._stop = stop
        self._timings = timings
        self._refused: set[str] = set()
        self._failures = 0
        self._interrupted = ""

    def run(self) -> None:
        """Until `stop`."""
        while not self._stop.is_set():
            try:
                self._session()
            except Disconnected as fault:
                self._interrupted = str(fault)
                wait_s = pause_s(self._failures, self._timings)
                self._failures += 1
                log.warning("stream_lost", reason=str(fault), topics=len(self._topics), retry_in_s=wait_s)
                self._stop.wait(wait_s)

    def _session(self) -> None:
        socket = Socket(self._url, connect_s=self._timings.connect_s, tick_s=self._timings.tick_s)
        try:
            Session(
                socket,
                self._topics,
                self._contract_sizes,
                self._timings,
                on_candle=self._deliver,
                on_subscribed=self._on_subscribed,
                on_refused=self._on_refused,
            ).run(self._stop)
        finally:
            socket.close()

    def _on_subscribed(self) -> None:
        """Only now: what closes from here on is pushed, so a fetch that starts now leaves no hole."""
        log.info("stream_subscribed", topics=len(self._topics), refused=len(self._refused))
        self._failures = 0
        if self._interrupted:
            self._deliver(Gap(tuple(self._contract_sizes), self._interrupted))
            self._interrupted = ""

    def _on_refused(self, topic: str, error: str) -> None:
        if topic in self._refused:
            return
        self._refused.add(topic)
        symbol = self._topics.get(topic)
        log.error("topic_refused", topic=topic, symbol=symbol, error=error)
        if symbol:
            self._deliver(Gap((symbol,), f"refused: {error}"))
