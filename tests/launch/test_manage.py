from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from launch import paths, ports, secret_files, servers
from launch.paths import REPOSITORY
from tests.launch import machine

# shell -c is a manage.py command that can say what it sees; the module below stands in for manage.py.
SEES = """
import os, sys
if sys.argv[1:] == ["fails"]:
    sys.exit(3)
if sys.argv[1:] != ["migrate", "--noinput"]:
    import psycopg
    with psycopg.connect(os.environ["DATABASE_URL"]) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS runs (n int)")
        connection.execute("INSERT INTO runs VALUES (1)")
        print("runs so far:", connection.execute("SELECT count(*) FROM runs").fetchone()[0])
    print("secret:", os.environ["SECRET_KEY"])
"""
CALL = """
import sys
from launch import manage, program
program.MANAGE = (sys.executable, "-c", sys.argv[1])
sys.exit(manage.main(sys.argv[2:]))
"""


def manage(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", CALL, SEES, *arguments]
    return subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, timeout=60, check=False)


def test_alone_it_has_servers_for_its_time_and_keeps_their_data(var: Path) -> None:
    first = manage("anything")
    second = manage("anything")
    assert (first.returncode, second.returncode) == (0, 0), first.stderr + second.stderr
    assert "runs so far: 1\n" in first.stdout
    assert "runs so far: 2\n" in second.stdout
    assert not [line for line in machine.command_lines().splitlines() if f"{var}/" in line]


def test_the_commands_exit_code_is_its_own(var: Path) -> None:
    assert manage("fails").returncode == 3


def test_beside_a_running_demo_it_uses_the_demos_servers(var: Path) -> None:
    var.mkdir()
    named = {name: os.environ.get(name, "") for name in ("DATABASE_URL", "REDIS_URL")}
    assert named == {"DATABASE_URL": "", "REDIS_URL": ""}
    with paths.hold_data_folder(var, what="demo", port=1):
        secret_files.write_env_file(
            var / secret_files.SERVERS_ENV,
            {"DATABASE_URL": "postgres://a:b@127.0.0.1:1/c", "SECRET_KEY": "of the demo"},
        )
        done = manage("anything")
    assert done.returncode != 0
    assert "port 1 failed" in done.stderr
    assert not (var / "postgres").exists()


def test_a_second_command_with_servers_of_its_own_is_refused_naming_the_first(var: Path) -> None:
    var.mkdir()
    with paths.hold_data_folder(var, what="manage"):
        done = manage("anything")
    assert done.returncode == 1
    assert f"./run manage (pid {os.getpid()})" in done.stderr


def test_the_secret_key_stays_the_same_and_is_private(var: Path) -> None:
    var.mkdir()
    key = servers.get_secret_key(var)
    assert servers.get_secret_key(var) == key
    assert len(key) >= 24
    assert (var / "secret-key").stat().st_mode & 0o077 == 0


def test_a_private_file_is_replaced_whole(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("old and much longer")
    path.chmod(0o644)
    secret_files.write(path, "new")
    assert path.read_text() == "new"
    assert path.stat().st_mode & 0o777 == 0o600
    assert list(tmp_path.iterdir()) == [path]


def test_an_env_file_is_read_as_people_write_it(tmp_path: Path) -> None:
    path = tmp_path / ".env"
    path.write_text("# A=no\n\nexport B=1\nC = 'two words'\nD=\"x=y\"\nnonsense\n")
    assert secret_files.read_env_file(path) == {"B": "1", "C": "two words", "D": "x=y"}
    assert secret_files.read_env_file(tmp_path / "absent") == {}


def test_a_remembered_port_is_kept_while_it_is_free(tmp_path: Path) -> None:
    file = tmp_path / "port"
    port = ports.get_or_choose(file)
    assert ports.get_or_choose(file) == port
    file.write_text("not a number")
    assert ports.is_free(ports.get_or_choose(file))
