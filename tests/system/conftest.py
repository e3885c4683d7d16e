"""A data folder of its own for each proof, with no server named."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.launch import machine

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """First and together: one worker begins with them, and none is left alone with the longest at the end.
    Another takes some of them only when it has nothing else. None uses the tests' database, whose order
    stays."""
    items.sort(key=lambda item: HERE not in item.path.parents)


@pytest.fixture
def var() -> Iterator[Path]:
    with machine.passable_folder() as folder:
        (folder / "var").mkdir(mode=0o711)
        yield folder / "var"
