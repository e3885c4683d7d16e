"""Listens at the broker itself: what beat sends, whether or not a worker takes it."""

from __future__ import annotations

import threading
from types import TracebackType

import redis

TASK = "apps.live.tasks.judge_minute"


class SentMinutes:
    """Unix times (s, the server's clock) of the minute messages sent while the block runs."""

    def __init__(self, url: str) -> None:
        self._client = redis.Redis.from_url(url)
        self._monitor = self._client.monitor()  # type: ignore[no-untyped-call]  # redis-py leaves it untyped
        self._thread = threading.Thread(target=self._listen)
        self.times_s: list[float] = []

    def __enter__(self) -> SentMinutes:
        self._monitor.__enter__()
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._client.echo("the block is over")
        self._thread.join(10)
        self._monitor.__exit__(kind, fault, trace)
        self._client.close()

    def _listen(self) -> None:
        for message in self._monitor.listen():
            if message["command"].startswith("ECHO"):
                return
            if message["command"].startswith("LPUSH mtf ") and TASK in message["command"]:
                self.times_s.append(message["time"])
