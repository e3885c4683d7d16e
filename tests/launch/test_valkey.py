from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from launch import ports
from launch.valkey import Valkey, ValkeyFailed
from tests.launch import machine


@pytest.fixture
def valkey(home: Path) -> Iterator[Valkey]:
    server = Valkey(home / "a folder with spaces")
    yield server
    server.stop()


def test_it_answers_to_its_password_only(valkey: Valkey) -> None:
    url = valkey.start()
    with redis.Redis.from_url(url) as client:
        assert client.ping()
    with (
        redis.Redis.from_url("redis://" + url.partition("@")[2]) as stranger,
        pytest.raises(redis.AuthenticationError),
    ):
        stranger.ping()


def test_what_was_written_survives_kill_9_at_the_same_url(valkey: Valkey) -> None:
    url = valkey.start()
    with redis.Redis.from_url(url) as client:
        client.set("kept", "yes")
    assert valkey.pid
    os.kill(valkey.pid, signal.SIGKILL)
    assert machine.are_gone(valkey.pid)
    assert valkey.start() == url
    with redis.Redis.from_url(url) as client:
        assert client.get("kept") == b"yes"


def test_its_password_is_in_no_argument_or_log(valkey: Valkey) -> None:
    password = valkey.start().partition("://:")[2].partition("@")[0]
    assert len(password) >= 24
    assert password not in machine.command_lines()
    assert valkey.log
    assert password not in valkey.log.read_text("utf-8")


def test_a_start_that_fails_shows_the_end_of_the_log(valkey: Valkey, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ports, "get_or_choose", lambda path: 70000)
    with pytest.raises(ValkeyFailed, match="70000"):
        valkey.start()
