"""What a formula may name, and the nearest valid name to say when it names something else."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

HISTORY = {"rising": ">", "falling": "<", "crossed_above": ">", "crossed_below": "<"}
"""What looks back over several candles, and the way the newest must compare with the one before."""

METRICS = ("entry_zone_width_pct", "expected_r_multiple", "spread_bps")
"""What an entry here would be like: known to a profile's `selection` only, and computed by its `entry`."""

FUNCTIONS = ("abs", "min", "max", "on", *HISTORY)


def nearest(name: str, valid: Iterable[str]) -> str:
    """ "; nearest: 'x'" for the valid name most like `name`, "" when none is."""
    found = get_close_matches(name[:80], [str(one) for one in valid], n=1, cutoff=0.5)
    return f"; nearest: {found[0]!r}" if found else ""
