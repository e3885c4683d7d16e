"""What a worker's thread keeps from task to task: its connection to the database, as long as it is one."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest
from celery.fixups.django import DjangoWorkerFixup
from celery.signals import task_postrun, task_prerun
from django.db import connection

from apps.live import tasks
from tradingv3 import celery_app

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def worker() -> Iterator[None]:
    """What Celery does around each task of a worker in a Django project."""
    fixup = DjangoWorkerFixup(celery_app)
    task_prerun.connect(fixup.on_task_prerun)
    task_postrun.connect(fixup.on_task_postrun)
    yield
    task_prerun.disconnect(fixup.on_task_prerun)
    task_postrun.disconnect(fixup.on_task_postrun)


def backend_of_next_task() -> int:
    """The server's process that one more task speaks to."""
    task_prerun.send(tasks.judge_minute)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        [(backend,)] = cursor.fetchall()
    task_postrun.send(tasks.judge_minute)
    return int(backend)


@pytest.mark.usefixtures("worker")
def test_the_next_task_goes_on_with_the_same_connection() -> None:
    assert backend_of_next_task() == backend_of_next_task()


@pytest.mark.usefixtures("worker")
def test_a_connection_that_broke_between_two_tasks_fails_neither() -> None:
    backend = backend_of_next_task()
    with psycopg.connect(**connection.get_connection_params()) as other:
        other.execute("SELECT pg_terminate_backend(%s)", [backend])
    assert backend_of_next_task() != backend
