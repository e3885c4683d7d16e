"""Folders of the launcher's tests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.launch import machine


@pytest.fixture
def home() -> Iterator[Path]:
    with machine.passable_folder() as folder:
        yield folder


@pytest.fixture
def var(home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data folder of its own, with no server named: embedded ones will be started."""
    for name in ("DATABASE_URL", "REDIS_URL", "SECRET_KEY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TRADINGV3_VAR", str(home / "var"))
    return home / "var"
