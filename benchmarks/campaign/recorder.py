"""Asks the exchange for its own books four times a second, and keeps what the judge will look at."""

from __future__ import annotations

import random
import time
from typing import Any

import requests

from benchmarks.campaign.actor import Actor
from benchmarks.campaign.history import History, Moment, Sighting

EVERY_S = 0.25
ANSWER_S = 1.5
"""Longer than that is no answer: an exchange that is paused."""


class Recorder(Actor):
    """Adds to `history.moments` and `history.sightings` until `end`."""

    def __init__(self, url: str, history: History) -> None:
        even = random.Random(0)  # noqa: S311 - its pauses are all the same
        super().__init__("recorder", (EVERY_S, EVERY_S), even)
        self._url = url
        self._history = history
        self._session = requests.Session()
        self._session.trust_env = False
        self.books: dict[str, Any] = {"orders": [], "positions": [], "fills": []}
        """As last answered."""

    def act(self) -> None:
        try:
            faults, books = self._read("/admin/faults"), self._read("/admin/books")
        except requests.RequestException:
            self._history.moments.append(Moment(time.time(), answered=False))
            return
        at = time.time()
        seen = Sighting(at, faults["clock_skew_ms"] / 1000)
        for order in books["orders"]:
            self._history.sightings.setdefault(order["order_id"], seen)
        self._history.moments.append(Moment(at, True, books["positions"], books["protections"], faults))
        self.books = books

    def _read(self, path: str) -> dict[str, Any]:
        answer = self._session.get(self._url + path, timeout=ANSWER_S)
        answer.raise_for_status()
        return dict(answer.json())
