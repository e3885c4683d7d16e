"""Where a run's time goes."""

from __future__ import annotations

import time
from dataclasses import dataclass, field


@dataclass
class StageTimer:
    """Milliseconds per stage, each measured from the previous `lap`."""

    laps: dict[str, float] = field(default_factory=dict)
    _last: float = field(default_factory=time.perf_counter)

    def lap(self, name: str) -> None:
        now = time.perf_counter()
        self.laps[name] = round((now - self._last) * 1000, 3)
        self._last = now

    def part(self, of: str, name: str, spent_ms: float) -> None:
        """`spent_ms` of the lap `of` were spent on `name`: it becomes a stage of its own."""
        self.laps[of] = round(self.laps[of] - spent_ms, 3)
        self.laps[name] = round(spent_ms, 3)
