from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from launch import ephemeral, process
from launch.paths import REPOSITORY
from tests.launch import machine

ASKS = """
import os, pathlib, time, psycopg, redis
def test_the_servers_answer():
    with psycopg.connect(os.environ["DATABASE_URL"]) as connection:
        assert connection.execute("SHOW fsync").fetchone() == ("off",)
    with redis.Redis.from_url(os.environ["REDIS_URL"]) as client:
        assert client.ping()
    assert os.environ["SECRET_KEY"]
    pathlib.Path(os.environ["WRITE_TO"]).write_text(os.environ["TRADINGV3_VAR"])
    while os.environ.get("STAY"):
        time.sleep(0.1)
"""


def start(folder: Path, *arguments: str, **variables: str) -> subprocess.Popen[bytes]:
    """Another pytest over one test that asks the servers, in an environment that names none."""
    (folder / "test_servers.py").write_text(ASKS, encoding="utf-8")
    bare = {name: value for name, value in os.environ.items() if name not in ephemeral.NAMES}
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", f"--rootdir={REPOSITORY}"]
    return subprocess.Popen(
        [*command, "-c", str(REPOSITORY / "setup.cfg"), *arguments, str(folder / "test_servers.py")],
        cwd=REPOSITORY,
        env={**bare, "WRITE_TO": str(folder / "var"), **variables},
        stdout=subprocess.PIPE,
    )


@pytest.mark.slow
def test_servers_are_up_for_the_tests_under_xdist_too_and_gone_afterwards(tmp_path: Path) -> None:
    with start(tmp_path, "-n", "1") as run:
        output = run.communicate(timeout=60)[0].decode()
    assert run.returncode == 0, output
    var = (tmp_path / "var").read_text()
    assert not Path(var).exists()
    assert f"{var}/" not in machine.command_lines()


@pytest.mark.slow
def test_servers_of_a_killed_pytest_die_and_the_next_run_removes_their_folder(tmp_path: Path) -> None:
    with start(tmp_path, STAY="yes") as run:
        try:
            assert process.wait_until((tmp_path / "var").is_file, patience_s=60.0)
            servers = machine.children(run.pid)
            assert len(servers) == 2
        finally:
            run.kill()
    assert machine.are_gone(*servers)
    var = Path((tmp_path / "var").read_text())
    assert var.is_dir()
    ephemeral.remove_leftovers()
    assert not var.exists()


def test_the_folder_of_a_run_that_goes_on_is_left_alone() -> None:
    with tempfile.TemporaryDirectory(prefix=f"{ephemeral.PREFIX}{os.getpid()}-") as ours:
        ephemeral.remove_leftovers()
        assert Path(ours).is_dir()


@pytest.mark.slow
def test_servers_named_in_the_environment_are_used(tmp_path: Path) -> None:
    named = {name: os.environ[name] for name in ephemeral.NAMES}
    with start(tmp_path, **named) as run:
        output = run.communicate(timeout=60)[0].decode()
    assert run.returncode == 0, output
    assert (tmp_path / "var").read_text() == os.environ["TRADINGV3_VAR"]


@pytest.mark.slow
def test_help_and_collection_need_no_tests_to_run(tmp_path: Path) -> None:
    for arguments, expected in ((["--help"], "usage: "), (["--co"], "1 test collected")):
        with start(tmp_path, *arguments) as run:
            output = run.communicate(timeout=60)[0].decode()
        assert run.returncode == 0, output
        assert re.search(expected, output)
