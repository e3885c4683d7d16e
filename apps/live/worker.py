"""What the one evaluating worker holds between tasks: profiles, warm windows, its recorder."""

from __future__ import annotations

from datetime import datetime, timedelta

import redis
import structlog

from apps.engine.profile import Profile
from apps.exchange import venue
from apps.feed.announcement import redis_client
from apps.live.enter import faults
from apps.live.membership import Membership, read_membership
from apps.live.recorder import RunRecorder
from apps.live.windows import Warm
from apps.market import store as market
from apps.profiles import store as profiles

log = structlog.get_logger("mtf")

LOOK_BACK = timedelta(days=1)
"""How far before its start a worker looks for entries without an outcome."""


class Worker:
    """One per worker process, made at its first task."""

    def __init__(self) -> None:
        market.stamp_venue(venue.name())
        self.profiles: list[Profile] = profiles.configured_profiles()
        for profile in self.profiles:
            profiles.save_version(profile)
        self.redis: redis.Redis = redis_client()
        self.recorder = RunRecorder()
        self.membership = Membership()
        self.warm = Warm((), self.profiles)
        self._entries_closed_until: datetime | None = None

    def follow_universe(self, now: datetime) -> None:
        """Follow who is judged by whom: the windows hold every symbol that any profile judges."""
        self._follow(read_membership(self.profiles, now))

    def follow_marks(self, now: datetime) -> None:
        """Add what was marked since the universe was looked at: one short query, right before a minute."""
        self._follow(self.membership.with_marks(now))

    def _follow(self, membership: Membership) -> None:
        self.membership = membership
        symbols = membership.symbols
        if self.warm.symbols != symbols:
            log.info("windows_followed", symbols=len(symbols), before=len(self.warm.symbols))
            self.warm = self.warm.with_symbols(symbols)

    def close_entries(self, now: datetime) -> None:
        """Store a fault for every entry that fell due since the last call (at first: in a day) unanswered."""
        until = now - faults.ANSWERED_WITHIN
        faults.store_unanswered(self._entries_closed_until or until - LOOK_BACK, until, now)
        self._entries_closed_until = until


_worker: Worker | None = None


def get_worker() -> Worker:
    """Return this process's worker, made at the first call."""
    global _worker
    if _worker is None:
        _worker = Worker()
    return _worker
