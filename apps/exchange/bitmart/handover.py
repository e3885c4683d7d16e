"""What the threads of a stream give to the one who iterates it."""

from __future__ import annotations

from collections.abc import Callable
from queue import Empty, Full, Queue
from threading import Event
from typing import Generic, TypeVar

import structlog

log = structlog.get_logger("provider")

PUT_POLL_S = 0.25

T = TypeVar("T")


class Handover(Generic[T]):
    """A bounded queue: when the consumer falls behind the givers wait, and their connections with them."""

    def __init__(self, size: int, stop: Event) -> None:
        self._queue: Queue[T | Exception] = Queue(size)
        self._stop = stop

    def give(self, item: T | Exception) -> None:
        """Waits for room, until `stop`."""
        while not self._stop.is_set():
            try:
                self._queue.put(item, timeout=PUT_POLL_S)
                return
            except Full:
                log.warning("stream_consumer_behind", waiting=self._queue.qsize())

    def take(self, poll_s: float) -> T | None:
        """The next item, None when there was none in time; raises the fault of a giver that died."""
        try:
            item = self._queue.get(timeout=poll_s)
        except Empty:
            return None
        if isinstance(item, Exception):
            raise item
        return item

    def guard(self, run: Callable[[], None]) -> None:
        """Run a giver: a thread that dies unseen would be a silent stream, so its fault is handed over."""
        try:
            run()
        except Exception as fault:
            log.exception("stream_broken")
            self.give(fault)
