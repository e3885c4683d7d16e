"""The exchange's clock as seen from here: candles close by it, not by ours."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

REMEASURE_S = 600.0


@dataclass(frozen=True, slots=True)
class ClockReading:
    """Unix milliseconds: the exchange's clock, and ours before asking and with the answer here."""

    server_ms: float
    sent_at_ms: float
    received_at_ms: float


class ServerClock:
    """Measured at first use and each 10 minutes, by `read`. Safe to share between threads."""

    def __init__(self, read: Callable[[], ClockReading]) -> None:
        self._read = read
        self._lock = threading.Lock()
        self._least_ms = 0.0
        self._measured_at: float | None = None

    def measure_ms(self) -> float:
        """Return server clock minus ours, milliseconds, if the way there takes as long as the way back."""
        reading = self._read()
        self._least_ms = reading.server_ms - reading.received_at_ms
        self._measured_at = time.monotonic()
        return reading.server_ms - (reading.sent_at_ms + reading.received_at_ms) / 2

    def at_least(self) -> datetime:
        """Return the exchange's time, a few milliseconds old or none: what is closed then is closed."""
        with self._lock:
            if self._measured_at is None or time.monotonic() - self._measured_at > REMEASURE_S:
                self.measure_ms()
            return datetime.now(UTC) + timedelta(milliseconds=self._least_ms)
