from __future__ import annotations

import json
import os
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from launch import ports, process, secret_files
from launch.paths import REPOSITORY
from tests.launch import machine

SERVERS = {"postgres", "valkey", "simulator"}
PROCESSES = SERVERS | {"stream", "watch", "worker-mtf", "worker-exchange", "web", "beat"}
PATIENCE_S = 30.0


class Terminal:
    """A started demo and what it has written so far."""

    def __init__(self, demo: subprocess.Popen[bytes], output: Path) -> None:
        self.demo = demo
        self._output = output

    def text(self) -> str:
        return self._output.read_text("utf-8")

    def shows(self, what: str) -> bool:
        process.wait_until(lambda: what in self.text() or self.demo.poll() is not None, patience_s=PATIENCE_S)
        return what in self.text()

    def press(self, number: signal.Signals) -> int:
        """Send `number` to the demo alone; its exit code."""
        self.demo.send_signal(number)
        return self.demo.wait(PATIENCE_S)


@contextmanager
def demo(var: Path, *arguments: str, **variables: str) -> Iterator[Terminal]:
    output = var.parent / f"terminal-{time.monotonic_ns()}"
    command = [sys.executable, "-m", "tests.launch.fake_system", *arguments]
    with output.open("wb") as sink:
        started = subprocess.Popen(
            command, cwd=REPOSITORY, env={**os.environ, **variables}, stdout=sink, stderr=sink
        )
    try:
        yield Terminal(started, output)
    finally:
        if started.poll() is None:
            started.terminate()
        started.wait(PATIENCE_S)


def test_ctrl_c_after_the_start_ends_everything_with_exit_code_0(var: Path) -> None:
    with demo(var, "--port", str(ports.find_free())) as terminal:
        assert terminal.shows("Ctrl-C ends all of it"), terminal.text()
        running = machine.pid_files(var / "pids")
        assert set(running) == PROCESSES
        began = time.monotonic()
        assert terminal.press(signal.SIGINT) == 0
        assert time.monotonic() - began < 10.0
        assert not [pid for pid in running.values() if machine.is_running(pid)]
        assert not (var / secret_files.SERVERS_ENV).exists()


@pytest.mark.slow
def test_ctrl_c_during_set_up_ends_everything_and_the_next_start_works(var: Path) -> None:
    port = str(ports.find_free())
    with demo(var, "--port", port, FAKE_MIGRATE_S="60") as terminal:
        assert terminal.shows("  tables"), terminal.text()
        running = machine.pid_files(var / "pids")
        assert set(running) == {"postgres", "valkey", "simulator"}
        assert terminal.press(signal.SIGINT) == 130
        assert not [pid for pid in running.values() if machine.is_running(pid)]
    with demo(var, "--port", port, "--seconds", "0.1") as terminal:
        assert terminal.demo.wait(PATIENCE_S) == 0, terminal.text()


@pytest.mark.slow
def test_a_second_start_is_refused_naming_the_first(var: Path) -> None:
    port = ports.find_free()
    with demo(var, "--port", str(port)) as first:
        assert first.shows("Ctrl-C ends all of it"), first.text()
        with demo(var, "--port", str(ports.find_free())) as second:
            assert second.demo.wait(PATIENCE_S) == 1
            assert f"pid {first.demo.pid}" in second.text()
            assert f"127.0.0.1:{port}" in second.text()
        assert first.demo.poll() is None
        assert set(machine.pid_files(var / "pids")) == PROCESSES


def test_a_busy_port_is_refused_before_anything_is_started(var: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        with demo(var, "--port", str(port)) as terminal:
            assert terminal.demo.wait(PATIENCE_S) == 1
            assert f"port {port} of 127.0.0.1 is in use" in terminal.text()
    assert not (var / "postgres").exists()


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["--port", "70000"], "70000"),
        (["--day", "yesterday"], "yesterday"),
        (["--seconds", "-3"], "-3"),
        (["--symbols", "-1"], "-1"),
        (["--colour", "red"], "--colour"),
    ],
)
def test_a_bad_argument_is_refused_by_name(var: Path, arguments: list[str], named: str) -> None:
    with demo(var, *arguments) as terminal:
        assert terminal.demo.wait(PATIENCE_S) == 2
        assert named in terminal.text()
    assert not (var / "postgres").exists()


def test_another_venue_is_refused(var: Path) -> None:
    with demo(var, "--port", str(ports.find_free()), VENUE="bitmart") as terminal:
        assert terminal.demo.wait(PATIENCE_S) == 1
        assert "VENUE=bitmart" in terminal.text()


def test_a_market_that_cannot_be_played_refuses_the_start_in_the_simulators_words(var: Path) -> None:
    why = "--day 5 contradicts the kept market: it plays day 10"
    (var / "log").mkdir(parents=True)
    (var / "log" / "simulator.log").write_text("simulator ended\n")
    with demo(var, "--port", str(ports.find_free()), FAKE_REFUSAL=f"simulator: {why}") as terminal:
        assert terminal.demo.wait(PATIENCE_S) == 1
        assert f"error: the simulator cannot start: {why}\n" in terminal.text()
    assert machine.pid_files(var / "pids") == {}


