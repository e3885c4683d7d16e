"""Extra indicators that are declared in vain."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from apps.engine.frame import Floats
from apps.engine.indicators.declared import Extra
from apps.engine.profile.lint.finding import Finding, error, warning
from apps.engine.profile.profile import EMA200_MINIMUM, Profile


def indicators(profile: Profile) -> Iterator[Finding]:
    """Those that no rule reads, and those whose parameters give no value from the candles they will have."""
    for name, extra in profile.indicators.items():
        if name not in profile.used_indicators:
            yield warning(f"indicators.{name}", f"no rule reads a column of {extra.name}: leave it out")
        elif problem := _gives_nothing(extra):
            yield error(f"indicators.{name}", f"{extra.name} {problem}: its parameters do not go together")


def _gives_nothing(extra: Extra) -> str:
    """What goes wrong over as many candles as a judged timeframe has at least; "" when nothing does."""
    from apps.engine.indicators.extra import series  # brings pandas: only for a profile that declares one

    try:
        columns = series(_waves(EMA200_MINIMUM), extra)
    except Exception as fault:  # whatever a library says to its parameters is what the finding tells
        return f"raises {type(fault).__name__} ({fault})"
    known = any(np.isfinite(values[-1]) for values in columns)
    return "" if known else f"gives no value from {EMA200_MINIMUM} candles"


def _waves(count: int) -> Floats:
    """(5, count) lawful candles that rise and fall in waves of two lengths."""
    at = np.arange(count + 1)
    path = 100 + 5 * np.sin(at / 7) + 10 * np.sin(at / 41)
    opened, closed = path[:-1], path[1:]
    high, low = np.maximum(opened, closed) + 0.5, np.minimum(opened, closed) - 0.5
    return np.array([opened, high, low, closed, 100 + 50 * np.sin(at[1:] / 5)])
