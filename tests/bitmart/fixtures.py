"""Recorded answers and pushes of the real exchange, which lie beside the repository where there are any."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

FOLDER = Path(__file__).resolve().parents[2].parent / "shared" / "fixtures" / "bitmart"
needed = pytest.mark.skipif(not FOLDER.is_dir(), reason=f"the recorded answers are not in {FOLDER}")


def names(pattern: str) -> list[str]:
    return sorted(str(path.relative_to(FOLDER)) for path in FOLDER.glob(pattern))


def load(name: str) -> Any:
    return json.loads((FOLDER / name).read_text(encoding="utf-8"), parse_float=Decimal)