def test_what_a_service_says_when_it_cannot_start_is_on_the_screen(var: Path) -> None:
    with demo(var, "--port", str(ports.find_free()), FAKE_REFUSAL="watch: no such account") as terminal:
        assert terminal.shows("watch ended unasked"), terminal.text()
        assert terminal.shows("CommandError: no such account"), terminal.text()
        assert terminal.press(signal.SIGINT) in (0, 130)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ties a child to its parent's life")
@pytest.mark.slow
def test_kill_9_leaves_no_process_and_the_next_start_finds_its_data(var: Path) -> None:
    port = str(ports.find_free())
    with demo(var, "--port", port) as terminal:
        assert terminal.shows("Ctrl-C ends all of it"), terminal.text()
        variables = secret_files.read_env_file(var / secret_files.SERVERS_ENV)
        with psycopg.connect(variables["DATABASE_URL"]) as connection:
            connection.execute("CREATE TABLE kept AS SELECT 7 AS number")
        running = machine.pid_files(var / "pids")
        terminal.demo.kill()
        assert machine.are_gone(*running.values())
    with demo(var, "--port", port) as terminal:
        assert terminal.shows("Ctrl-C ends all of it"), terminal.text()
        assert secret_files.read_env_file(var / secret_files.SERVERS_ENV) == variables
        with psycopg.connect(variables["DATABASE_URL"]) as connection:
            assert connection.execute("SELECT number FROM kept").fetchone() == (7,)


@pytest.mark.slow
def test_killed_processes_and_servers_come_back_at_the_same_place(var: Path) -> None:
    with demo(var, "--port", str(ports.find_free())) as terminal:
        assert terminal.shows("Ctrl-C ends all of it"), terminal.text()
        before = machine.pid_files(var / "pids")
        for name in ("beat", "postgres", "valkey"):
            os.kill(before[name], signal.SIGKILL)

        def back() -> bool:
            now = machine.pid_files(var / "pids")
            return all(now.get(name) not in (None, before[name]) for name in ("beat", "postgres", "valkey"))

        assert process.wait_until(back, patience_s=PATIENCE_S), terminal.text()
        url = secret_files.read_env_file(var / secret_files.SERVERS_ENV)["DATABASE_URL"]
        with psycopg.connect(url) as connection:
            assert connection.execute("SELECT 1").fetchone() == (1,)


@pytest.mark.slow
def test_no_server_password_shows_in_arguments_logs_or_on_the_terminal(var: Path) -> None:
    with demo(var, "--port", str(ports.find_free())) as terminal:
        assert terminal.shows("Ctrl-C ends all of it"), terminal.text()
        secrets = [
            (var / name).read_text("utf-8").strip()
            for name in ("postgres/password", "valkey/password", "secret-key", "simulator-secret")
        ]
        everything = machine.command_lines() + terminal.text()
        everything += "".join(log.read_text("utf-8") for log in var.rglob("*.log"))
        assert not [secret for secret in secrets if secret in everything]
        admin = (var / "admin-password").read_text("utf-8").strip()
        assert admin in terminal.text()
        assert admin not in machine.command_lines()


def test_what_holds_secrets_is_readable_by_us_alone(var: Path) -> None:
    with demo(var, "--port", str(ports.find_free())) as terminal:
        assert terminal.shows("Ctrl-C ends all of it"), terminal.text()
        names = [
            secret_files.SERVERS_ENV,
            "secret-key",
            "admin-password",
            "postgres/password",
            "valkey/password",
        ]
        assert {stat.S_IMODE((var / name).stat().st_mode) for name in names} == {0o600}


def test_the_lock_is_free_after_its_holder_was_killed(var: Path) -> None:
    var.mkdir()
    hold = (
        "import pathlib, sys, time\nfrom launch import paths\n"
        "with paths.hold_data_folder(pathlib.Path(sys.argv[1]), what='demo', port=1):\n"
        "    print('held', flush=True)\n    time.sleep(600)\n"
    )
    path = var / "lock"
    with subprocess.Popen(
        [sys.executable, "-c", hold, str(var)], cwd=REPOSITORY, stdout=subprocess.PIPE
    ) as holder:
        assert holder.stdout
        assert holder.stdout.readline() == b"held\n"
        assert json.loads(path.read_text("utf-8"))["pid"] == holder.pid
        holder.kill()
    with demo(var, "--port", str(ports.find_free()), "--seconds", "0.1") as terminal:
        assert terminal.demo.wait(PATIENCE_S) == 0, terminal.text()


def test_a_terminal_that_went_away_keeps_nothing_from_ending_in_order(var: Path) -> None:
    command = [sys.executable, "-m", "tests.launch.fake_system", "--port", str(ports.find_free())]
    with subprocess.Popen(command, cwd=REPOSITORY, stdout=subprocess.PIPE) as started:
        try:
            assert started.stdout
            started.stdout.readline()
            started.stdout.close()
            assert process.wait_until(
                lambda: set(machine.pid_files(var / "pids")) == PROCESSES, patience_s=PATIENCE_S
            )
            running = machine.pid_files(var / "pids")
            started.send_signal(signal.SIGHUP)
            started.wait(PATIENCE_S)
        finally:
            started.kill()
    assert not [pid for pid in running.values() if machine.is_running(pid)]
    assert not (var / secret_files.SERVERS_ENV).exists()
