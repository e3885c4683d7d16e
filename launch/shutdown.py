"""A requested shutdown: Ctrl-C, SIGTERM or a closed terminal, noted at once, acted on at the next look."""

from __future__ import annotations

import signal
import time
from types import FrameType

SHUTDOWN_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Interrupted(Exception):
    """A shutdown was requested while something was being set up."""


class Shutdown:
    """A flag, not an exception out of the handler: no child is lost between its start and its pid file.

    `signal` is the last one that came.
    """

    def __init__(self) -> None:
        """Take over SHUTDOWN_SIGNALS; make it before anything is started."""
        self.requested = False
        self.signal: int | None = None
        for number in SHUTDOWN_SIGNALS:
            signal.signal(number, self._request)

    def check(self) -> None:
        """Raise Interrupted once a shutdown was requested."""
        if self.requested:
            raise Interrupted

    def sleep(self, seconds: float) -> None:
        """Wait, but not beyond a request (looked at every 50 ms)."""
        deadline = time.monotonic() + seconds
        while not self.requested and (left := deadline - time.monotonic()) > 0:
            time.sleep(min(left, 0.05))

    def _request(self, number: int, _frame: FrameType | None) -> None:
        self.signal = number
        self.requested = True
