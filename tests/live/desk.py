"""A worker as the tests need it: the desk's own parts, minutes injected."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import redis

from apps.engine.profile import Profile
from apps.live.minute import COLLECT_S, run_minute
from apps.live.models import MtfRun
from apps.live.recorder import RunRecorder
from apps.live.windows import Warm
from apps.profiles import store as profiles

OVER = timedelta(seconds=COLLECT_S)
"""A run that begins this long after its minute waits for nobody."""


def by_close(name: str, context: str, execution: str = "1m", **changes: Any) -> dict[str, Any]:
    """A profile file by which a close above 100 is long and below 100 short on every timeframe.

    `context` and `execution` are timeframes separated by blanks.
    """
    sides = {"long": ["close > 100"], "short": ["close < 100"]}
    return {
        "name": name,
        "validation_mode": "pragmatic",
        "context_timeframes": context.split(),
        "execution_timeframes": execution.split(),
        "timeframes": dict.fromkeys([*context.split(), *execution.split()], sides),
    } | changes


def profile(content: dict[str, Any]) -> Profile:
    return Profile.load(content, {}, "test")


PLAIN = profile(by_close("plain", "5m"))
SLOW = profile(by_close("slow", "15m"))


class Worker:
    """Windows, ledger and broker of one evaluating worker."""

    def __init__(
        self, symbols: Sequence[str], judged: Sequence[Profile] = (PLAIN,), *, broker: redis.Redis
    ) -> None:
        self.profiles, self.broker = tuple(judged), broker
        self.warm, self.recorder = Warm(symbols, self.profiles), RunRecorder()
        for profile in self.profiles:
            profiles.save_version(profile)

    def minute(self, at: datetime, *, late: timedelta = OVER) -> list[MtfRun]:
        """Judge the minute `at`, beginning `late` after it; its runs as stored."""
        claimed = run_minute(
            at,
            profiles=self.profiles,
            warm=self.warm,
            recorder=self.recorder,
            client=self.broker,
            now=at + late,
        )
        return [MtfRun.objects.get(pk=run.pk) for run in claimed]

    def restarted(self, *judged: Profile) -> Worker:
        """Another worker in its place, which remembers nothing."""
        return Worker(self.warm.symbols, judged or self.profiles, broker=self.broker)
