"""manage.py simulator says what it plays, ends cleanly, and refuses clearly."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import requests
from django.core.management import CommandError, call_command

ROOT = Path(__file__).resolve().parents[2]
NOWHERE = {
    "DATABASE_URL": "postgres://nobody:x@127.0.0.1:1/none",
    "REDIS_URL": "redis://127.0.0.1:1/0",
    "SECRET_KEY": "test",
}
"""No database answers there: the simulator must not ask."""


def start(*arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "manage.py", "simulator", *arguments],
        cwd=ROOT,
        env=os.environ | NOWHERE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.parametrize("number", [signal.SIGTERM, pytest.param(signal.SIGINT, marks=pytest.mark.slow)])
def test_it_says_where_it_serves_and_ends_cleanly_on_a_signal(tmp_path: Path, number: signal.Signals) -> None:
    state = tmp_path / "state.json"
    with start("--port", "0", "--symbols", "2", "--day", "5", "--state", str(state)) as process:
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            match = re.search(r"http://\S+", line)
            assert match is not None, process.stderr.read() if process.stderr else ""
            assert requests.get(match[0] + "/healthz", timeout=30).status_code == 200
            assert "2 contracts, day 5" in line
            assert state.exists()
        finally:
            process.send_signal(number)
        output, errors = process.communicate(timeout=30)
    assert (process.returncode, output, errors) == (0, "simulator ended\n", "")


def test_a_busy_port_is_a_clear_error() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(CommandError, match=rf"127\.0\.0\.1 port {port}: Address already in use"):
            call_command("simulator", port=port)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"day": 3}, "--day 3 contradicts"),
        ({"seed": 3}, "--seed 3 contradicts"),
        ({"symbols": 0}, "0 symbols"),
        ({"host": "192.0.2.1"}, "cannot listen on 192.0.2.1"),
    ],
)
def test_what_cannot_be_played_is_a_clear_error(
    tmp_path: Path, options: dict[str, Any], message: str
) -> None:
    state = tmp_path / "state.json"
    state.write_text('{"first_day":"2026-11-20","day":10,"seed":1}')
    with pytest.raises(CommandError, match=message):
        call_command("simulator", **{"port": 0, "state": state} | options)
