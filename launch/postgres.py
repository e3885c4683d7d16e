"""A PostgreSQL cluster of our own: 127.0.0.1 only, password in a secret file, data kept over restarts."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

from launch import ports, postgres_user, process, secret_files

ROLE = DATABASE = "tradingv3"
START_PATIENCE_S = 30.0  # crash recovery of a large cluster included
CONFIGURATION = """\
listen_addresses = '127.0.0.1'
port = {port}
unix_socket_directories = ''
max_connections = 100
shared_buffers = '256MB'
max_wal_size = '2GB'
jit = off
timezone = 'UTC'
log_timezone = 'UTC'
"""
EPHEMERAL = """\
fsync = off
synchronous_commit = off
full_page_writes = off
"""


class PostgresFailed(Exception):
    """PostgreSQL did not start; the message holds the end of its log."""


class Postgres:
    """The cluster in `home`; made there by the first `start`."""

    name = "postgres"

    def __init__(
        self,
        home: Path,
        *,
        ephemeral: bool = False,
        namespaces: bool | None = None,
        give_up: Callable[[], bool] = lambda: False,
    ) -> None:
        """`ephemeral` trades durability for speed; `namespaces` as in postgres_user.choose.

        `give_up` is asked while waiting for the server: a long crash recovery can be interrupted.
        """
        home.mkdir(parents=True, exist_ok=True)
        self._user = postgres_user.choose(home, namespaces=namespaces)
        self._home = self._user.home
        self._ephemeral = ephemeral
        self._give_up = give_up
        self._port: int | None = None
        self._server: subprocess.Popen[bytes] | None = None
        self.log: Path | None = home / "postgres.log"
        self.url = ""

    @property
    def pid(self) -> int | None:
        return self._server.pid if self._server else None

    def start(self) -> str:
        """Start the server and wait until it answers; return the database's URL, the same at each start.

        Raises PostgresFailed.
        """
        self.stop()
        password = secret_files.get_or_create_password(self._home / "password")
        if not self._data.is_dir():
            self._create_cluster()
        if self._port is None:
            self._port = ports.get_or_choose(self._home / "port")
        port = self._port
        self._write_configuration(self._data, port=port)
        self._server = self._run("postgres", "-D", str(self._data), on_orphan=self._stop_signal)

        def is_over() -> bool:
            return self._give_up() or not self.is_alive() or self._is_ready()

        if not process.wait_until(is_over, patience_s=START_PATIENCE_S) or not self._is_ready():
            self.stop()
            raise PostgresFailed(f"PostgreSQL did not start:\n{process.last_lines(self.log)}")
        self.url = f"postgres://{ROLE}:{password}@{ports.HOST}:{port}/{DATABASE}"
        return self.url

    def stop(self) -> None:
        """Fast shutdown: open sessions are ended, data is on disk when this returns."""
        if self._server is not None:
            process.stop(self._server, by=self._stop_signal, patience_s=8.0)
            self._server = None

    def request_stop(self) -> None:
        """Begin the shutdown without waiting for it."""
        if self._server is not None and self.is_alive():
            self._server.send_signal(self._stop_signal)

    def is_alive(self) -> bool:
        return self._server is not None and self._server.poll() is None

    @property
    def _stop_signal(self) -> signal.Signals:
        return signal.SIGQUIT if self._ephemeral else signal.SIGINT

    @property
    def _data(self) -> Path:
        return self._home / "data"

    def _create_cluster(self) -> None:
        """Built beside its place and moved there whole, so an interrupted start leaves no half cluster."""
        half = self._home / "data.new"
        shutil.rmtree(half, ignore_errors=True)
        password = self._home / "password"
        self._user.give(password)
        arguments = [
            "-D",
            str(half),
            "-U",
            ROLE,
            "--pwfile",
            str(password),
            "-A",
            "scram-sha-256",
            "--no-sync",
        ]
        arguments += ["--encoding", "UTF8", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        with postgres_user.shell_programs(self._user.programs) as programs:
            self._wait_for(self._run("initdb", *arguments, programs=programs))
        with (half / "postgresql.conf").open("a", encoding="ascii") as file:
            file.write("include 'tradingv3.conf'\n")
        self._write_configuration(half, port=0)
        single = self._run("postgres", "--single", "-D", str(half), "postgres", stdin=subprocess.PIPE)
        single.communicate(f"CREATE DATABASE {DATABASE}\n".encode("ascii"))
        self._wait_for(single)
        half.rename(self._data)

    def _write_configuration(self, data: Path, *, port: int) -> None:
        text = CONFIGURATION.format(port=port or 5432) + (EPHEMERAL if self._ephemeral else "")
        path = data / "tradingv3.conf"
        secret_files.write(path, text)
        self._user.give(path)

    def _run(
        self,
        program: str,
        *arguments: str,
        on_orphan: signal.Signals = signal.SIGKILL,
        stdin: int = subprocess.DEVNULL,
        programs: Path | None = None,
    ) -> subprocess.Popen[bytes]:
        return process.start(
            [str((programs or self._user.programs) / program), *arguments],
            log=self.log,
            on_orphan=on_orphan,
            env={"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"},
            uid=self._user.uid,
            inside=self._user.inside,
            stdin=stdin,
        )

    def _wait_for(self, child: subprocess.Popen[bytes]) -> None:
        if child.wait() != 0:
            raise PostgresFailed(f"PostgreSQL's data could not be made:\n{process.last_lines(self.log)}")

    def _is_ready(self) -> bool:
        """The eighth line of postmaster.pid says so; it must be our own server's file, not an older one's."""
        try:
            lines = (self._data / "postmaster.pid").read_bytes().split(b"\n")  # one holds the folder's name
        except OSError:
            return False
        ours = self._server is not None and lines[0] == str(self._server.pid).encode("ascii")
        return ours and len(lines) >= 8 and lines[7].strip() == b"ready"
