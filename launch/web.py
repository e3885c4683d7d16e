"""Asks our own web process whether it is there."""

from __future__ import annotations

import http.client
import math
import time
import urllib.error
import urllib.request
from collections.abc import Callable

# No proxy of the environment stands between us and the loopback address.
_opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class Readiness:
    """Says once that the system is ready: its services are up and a run was decided (/readyz)."""

    def __init__(self, url: str, *, say: Callable[[str], None]) -> None:
        self._url = f"{url}/readyz"
        self._say = say
        self._began = time.monotonic()
        self._next_look = 0.0

    def look(self) -> None:
        """Ask at most once a second, until it is ready."""
        now = time.monotonic()
        if now < self._next_look:
            return
        self._next_look = now + 1.0
        if answers(self._url):
            self._say(
                f"  ready: {self._url} answers 200, {now - self._began:.1f} s after the services were up"
            )
            self._next_look = math.inf


def answers(url: str, *, timeout_s: float = 1.0) -> bool:
    """Whether GET `url` (loopback, http) gives 200."""
    try:
        with _opener.open(url, timeout=timeout_s) as response:
            return bool(response.status == 200)
    except (urllib.error.URLError, http.client.HTTPException, OSError):
        return False
