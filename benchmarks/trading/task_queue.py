"""Tasks by name, for processes on servers of their own."""

from __future__ import annotations

from celery import Celery


def open_task_queue(redis_url: str) -> Celery:
    """An app that sends tasks to `redis_url`, and leaves this process's own tasks to this process's app."""
    return Celery("sends by name", broker=redis_url, set_as_current=False)
