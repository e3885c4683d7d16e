"""A minute belongs to whoever claims it first, also when two do at once."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
import redis
from django.db import connection

from apps.audit.models import MtfAudit
from apps.live.models import MtfRun, RunStatus
from tests.live.desk import Worker
from tests.live.market import AT, M1, M5, fill

THREADS = 4


@pytest.mark.django_db(transaction=True)
def test_of_workers_that_fire_at_once_exactly_one_judges(broker: redis.Redis) -> None:
    fill(["AUSDT"], [M1, M5])
    workers = [Worker(["AUSDT"], broker=broker) for _ in range(THREADS)]
    start = threading.Barrier(THREADS)

    def fire(worker: Worker) -> int:
        try:
            start.wait()
            return len(worker.minute(AT))
        finally:
            connection.close()

    with ThreadPoolExecutor(THREADS) as pool:
        claimed = list(pool.map(fire, workers))
    assert sorted(claimed) == [0, 0, 0, 1]
    assert MtfRun.objects.get().status == RunStatus.DECIDED
    assert MtfAudit.objects.count() == 1
