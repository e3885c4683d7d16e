"""Waiting for an event with a deadline: the only way these proofs pass time."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def until(what: str, ask: Callable[[], T | None], *, patience_s: float, every_s: float = 0.1) -> T:
    """The first answer that is true. AssertionError naming `what` and the last answer after `patience_s`."""
    deadline = time.monotonic() + patience_s
    while not (answer := ask()):
        assert time.monotonic() < deadline, f"not within {patience_s:g} s: {what} (last answer: {answer!r})"
        time.sleep(every_s)
    return answer
