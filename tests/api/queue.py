"""The far side of the queue: what lies on it, and a worker that answers as the test says."""

from __future__ import annotations

import base64
import json
import threading
import time
from collections.abc import Callable
from datetime import datetime
from types import TracebackType
from typing import Any

import redis
from django.db import connection, connections

from apps.live.models import MtfRun

ASKED = "mtf\x06\x169"
"""Where Celery puts what the `mtf` worker takes last: behind each minute."""


def message(broker: redis.Redis, queue: str = ASKED) -> tuple[str, dict[str, Any], datetime]:
    """Task, keyword arguments and expiry of the only message on the queue, which is taken off it."""
    envelope = json.loads(broker.lpop(queue))
    assert broker.llen(queue) == 0
    _, keywords, _ = json.loads(base64.b64decode(envelope["body"]))
    headers = envelope["headers"]
    return headers["task"], keywords, datetime.fromisoformat(headers["expires"])


class Worker:
    """Takes one message within 10 s and ends its run by `work`, on the test's own connection."""

    def __init__(self, broker: redis.Redis, work: Callable[[MtfRun], None]) -> None:
        self._broker, self._work = broker, work
        self._thread = threading.Thread(target=self._once)
        self._fault: BaseException | None = None

    def __enter__(self) -> Worker:
        connection.inc_thread_sharing()
        self._shared = connections["default"]
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._thread.join()
        self._shared.dec_thread_sharing()
        assert self._fault is None, self._fault

    def _once(self) -> None:
        connections["default"] = self._shared
        try:
            deadline = time.monotonic() + 10
            while not self._broker.llen(ASKED):
                assert time.monotonic() < deadline, "no message came"
                time.sleep(0.01)
            _, keywords, _ = message(self._broker)
            self._work(MtfRun.objects.get(run_id=keywords["run_id"]))
        except BaseException as fault:
            self._fault = fault
