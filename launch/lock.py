"""One holder of the data folder at a time: an flock, released by the kernel however its holder ends."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True)
class Holder:
    """Who holds the data folder: `what` is the ./run word, `port` the web port or 0."""

    pid: int
    what: str
    port: int = 0

    def __str__(self) -> str:
        where = f" on http://127.0.0.1:{self.port}" if self.port else ""
        return f"./run {self.what} (pid {self.pid}){where}"


class Held(Exception):
    """Somebody else holds the data folder; waiting or ending him helps."""

    def __init__(self, path: Path, holder: Holder) -> None:
        super().__init__(f"{path.parent} is in use by {holder}; end that first (Ctrl-C there)")
        self.holder = holder


@contextmanager
def held(path: Path, *, what: str, port: int = 0) -> Iterator[None]:
    """Hold `path` while the block runs; raises Held, naming who holds it."""
    with path.open("a+", encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Held(path, _read(path)) from None
        file.truncate(0)
        json.dump(asdict(Holder(pid=os.getpid(), what=what, port=port)), file)
        file.flush()
        yield


def _read(path: Path) -> Holder:
    try:
        return Holder(**json.loads(path.read_text(encoding="utf-8")))
    except (ValueError, TypeError):  # held, but its holder has not written his name yet
        return Holder(pid=0, what="of another terminal that is just starting")
