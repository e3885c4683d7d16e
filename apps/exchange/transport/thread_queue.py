"""What the threads of a stream hand to the one who iterates it."""

from __future__ import annotations

from collections.abc import Callable
from queue import Empty, Full, Queue
from threading import Event, Thread
from typing import Generic, TypeVar

import structlog

log = structlog.get_logger("provider")

PUT_POLL_S = 0.25
JOIN_S = 2.0

T = TypeVar("T")


class ThreadQueue(Generic[T]):
    """A bounded queue: when the consumer falls behind its threads wait, and their connections with them.

    `stopped` ends everything: the threads watch it.
    """

    def __init__(self, size: int) -> None:
        self.stopped = Event()
        self._queue: Queue[T | Exception] = Queue(size)
        self._threads: list[Thread] = []

    def start(self, run: Callable[[], None], name: str) -> None:
        """Run `run` in a thread. One that dies unseen would be a silent stream: `get` raises its fault."""

        def guarded() -> None:
            try:
                run()
            except Exception as fault:
                log.exception("stream_broken")
                self.put(fault)

        thread = Thread(target=guarded, name=name, daemon=True)
        self._threads.append(thread)
        thread.start()

    def put(self, item: T | Exception) -> None:
        """Add `item`, waiting for room until `stopped`."""
        while not self.stopped.is_set():
            try:
                self._queue.put(item, timeout=PUT_POLL_S)
                return
            except Full:
                log.warning("stream_consumer_behind", waiting=self._queue.qsize())

    def get(self, timeout_s: float) -> T | None:
        """Return the next item, None when there was none in time; raise the fault of a thread that died."""
        try:
            item = self._queue.get(timeout=timeout_s)
        except Empty:
            return None
        if isinstance(item, Exception):
            raise item
        return item

    def close(self) -> None:
        """Stop every thread, from any thread; harmless when repeated."""
        self.stopped.set()
        for thread in self._threads:
            thread.join(JOIN_S)
