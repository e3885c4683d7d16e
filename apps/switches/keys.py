"""What a switch may be called."""

from __future__ import annotations

import difflib

from apps.engine.values.errors import TradingError
from apps.engine.values.timeframe import VALIDATION

GLOBAL = "GLOBAL"
FORMS = {"PROFILE": "PROFILE:name", "SYMBOL": "SYMBOL:BTCUSDT", "SYMBOL_TF": "SYMBOL_TF:BTCUSDT:5m"}
"""The first word of a key → an example of its form."""


class InvalidSwitchKey(TradingError):
    """A key that would stop nothing; not retryable."""

    def __init__(self, key: str, detail: str) -> None:
        super().__init__(f"switch key {key!r}: {detail}")


def check_key(key: str) -> str:
    """`key` as it is; InvalidSwitchKey naming the nearest form when no switch is called so."""
    kind, *parts = key.split(":")
    if key == GLOBAL:
        return key
    if kind not in FORMS:
        raise InvalidSwitchKey(key, f"did you mean {_nearest(kind)}?")
    if kind == "SYMBOL_TF":
        timeframe = parts.pop() if len(parts) > 1 else ""
        if timeframe not in VALIDATION:
            allowed = ", ".join(VALIDATION)
            raise InvalidSwitchKey(key, f"ends in a timeframe ({allowed}), like {FORMS[kind]}")
    name = ":".join(parts)
    if not name or name != name.strip() or any(char.isspace() for char in name):
        raise InvalidSwitchKey(key, f"names nothing; write it like {FORMS[kind]}")
    return key


def _nearest(kind: str) -> str:
    near = difflib.get_close_matches(kind.upper(), [GLOBAL, *FORMS], n=1, cutoff=0)[0]
    return FORMS.get(near, near)
