"""Waiting for an event with a deadline: the only way these proofs pass time."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

from benchmarks.trading.system import SHARED

T = TypeVar("T")


def until(what: str, ask: Callable[[], T | None], *, patience_s: float, every_s: float = 0.1) -> T:
    """Return the first answer that is true. `patience_s` is that of an idle machine.

    AssertionError naming `what` and the last answer.
    """
    began = time.monotonic()
    while not (answer := ask()):
        passed_s = time.monotonic() - began
        assert passed_s < SHARED * patience_s, f"not in {passed_s:.0f} s: {what} (last answer: {answer!r})"
        time.sleep(every_s)
    return answer
