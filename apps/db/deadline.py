"""A limit on how long the database may answer nothing, also when its server has stopped."""

from __future__ import annotations

import contextlib
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import structlog
from django.db import DEFAULT_DB_ALIAS, connections
from django.db.backends.base.base import BaseDatabaseWrapper

log = structlog.get_logger("positions")


@contextmanager
def deadline(seconds: float) -> Iterator[None]:
    """Cut this thread's connection when nothing is answered for so long: what waits raises OperationalError.

    Each answer begins the time anew: much to write is no server that stopped.

    The server's own limits end a statement only while the server runs; a stopped one answers nothing, and its
    kernel keeps the connection alive. To connect has its own limit (`connect_timeout`).
    """
    waiting = connections[DEFAULT_DB_ALIAS]  # this thread's: the watchdog has another one
    watchdog = _Watchdog(waiting, seconds)
    watchdog.start()
    try:
        with waiting.execute_wrapper(watchdog.see_answer):
            yield
    finally:
        watchdog.over.set()


class _Watchdog(threading.Thread):
    """Cuts `waiting` once `seconds` went by since its last answer, unless it is `over`."""

    def __init__(self, waiting: BaseDatabaseWrapper, seconds: float) -> None:
        super().__init__(name="database-deadline", daemon=True)
        self.over = threading.Event()
        self._waiting = waiting
        self._seconds = seconds
        self._answered_at = time.monotonic()

    def see_answer(self, execute: Callable[..., Any], *statement: Any) -> Any:
        """Execute, as Django's execute_wrapper asks for it."""
        try:
            return execute(*statement)
        finally:
            self._answered_at = time.monotonic()

    def run(self) -> None:
        while (left_s := self._answered_at + self._seconds - time.monotonic()) > 0:
            if self.over.wait(left_s):
                return
        _cut(self._waiting, self._seconds)


def _cut(waiting: BaseDatabaseWrapper, seconds: float) -> None:
    session = waiting.connection
    if session is None or session.closed:
        return
    log.error("database_cut", waited_s=seconds, effect="the connection is given up")
    with contextlib.suppress(OSError), socket.socket(fileno=os.dup(session.pgconn.socket)) as wire:
        wire.shutdown(socket.SHUT_RDWR)
