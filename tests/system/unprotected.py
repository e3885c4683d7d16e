"""How long positions stood without a stop, from the exchange's books, asked all the while."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import requests

EVERY_S = 0.2
LIBRARIES = "import celery, django.contrib.admin, django.db, numpy, psycopg, pydantic, redis, structlog"
IDLE_START_S = 1.1
"""So long an idle machine of two cores takes to start an interpreter with the libraries of every process."""


def slowness() -> float:
    """Return how many times slower than an idle machine this one starts a process now; at least 1.

    What a killed process costs is the start of another: on a machine that CI shares, that is a measure of
    the neighbours. None of our own code is in it, so that none of ours can excuse itself by it.
    """
    began = time.monotonic()
    subprocess.run([sys.executable, "-c", LIBRARIES], check=True)
    return max(1.0, (time.monotonic() - began) / IDLE_START_S)


class Unprotected:
    """Counts only time in which the exchange answered and nobody had paused the clock (a dead database)."""

    def __init__(self, books: Callable[[], dict[str, Any]]) -> None:
        self._books = books
        self._stop = threading.Event()
        self._paused = False
        self._standing: dict[tuple[Any, ...], float] = {}
        self.longest_s = 0.0

    @contextmanager
    def watching(self) -> Iterator[None]:
        thread = threading.Thread(target=self._run, name="unprotected")
        thread.start()
        try:
            yield
        finally:
            self._stop.set()
            thread.join()

    def pause(self) -> None:
        self._paused = True

    def go_on(self) -> None:
        self._paused = False

    def _run(self) -> None:
        last = time.monotonic()
        while not self._stop.wait(EVERY_S):
            now = time.monotonic()
            try:
                books = self._books()
            except requests.RequestException:
                last = now
                continue
            self._count(books, 0.0 if self._paused else now - last)
            last = now

    def _count(self, books: dict[str, Any], passed_s: float) -> None:
        naked = {_key(position) for position in books["positions"] if not _covered(position, books)}
        self._standing = {key: self._standing.get(key, 0.0) + passed_s for key in naked}
        self.longest_s = max([self.longest_s, *self._standing.values()])


def _key(position: dict[str, Any]) -> tuple[Any, ...]:
    return position["symbol"], position["position_type"], position["opened_ms"]


def _covered(position: dict[str, Any], books: dict[str, Any]) -> bool:
    closing_side = 3 if position["position_type"] == 1 else 2
    return any(
        plan["symbol"] == position["symbol"]
        and plan["kind"] == "stop_loss"
        and plan["side"] == closing_side
        and (plan["category"] == 2 or plan["size"] >= position["size"])
        for plan in books["protections"]
    )
