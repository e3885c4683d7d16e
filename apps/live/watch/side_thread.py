"""Reads that explain or book something: in a thread of their own, so that protection never waits for them."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future, wait
from contextvars import copy_context
from typing import Any, TypeVar

from apps.engine.values.errors import TradingError

T = TypeVar("T")


class StillReading(TradingError):
    """What is asked for is not there yet, or something else is being read: ask again soon."""

    retryable = True


class SideThread:
    """Reads one thing at a time; whoever asks waits only as long as it can.

    A read of an exchange that limits us, or does not answer, may take a minute: it goes on, and its result is
    taken by whoever asks for the same thing next. `reading` names what was not there in time, "" for nothing.
    """

    def __init__(self) -> None:
        self.reading = ""
        self._result: Future[Any] = Future()

    def read(self, what: str, call: Callable[[], T], wait_s: float) -> T:
        """Return what `call` returns, or raise what it raises; StillReading when that takes longer than
        `wait_s`, or while something else is being read. A result that is not asked for again is dropped."""
        if not self.reading or (self.reading != what and self._result.done()):
            self.reading, self._result = what, _begun(call)
        if self.reading == what and wait([self._result], max(wait_s, 0)).done:
            self.reading = ""
            result: T = self._result.result()
            return result
        raise StillReading(f"{self.reading} is still being read")


def _begun(call: Callable[[], T]) -> Future[T]:
    """Return the result to come of `call`, whose thread keeps no process from ending."""
    result: Future[T] = Future()

    def run() -> None:
        try:
            result.set_result(call())
        except BaseException as fault:
            result.set_exception(fault)

    threading.Thread(target=copy_context().run, args=(run,), name="side-thread", daemon=True).start()
    return result
