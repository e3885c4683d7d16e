"""How long to wait before the next connection."""

from __future__ import annotations

import random

from apps.exchange.bitmart.session import Timings


def pause_s(failures: int, timings: Timings) -> float:
    """Doubles with each failure in a row, up to a bound; never twice the same."""
    doublings = min(failures, 10)  # bounded: an outage of hours must not overflow
    longest_s = min(timings.first_pause_s * 2.0**doublings, timings.longest_pause_s)
    return round(longest_s * random.uniform(0.5, 1.0), 3)  # noqa: S311 - spreads reconnects, guards nothing
