"""One read at a time beside the loop: nobody waits longer than they want, and what comes late is not lost."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import pytest

from apps.engine.ports.account import BrokerUnavailable
from apps.live.watch.side_thread import SideThread, StillReading

PATIENCE_S = 10.0


class Slow:
    """A read that answers with its name, once it may."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.may_answer = threading.Event()
        self.begun = 0

    def __call__(self) -> str:
        self.begun += 1
        assert self.may_answer.wait(PATIENCE_S)
        return self.name


def ended(side: SideThread, slow: Slow) -> str:
    """What the read gives, once it is there."""
    slow.may_answer.set()
    return side.read(slow.name, slow, PATIENCE_S)


def test_what_is_there_in_time_is_returned_and_a_fault_is_raised() -> None:
    side = SideThread()

    def fail() -> None:
        raise BrokerUnavailable("no answer")

    assert side.read("a", lambda: 7, PATIENCE_S) == 7
    with pytest.raises(BrokerUnavailable, match="no answer"):
        side.read("b", fail, PATIENCE_S)
    assert side.read("b", lambda: 8, PATIENCE_S) == 8
    assert side.reading == ""


def test_who_asks_again_gets_what_was_begun_then() -> None:
    side, slow = SideThread(), Slow("a")
    began = time.monotonic()
    for wait_s in (0.0, 0.01, -1.0):
        with pytest.raises(StillReading, match="a is still being read"):
            side.read("a", slow, wait_s)
    assert time.monotonic() - began < PATIENCE_S
    assert side.reading == "a"
    assert ended(side, slow) == "a"
    assert (slow.begun, side.reading) == (1, "")


def test_nothing_else_is_begun_meanwhile_and_what_nobody_asks_for_again_is_dropped() -> None:
    side, first, second = SideThread(), Slow("a"), Slow("b")
    with pytest.raises(StillReading):
        side.read("a", first, 0)
    with pytest.raises(StillReading, match="a is still being read"):
        side.read("b", second, 0)
    assert second.begun == 0
    first.may_answer.set()
    until(lambda: first_is_over(side, second))
    assert ended(side, second) == "b"
    assert (first.begun, second.begun) == (1, 1)


def first_is_over(side: SideThread, second: Slow) -> bool:
    """Whether the second read could begin."""
    with pytest.raises(StillReading):
        side.read("b", second, 0)
    return side.reading == "b"


def until(what: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not what():
        assert time.monotonic() < deadline
