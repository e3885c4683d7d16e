"""The broker without what earlier tests announced, and a folder of profiles of one's own."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import redis
from pytest_django import Settings

from apps.feed.announce import connection

WriteProfile = Callable[[dict[str, Any]], None]


@pytest.fixture
def broker() -> redis.Redis:
    client = connection()
    for key in client.scan_iter("ready:*"):
        client.delete(key)
    return client


@pytest.fixture
def write_profile(tmp_path: Path, settings: Settings) -> WriteProfile:
    """Profile files in a folder that is the configured one; every written profile is configured."""
    (tmp_path / "conditions.yaml").write_text("{}\n")
    settings.MTF_PROFILES_DIR = tmp_path
    settings.MTF_PROFILES = []

    def write(content: dict[str, Any]) -> None:
        (tmp_path / f"{content['name']}.yaml").write_text(json.dumps(content))
        if content["name"] not in settings.MTF_PROFILES:
            settings.MTF_PROFILES = [*settings.MTF_PROFILES, content["name"]]

    return write
