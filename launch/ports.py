"""TCP ports of the loopback address."""

from __future__ import annotations

import contextlib
import socket
import time
from collections.abc import Callable
from pathlib import Path

HOST = "127.0.0.1"


def is_free(port: int) -> bool:
    """Whether a server could listen on `port` now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
        return True


def free() -> int:
    """A port nobody listens on."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port


def remembered(path: Path) -> int:
    """The port kept in `path` when it is still free, else a new one, kept there."""
    with contextlib.suppress(OSError, ValueError):
        port = int(path.read_text(encoding="ascii"))
        if is_free(port):
            return port
    port = free()
    path.write_text(f"{port}\n", encoding="ascii")
    return port


def wait_until(ready: Callable[[], bool], *, patience_s: float, every_s: float = 0.02) -> bool:
    """Ask `ready` until it says yes; False when `patience_s` have passed."""
    deadline = time.monotonic() + patience_s
    while not ready():
        if time.monotonic() > deadline:
            return False
        time.sleep(every_s)
    return True
