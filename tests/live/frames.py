"""Two warm windows compared, to the bit."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from apps.live.windows import Warm

Array = NDArray[np.generic]


def cold(symbols: Sequence[str], at: datetime) -> Warm:
    """Windows read anew from the table."""
    fresh = Warm(symbols, [])
    fresh.refresh(at)
    return fresh


def differences(warm: Warm, other: Warm) -> list[str]:
    """What is not equal between their frames: every column, and what is said about late, short and broken."""
    ours, theirs = warm.frames(), other.frames()
    names = [] if ours.symbols == theirs.symbols else ["symbols"]
    for timeframe, frame in theirs.frames.items():
        mine = ours.frames[timeframe]
        pairs: dict[str, tuple[Array, Array]] = {
            "close_ms": (mine.close_ms, frame.close_ms),
            "late": (ours.late[timeframe], theirs.late[timeframe]),
            "length": (ours.length[timeframe], theirs.length[timeframe]),
            "gap": (ours.gap[timeframe], theirs.gap[timeframe]),
        }
        pairs |= {name: (mine.columns[name], column) for name, column in frame.columns.items()}
        names += [
            f"{timeframe} {name}"
            for name, (a, b) in pairs.items()
            if not np.array_equal(a, b, equal_nan=a.dtype.kind == "f")
        ]
        if ours.failed[timeframe] != theirs.failed[timeframe]:
            names.append(f"{timeframe} failed")
    return names
