"""TCP ports of the loopback address, and whether a web server answers there."""

from __future__ import annotations

import contextlib
import http.client
import socket
import urllib.request
from pathlib import Path

HOST = "127.0.0.1"

# No proxy of the environment stands between us and the loopback address.
_opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def is_free(port: int) -> bool:
    """Whether a server could listen on `port` now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
        return True


def find_free() -> int:
    """Return a port nobody listens on."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port


def get_or_choose(path: Path) -> int:
    """Return the port kept in `path` when it is still free, else a new one, kept there."""
    with contextlib.suppress(OSError, ValueError):
        port = int(path.read_text(encoding="ascii"))
        if is_free(port):
            return port
    port = find_free()
    path.write_text(f"{port}\n", encoding="ascii")
    return port


def is_answering(url: str) -> bool:
    """Whether GET `url` (loopback, http) gives 200 within a second."""
    try:
        with _opener.open(url, timeout=1.0) as response:
            return bool(response.status == 200)
    except (http.client.HTTPException, OSError):  # urllib's URLError is an OSError
        return False
