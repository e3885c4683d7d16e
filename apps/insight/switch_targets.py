"""Whether a kill switch names something that exists: one that is misspelt stops nothing."""

from __future__ import annotations

from django.conf import settings

from apps.engine.values.errors import suggestion
from apps.market import store as market
from apps.profiles import files
from apps.switches.store import checked_key


def unknown_target(key: str) -> str | None:
    """What is wrong with the symbol or profile a switch is to stop, in words; None when it is known.

    Raises InvalidSwitchKey for a key of no known form. Every symbol passes until contracts are stored.
    """
    kind, _, rest = checked_key(key).partition(":")
    if kind == "PROFILE":
        return _unknown("profile", rest, files.available(settings.MTF_PROFILES_DIR))
    if kind in ("SYMBOL", "SYMBOL_TF"):
        symbol = rest.rpartition(":")[0] if kind == "SYMBOL_TF" else rest
        return _unknown("symbol", symbol, [contract.symbol for contract in market.contracts()])
    return None


def _unknown(what: str, name: str, known: list[str]) -> str | None:
    if not known or name in known:
        return None
    return f"unknown {what} {name!r}{suggestion(name, known)}: a switch of this key would stop nothing"
