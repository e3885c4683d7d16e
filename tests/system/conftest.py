"""A data folder of its own for each proof, with no server named."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.launch import machine


@pytest.fixture
def var() -> Iterator[Path]:
    with machine.passable_folder() as folder:
        (folder / "var").mkdir(mode=0o711)
        yield folder / "var"
