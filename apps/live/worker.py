"""What the one evaluating worker holds between tasks: profiles, warm windows, its ledger."""

from __future__ import annotations

from datetime import datetime

import redis
import structlog

from apps.engine.profile import Profile
from apps.exchange import venue
from apps.feed.announcement import redis_client
from apps.feed.universe import watched_symbols
from apps.live.recorder import RunRecorder
from apps.live.windows import Warm
from apps.market import store as market
from apps.profiles import store as profiles

log = structlog.get_logger("mtf")


class Worker:
    """One per worker process, made at its first task."""

    def __init__(self) -> None:
        market.stamp_venue(venue.name())
        self.profiles: list[Profile] = profiles.configured_profiles()
        for profile in self.profiles:
            profiles.save_version(profile)
        self.redis: redis.Redis = redis_client()
        self.recorder = RunRecorder()
        self.warm = Warm((), self.profiles)

    def follow_universe(self, now: datetime) -> None:
        """Follow the universe: new windows when the watched symbols changed."""
        symbols = tuple(watched_symbols(now))
        if self.warm.symbols != symbols:
            log.info("windows_built", symbols=len(symbols))
            self.warm = Warm(symbols, self.profiles)


_desk: Worker | None = None


def get_worker() -> Worker:
    """This process's desk."""
    global _desk
    if _desk is None:
        _desk = Worker()
    return _desk
