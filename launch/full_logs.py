"""Logs do not grow for ever."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

MOST_BYTES = 20 * 2**20


def turn_over(log: Path | None, most_bytes: int = MOST_BYTES) -> bool:
    """A log past `most_bytes` goes on empty; what it held is in NAME.log.1, and what was there is gone.

    Whoever writes it appends, and notices nothing; a line written between the copy and the cut is lost.
    """
    if log is None or not log.is_file() or log.stat().st_size <= most_bytes:
        return False
    shutil.copyfile(log, log.with_name(f"{log.name}.1"))
    os.truncate(log, 0)
    return True
