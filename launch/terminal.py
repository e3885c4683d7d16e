"""What the launcher says on the terminal: steps with their time, and faults in one form."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager


def say(text: str = "", *, end: str = "\n") -> None:
    """Print; a terminal that went away must not keep us from ending what we started."""
    try:
        print(text, end=end, flush=True)
    except OSError:
        sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115 (it stays for good)


def error(text: object) -> None:
    try:
        print(f"error: {text}", file=sys.stderr, flush=True)
    except OSError:
        sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115 (it stays for good)


@contextmanager
def step(what: str) -> Iterator[None]:
    """Say what is being done, then how long it took; says nothing more when the block raises."""
    began = time.monotonic()
    say(f"  {what:<44}", end="")
    try:
        yield
    except BaseException:
        say()
        raise
    say(f"{time.monotonic() - began:6.1f} s")
