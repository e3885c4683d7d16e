"""Temporary folders PostgreSQL may use."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def passable() -> Iterator[Path]:
    """A folder other users may pass through: pytest's own are private, and nobody could not enter."""
    folder = Path(tempfile.mkdtemp(prefix="launch-"))
    folder.chmod(0o711)
    try:
        yield folder
    finally:
        shutil.rmtree(folder)
