"""One process of a kind, by a PostgreSQL advisory lock that dies with its connection."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from django.db import connection

WAIT_S = 5.0
"""A predecessor that was just killed may hold its lock until the server notices: wait this long."""


class AlreadyRunning(Exception):
    """Another process of this kind holds the lock."""


@contextmanager
def single_process(name: str) -> Iterator[None]:
    """Hold the lock `name` while the block runs. AlreadyRunning when another process keeps it for 5 s."""
    key = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big", signed=True)
    parameters = connection.get_connection_params()
    parameters.pop("cursor_factory", None)
    parameters.pop("context", None)
    with psycopg.connect(**parameters, autocommit=True) as session:
        deadline = time.monotonic() + WAIT_S
        while not session.execute("SELECT pg_try_advisory_lock(%s)", (key,)).fetchone()[0]:  # type: ignore[index]  # one row always
            if time.monotonic() > deadline:
                raise AlreadyRunning(f"another {name} process is running against this database")
            time.sleep(0.1)
        yield
