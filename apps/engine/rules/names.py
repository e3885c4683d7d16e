"""What a formula may name besides columns, timeframes and indicators."""

from __future__ import annotations

HISTORY = {"rising": ">", "falling": "<", "crossed_above": ">", "crossed_below": "<"}
"""What looks back over several candles, and the way the newest must compare with the one before."""

METRICS = ("entry_zone_width_pct", "expected_r_multiple", "spread_bps")
"""What an entry here would be like: known to a profile's `selection` only, and computed by its `entry`."""

FUNCTIONS = ("abs", "min", "max", "on", *HISTORY)
