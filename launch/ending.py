"""The wish to end: Ctrl-C, SIGTERM or a closed terminal, noted at once, acted on at the next look."""

from __future__ import annotations

import signal
import time
from types import FrameType

ENDING_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Interrupted(Exception):
    """Somebody asked to end while something was being set up."""


class Ending:
    """A flag, not an exception out of the handler: no child is lost between its start and its note."""

    def __init__(self) -> None:
        self.requested = False
        self.signal: int | None = None

    def install(self) -> None:
        """Take over ENDING_SIGNALS; call before anything is started."""
        for number in ENDING_SIGNALS:
            signal.signal(number, self._note)

    def check(self) -> None:
        """Raises Interrupted once the end was asked for."""
        if self.requested:
            raise Interrupted

    def sleep(self, seconds: float) -> None:
        """Wait, but not beyond the wish to end (looked at every 50 ms)."""
        deadline = time.monotonic() + seconds
        while not self.requested and (left := deadline - time.monotonic()) > 0:
            time.sleep(min(left, 0.05))

    def _note(self, number: int, _frame: FrameType | None) -> None:
        self.signal = number
        self.requested = True
