"""Outcomes and reasons as small integers, so that all symbols are judged at once."""

from __future__ import annotations

from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from apps.engine.values.position import Side
from apps.engine.values.reason import Reason

Codes = NDArray[np.int8]
Objects = NDArray[np.object_]


class Outcome(IntEnum):
    """What one timeframe says. LONG and SHORT are opposite numbers: a side times -1 is the other."""

    SHORT = -1
    NEUTRAL = 0
    LONG = 1
    INVALID = 2

    @property
    def word(self) -> str:
        """As JSON and people have it: `long`."""
        return self.name.lower()


SIDES = {Outcome.LONG: Side.LONG, Outcome.SHORT: Side.SHORT}

_REASONS = tuple(Reason)
_NAMES = np.array([None, *_REASONS], dtype=object)
_CODES = {reason: code for code, reason in enumerate(_REASONS, start=1)}
NO_REASON = 0


def code(reason: Reason) -> int:
    """Return the reason's number in arrays; NO_REASON is none."""
    return _CODES[reason]


def reasons(codes: Codes) -> Objects:
    """Return Reason, or None, for each code."""
    return np.asarray(_NAMES[codes], dtype=object)
