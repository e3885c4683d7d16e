"""The broker without what earlier tests announced, and a folder of profiles of one's own."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import redis
from pytest_django import Settings

from apps.exchange.simulator.market.archive import Archive
from apps.exchange.simulator.market.state import State
from apps.feed.announcement import redis_client
from tests.live import trading
from tests.live.watching import House, opened

WriteProfile = Callable[[dict[str, Any]], None]


@pytest.fixture
def broker() -> redis.Redis:
    client = redis_client()
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


@pytest.fixture(scope="session")
def archive() -> Archive:
    return Archive.open(State(date(2026, 11, 20)), symbols=4)


@pytest.fixture
def house(archive: Archive, db: None) -> Iterator[House]:
    with opened(archive) as opened_house:
        yield opened_house


@pytest.fixture
def desk(settings: Settings, archive: Archive, transactional_db: None) -> Iterator[trading.Desk]:
    with trading.opened(settings, archive) as opened_desk:
        yield opened_desk
