"""Which symbols the switches in force refuse, and why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from apps.engine.profile import Profile
from apps.engine.values.account import kill_switch_refusal
from apps.engine.values.reason import Refusal


def switch_refusals(off: Mapping[str, str], profile: Profile, symbols: Sequence[str]) -> dict[str, Refusal]:
    """Symbol → refusal for every symbol that a switch of `off` (key → reason) covers under this profile."""
    if not off:
        return {}
    timeframes = {judged.timeframe for judged in profile.timeframe_rules}
    found = {symbol: kill_switch_refusal(off, profile.name, symbol, timeframes) for symbol in symbols}
    return {symbol: refusal for symbol, refusal in found.items() if refusal is not None}
