"""The exchange's clock as seen from here: candles close by it, not by ours."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from apps.exchange.bitmart import parse
from apps.exchange.bitmart.client import Client
from apps.exchange.bitmart.routes import SERVER_TIME

REMEASURE_S = 600.0


@dataclass(frozen=True, slots=True)
class _Offset:
    middle_ms: float
    least_ms: float
    measured_at: float


class ServerClock:
    """Measured at first use and each 10 minutes. Safe to share between threads."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._lock = threading.Lock()
        self._offset: _Offset | None = None

    def measure_ms(self) -> float:
        """Server clock minus ours, milliseconds, if the way there takes as long as the way back."""
        answer = self._client.read(SERVER_TIME)
        server_ms = parse.server_time_ms(answer.data)
        middle_ms = server_ms - (answer.sent_at_ms + answer.received_at_ms) / 2
        self._offset = _Offset(middle_ms, server_ms - answer.received_at_ms, time.monotonic())
        return middle_ms

    def at_least(self) -> datetime:
        """The exchange's time now or a few milliseconds ago, never later: what is closed then is closed."""
        with self._lock:
            if self._offset is None or time.monotonic() - self._offset.measured_at > REMEASURE_S:
                self.measure_ms()
            assert self._offset is not None
            return datetime.now(UTC) + timedelta(milliseconds=self._offset.least_ms)
