"""Kill switches, as keys that are off."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from apps.engine.values.reason import Reason, Refusal
from apps.engine.values.timeframe import Timeframe


def kill_switch(
    off: Mapping[str, str] | None, profile: str, symbol: str, timeframes: Iterable[Timeframe]
) -> Refusal | None:
    """The widest switch that is off for this profile, symbol and any of the timeframes; None when all are on.

    `off` maps the keys that are off (`GLOBAL`, `PROFILE:p`, `SYMBOL:X`, `SYMBOL_TF:X:5m`) to their reasons;
    None when they could not be read, which refuses.
    """
    if off is None:
        return Refusal(Reason.KILL_SWITCH_UNREADABLE)
    candidates = [
        ("GLOBAL", Reason.KILL_SWITCH_GLOBAL),
        (f"PROFILE:{profile}", Reason.KILL_SWITCH_PROFILE),
        (f"SYMBOL:{symbol}", Reason.KILL_SWITCH_SYMBOL),
        *((f"SYMBOL_TF:{symbol}:{timeframe}", Reason.KILL_SWITCH_SYMBOL_TF) for timeframe in timeframes),
    ]
    for key, reason in candidates:
        if key in off:
            return Refusal(reason, {"switch": key, "because": off[key]})
    return None
