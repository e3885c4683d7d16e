"""Tells the deciding worker that a minute's candles are stored: a short-lived key, nothing durable."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

import redis
import structlog
from django.conf import settings

log = structlog.get_logger("feed")

KEEP_S = 300
POLL_S = 0.005


@dataclass(frozen=True, slots=True)
class Announcement:
    """`at` is the minute whose candles are stored; `announced_s` is Unix time, seconds."""

    announced_s: float
    missing: tuple[str, ...]


def redis_client() -> redis.Redis:
    """A client with short timeouts: a dead server must not hold the caller."""
    return redis.Redis.from_url(settings.REDIS_URL, socket_timeout=1.0, socket_connect_timeout=1.0)


def announce(client: redis.Redis, at: datetime, missing: Iterable[str]) -> None:
    """Publish `ready:<at>`. A dead Redis is logged: candles are stored all the same."""
    value = json.dumps({"announced_s": time.time(), "missing": sorted(missing)})
    try:
        client.set(_key(at), value, ex=KEEP_S)
    except redis.RedisError as fault:
        log.error("announce_failed", at=at.isoformat(), fault=str(fault))


def wait_for_announcement(client: redis.Redis, at: datetime, *, timeout_s: float) -> Announcement | None:
    """Return the announcement of `at`, waiting at most `timeout_s`; None when it did not come."""
    deadline = time.monotonic() + timeout_s
    while True:
        value = client.get(_key(at))
        if value is not None:
            fields = json.loads(value)
            return Announcement(fields["announced_s"], tuple(fields["missing"]))
        if time.monotonic() >= deadline:
            return None
        time.sleep(POLL_S)


def _key(at: datetime) -> str:
    return f"ready:{at:%Y-%m-%dT%H:%MZ}"
