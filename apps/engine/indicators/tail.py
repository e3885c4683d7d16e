"""The newest columns of a (S, N) array, as many as asked for."""

from __future__ import annotations

import numpy as np

from apps.engine.frame import Floats


def tail(values: Floats, width: int) -> Floats:
    """The last `width` columns of (S, N): a view, or a copy that begins with NaN when there are fewer."""
    count = values.shape[1]
    if width <= count:
        return values[:, count - width :]
    padded = np.full((values.shape[0], width), np.nan)
    padded[:, width - count :] = values
    return padded
