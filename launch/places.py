"""Where things are: the repository and the folder that holds everything a running system leaves."""

from __future__ import annotations

import os
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent


def var() -> Path:
    """The data folder: TRADINGV3_VAR, else `var` in the repository; made when absent."""
    folder = Path(os.environ.get("TRADINGV3_VAR") or REPOSITORY / "var").resolve()
    folder.mkdir(mode=0o711, parents=True, exist_ok=True)
    return folder
