from __future__ import annotations

import os
import signal
import stat
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from launch import postgres_user
from launch.postgres import Postgres, PostgresFailed
from tests.launch import machine


@pytest.fixture(scope="module")
def cluster() -> Iterator[Path]:
    """The folder of one cluster for the tests that leave it whole; making one takes most of a second."""
    with machine.passable_folder() as folder:
        yield folder


@pytest.fixture
def postgres(cluster: Path) -> Iterator[Postgres]:
    server = Postgres(cluster)
    yield server
    server.stop()


def ask(url: str, query: str) -> object:
    with psycopg.connect(url, connect_timeout=5) as connection:
        row = connection.execute(query).fetchone()  # type: ignore[call-overload]  # a plain str is fine here
        return row[0] if row else None


def remember(url: str, number: int) -> None:
    with psycopg.connect(url) as connection:
        connection.execute("DROP TABLE IF EXISTS kept")
        connection.execute("CREATE TABLE kept (number int)")
        connection.execute("INSERT INTO kept VALUES (%s)", [number])


def test_it_answers_at_its_url_in_unicode_and_utc(postgres: Postgres) -> None:
    url = postgres.start()
    assert ask(url, "SELECT current_database()") == "tradingv3"
    assert ask(url, "SHOW server_encoding") == "UTF8"
    assert ask(url, "SHOW timezone") == "UTC"
    assert ask(url, "SELECT upper('é')") == "É"


def test_what_was_written_is_there_after_a_restart_at_the_same_url(postgres: Postgres, cluster: Path) -> None:
    url = postgres.start()
    remember(url, 7)
    postgres.stop()
    later = Postgres(cluster)
    try:
        assert later.start() == url
        assert ask(url, "SELECT number FROM kept") == 7
    finally:
        later.stop()


def test_what_was_committed_survives_kill_9(postgres: Postgres) -> None:
    url = postgres.start()
    remember(url, 8)
    assert postgres.pid
    os.kill(postgres.pid, signal.SIGKILL)
    assert machine.are_gone(postgres.pid)
    assert not postgres.is_alive()
    assert postgres.start() == url
    assert ask(url, "SELECT number FROM kept") == 8


def test_an_interrupted_first_start_is_done_again(home: Path) -> None:
    (home / "data.new").mkdir()
    (home / "data.new" / "PG_VERSION").write_text("18\n")
    server = Postgres(home)
    try:
        assert ask(server.start(), "SELECT 1") == 1
    finally:
        server.stop()


def test_a_wrong_password_is_refused(postgres: Postgres) -> None:
    url = postgres.start()
    password = (url.partition("://tradingv3:")[2]).partition("@")[0]
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        ask(url.replace(password, "guessed"), "SELECT 1")


def test_the_password_is_in_a_private_file_and_in_no_argument_or_log(
    postgres: Postgres, cluster: Path
) -> None:
    postgres.start()
    file = cluster / "password"
    password = file.read_text("utf-8").strip()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert len(password) >= 24
    assert password not in machine.command_lines()
    assert postgres.log
    assert password not in postgres.log.read_text("utf-8")


def test_a_start_that_fails_shows_the_end_of_the_log(home: Path) -> None:
    server = Postgres(home)
    server.start()
    server.stop()
    with (home / "data" / "postgresql.conf").open("a") as file:
        file.write("max_connections = many\n")
    with pytest.raises(PostgresFailed, match="max_connections"):
        server.start()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root needs another user for PostgreSQL")
def test_root_without_namespaces_runs_it_as_nobody(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgres_user, "SHARED_HOMES", home / "shared")
    server = Postgres(home / "postgres", namespaces=False)
    try:
        url = server.start()
        assert Path(f"/proc/{server.pid}").stat().st_uid != 0
        remember(url, 9)
        server.stop()
        assert ask(server.start(), "SELECT number FROM kept") == 9
    finally:
        server.stop()
